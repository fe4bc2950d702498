"""Recorded clicks with their times moved to now.

Paced (speed 1, 60, ...): the recording runs `speed` times as fast as it happened, from now on, and a
click's time is the moment it is due. As fast as possible (speed 0): every time is moved by the same whole
number of minutes, so that the last click lands in the minute before now: what shared a minute still does.
All of it must then be younger than the horizon, so such a recording may span at most LONGEST_AT_ONCE.

A line that is no click, or has no time in the contract's form, is sent as it is: the system must account
for it too.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from mobile_client.click import contract_time, partition_key
from traffic.record import Entrance, Record

AS_FAST_AS_POSSIBLE = 0.0
# The horizon is 24 hours; the rest is for moving by whole minutes and for the way to the application.
LONGEST_AT_ONCE = timedelta(hours=23, minutes=50)

MOVED = "moved"
AS_IT_IS = "as_it_is"

_CLICKED_AT = re.compile(rb'"clicked_at"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"')
_MINUTE = timedelta(minutes=1)


class ReplayError(Exception):
    """A recording that cannot be replayed; the message says why and what to do."""


@dataclass(frozen=True)
class Recording:
    """A file of clicks, one JSON object a line. `moved` lines have a time to move."""

    path: Path
    moved: int
    as_it_is: int
    first: datetime
    last: datetime

    @property
    def span(self) -> timedelta:
        return self.last - self.first


def read_recording(path: Path) -> Recording:
    """Look through the file once. Raises ReplayError when there is nothing to replay."""
    moved = as_it_is = 0
    first, last = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    for line in _lines(path):
        clicked_at = line.clicked_at
        if clicked_at is None:
            as_it_is += 1
            continue
        moved += 1
        first, last = min(first, clicked_at), max(last, clicked_at)
    if not moved:
        raise ReplayError(
            f"{path} has no click with a time among its {as_it_is} lines: write one JSON object a line, "
            'each with "clicked_at":"2026-01-31T09:00:00.000Z"'
        )
    return Recording(path, moved, as_it_is, first, last)


def replayed(
    recording: Recording, *, speed: float, started_at: datetime, entrance: Entrance
) -> Iterator[Record]:
    """The lines in order. `started_at`: when sending starts; `speed`: AS_FAST_AS_POSSIBLE or times as fast.

    Raises ReplayError at once where the recording is too long to be sent as fast as possible.
    """
    if speed < 0:
        raise ReplayError(
            f"a speed of {speed:g} is none: give 1 for the pace of the recording, 60 for an hour in a "
            "minute, or 0 for as fast as possible"
        )
    if speed == AS_FAST_AS_POSSIBLE:
        return _replayed_at_once(recording, started_at, entrance)
    return _paced(recording, speed, started_at, entrance)


def _replayed_at_once(recording: Recording, started_at: datetime, entrance: Entrance) -> Iterator[Record]:
    if recording.span > LONGEST_AT_ONCE:
        raise ReplayError(
            f"{recording.path} spans {recording.span} ({contract_time(recording.first)} to "
            f"{contract_time(recording.last)}): sent at once, its first clicks would be rejected as too old. "
            f"Split it into files of at most {LONGEST_AT_ONCE}, or give a speed, such as 60 (1 h in 1 min)"
        )
    shift = (started_at - recording.last) // _MINUTE * _MINUTE
    return (_record(line, shift, entrance, due=0.0) for line in _lines(recording.path))


def _paced(recording: Recording, speed: float, started_at: datetime, entrance: Entrance) -> Iterator[Record]:
    due = 0.0
    for line in _lines(recording.path):
        if line.clicked_at is None:
            yield _record(line, timedelta(), entrance, due)
            continue
        due = (line.clicked_at - recording.first).total_seconds() / speed
        now = started_at + timedelta(seconds=due)
        yield _record(line, now - line.clicked_at, entrance, due)


class _Line(NamedTuple):
    """`time`: where the time stands in `data`; None, like `clicked_at`, where there is none to move."""

    data: bytes
    user_id: object
    clicked_at: datetime | None
    time: tuple[int, int] | None


def _record(line: _Line, shift: timedelta, entrance: Entrance, due: float) -> Record:
    data, label = line.data, AS_IT_IS
    if line.clicked_at is not None and line.time is not None:
        begin, end = line.time
        data = data[:begin] + contract_time(line.clicked_at + shift).encode() + data[end:]
        label = MOVED
    return Record(data, partition_key(line.user_id, data), entrance, due, label)


def _lines(path: Path) -> Iterator[_Line]:
    """Every line that is not blank, with its newline."""
    try:
        with _open(path) as file:
            for text in file:
                stripped = text.strip()
                if stripped:
                    yield _read_line(stripped + b"\n")
    except FileNotFoundError:
        raise ReplayError(f"{path} does not exist: give the path of a file of clicks") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ReplayError(
            f"{path} cannot be read: {error}. Give NDJSON, plain or gzip (named .gz)"
        ) from error


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _read_line(data: bytes) -> _Line:
    """The time is replaced inside the line, so that everything else keeps its bytes."""
    try:
        click = json.loads(data)
    except (ValueError, RecursionError):
        return _Line(data, None, None, None)
    if not isinstance(click, dict):
        return _Line(data, None, None, None)
    user_id = click.get("user_id")
    times = list(_CLICKED_AT.finditer(data))
    if len(times) != 1 or times[0][1].decode() != click.get("clicked_at"):
        return _Line(data, user_id, None, None)
    try:
        clicked_at = datetime.fromisoformat(times[0][1].decode())
    except ValueError:  # the 31st of February
        return _Line(data, user_id, None, None)
    return _Line(data, user_id, clicked_at, times[0].span(1))
