"""Recorded clicks with their times moved to now.

Paced (speed 1, 60, ...): the recording runs `speed` times as fast as it happened, from now on. A click's time
is when it is due. As fast as possible (speed 0): every time moves by the same whole number of windows, so
that the last click falls in the window before now, and clicks that shared a count still do. All must then be
younger than the allowed lateness, so the recording may span at most MAX_SPAN_AT_ONCE.

A line that is not one click, or has no time in the contract's form, is sent unchanged: the system must
account for it too.
"""

import gzip
import itertools
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from clients.mobile_app.click import partition_key
from contract.click import read_line
from contract.count import WINDOW
from contract.event_time import format_time, parse_time
from twin.traffic.record import EntryPoint, Record

AS_FAST_AS_POSSIBLE = 0.0
# The allowed lateness is 24 hours; the rest is for moving by whole windows and the way to the application.
MAX_SPAN_AT_ONCE = timedelta(hours=23, minutes=51) - WINDOW
MIN_SPEED = 0.01
# A replay that sends nothing for longer has a click with a wrong time, or too low a speed.
MAX_SILENCE = timedelta(hours=1)

GZIP = b"\x1f\x8b"
MOVED = "moved"
AS_IT_IS = "as_it_is"

_CLICKED_AT = re.compile(rb'"clicked_at"\s*:\s*"([0-9.:TZ-]+)"')


class ReplayError(Exception):
    """A recording that cannot be replayed; the message says why and what to do."""


class Gap(NamedTuple):
    """Two consecutive clicks in time, the earlier one first, and their lines."""

    begin: datetime
    begin_line: int
    end: datetime
    end_line: int

    @property
    def length(self) -> timedelta:
        return self.end - self.begin


@dataclass(frozen=True)
class Recording:
    """A file of clicks, one JSON object a line. `moved`: lines with a time to move. `longest_gap`: None if
    all clicks are in one minute. `longest_wait`: recorded time between two lines in the order of sending;
    longer than the gap only if lines are not in order of time."""

    path: Path
    moved: int
    as_it_is: int
    first: datetime
    last: datetime
    longest_gap: Gap | None
    longest_wait: timedelta

    @property
    def span(self) -> timedelta:
        return self.last - self.first


def read_recording(path: Path) -> Recording:
    """Look through the file once. Raises ReplayError if there is nothing to replay."""
    moved = as_it_is = 0
    minutes: dict[int, _Minute] = {}
    begin = latest = None
    longest_wait = timedelta()
    for line in _lines(path):
        if line.clicked_at is None:
            as_it_is += 1
            continue
        moved += 1
        begin, latest = begin or line.clicked_at, latest or line.clicked_at
        longest_wait = max(longest_wait, line.clicked_at - latest)
        latest = max(latest, line.clicked_at)
        click = (line.clicked_at, line.number)
        minute = minutes.setdefault(int(line.clicked_at.timestamp() // 60), _Minute(click, click))
        minute.first, minute.last = min(minute.first, click), max(minute.last, click)
    if begin is None:
        raise ReplayError(
            f"{path} has no click with a time among its {as_it_is} lines: write one JSON object a line, "
            'each with "clicked_at":"2026-01-31T09:00:00.000Z"'
        )
    in_order = [minutes[minute] for minute in sorted(minutes)]
    gaps = (Gap(*before.last, *after.first) for before, after in itertools.pairwise(in_order))
    longest = max(gaps, key=lambda gap: gap.length, default=None)
    first, last = in_order[0].first[0], in_order[-1].last[0]
    return Recording(path, moved, as_it_is, first, last, longest, max(longest_wait, begin - first))


@dataclass
class _Minute:
    """The first and the last click of a minute, each as its time and its line."""

    first: tuple[datetime, int]
    last: tuple[datetime, int]


def replayed(
    recording: Recording, *, speed: float, started_at: datetime, entry_point: EntryPoint
) -> Iterator[Record]:
    """The lines in order. `started_at`: when sending starts; `speed`: AS_FAST_AS_POSSIBLE or times as fast.

    Raises ReplayError at once if the recording is too long to be sent as fast as possible, or if nothing
    would be sent for more than MAX_SILENCE at this speed.
    """
    if speed == AS_FAST_AS_POSSIBLE:
        return _replayed_at_once(recording, started_at, entry_point)
    if not (MIN_SPEED <= speed < math.inf):
        raise ReplayError(
            f"{speed:g} is not a valid speed: give 1 for the pace of the recording, 60 for an hour in a "
            f"minute, at least {MIN_SPEED:g}, or 0 for as fast as possible"
        )
    gap = recording.longest_gap
    if gap and gap.length / speed > MAX_SILENCE:
        raise ReplayError(
            f"{recording.path}: at {speed:g} times its pace nothing would be sent for {gap.length / speed}: "
            f"no click happened between {format_time(gap.begin)} (line {gap.begin_line}) and "
            f"{format_time(gap.end)} (line {gap.end_line}). Correct or remove the lines with wrong times, "
            "split the file there, or give a larger speed"
        )
    if recording.longest_wait / speed > MAX_SILENCE:
        raise ReplayError(
            f"{recording.path}: at {speed:g} times its pace nothing would be sent for "
            f"{recording.longest_wait / speed}, because its lines are not in order of time. Sort them, "
            "or give a larger speed"
        )
    return _paced(recording, speed, started_at, entry_point)


def _replayed_at_once(
    recording: Recording, started_at: datetime, entry_point: EntryPoint
) -> Iterator[Record]:
    if recording.span > MAX_SPAN_AT_ONCE:
        raise ReplayError(
            f"{recording.path} spans {recording.span} ({format_time(recording.first)} to "
            f"{format_time(recording.last)}): sent at once, its first clicks would be rejected as too old. "
            f"Correct wrong times, split it into files of at most {MAX_SPAN_AT_ONCE}, or give a "
            "speed, such as 60 (1 h in 1 min)"
        )
    shift = (started_at - recording.last) // WINDOW * WINDOW
    return (_record(line, shift, entry_point, due=0.0) for line in _lines(recording.path))


def _paced(
    recording: Recording, speed: float, started_at: datetime, entry_point: EntryPoint
) -> Iterator[Record]:
    due = 0.0
    for line in _lines(recording.path):
        if line.clicked_at is None:
            yield _record(line, timedelta(), entry_point, due)
            continue
        due = (line.clicked_at - recording.first).total_seconds() / speed
        now = started_at + timedelta(seconds=due)
        yield _record(line, now - line.clicked_at, entry_point, due)


class _Line(NamedTuple):
    """`number` in the file, from 1. `time`: where the time is in `data`; None, like `clicked_at`, if there is
    none to move."""

    number: int
    data: bytes
    user_id: object
    clicked_at: datetime | None
    time: tuple[int, int] | None


def _record(line: _Line, shift: timedelta, entry_point: EntryPoint, due: float) -> Record:
    if line.clicked_at is None or line.time is None:
        data, label, clicks = line.data, AS_IT_IS, len(read_line(line.data.rstrip(b"\n")))
    else:
        begin, end = line.time
        data = line.data[:begin] + format_time(line.clicked_at + shift).encode() + line.data[end:]
        label, clicks = MOVED, 1
    return Record(data, partition_key(line.user_id, data), entry_point, due, label, clicks)


def _lines(path: Path) -> Iterator[_Line]:
    """Every non-blank line, with its newline."""
    if path.exists() and not path.is_file():
        raise ReplayError(f"{path} is not a file: give the path of a file of clicks")
    try:
        with _open(path) as file:
            for number, text in enumerate(file, 1):
                if number == 1 and text.startswith(GZIP):
                    raise ReplayError(f"{path} holds gzip: name it *.gz, packed once")
                stripped = text.strip()
                if stripped:
                    yield _read_line(number, stripped + b"\n")
    except FileNotFoundError:
        raise ReplayError(f"{path} does not exist: give the path of a file of clicks") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ReplayError(
            f"{path} cannot be read: {error}. Give NDJSON, plain or gzip (named .gz)"
        ) from error


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _read_line(number: int, data: bytes) -> _Line:
    """The time is replaced inside the line, so that everything else keeps its bytes."""
    try:
        click = json.loads(data)
    except (ValueError, RecursionError):
        return _Line(number, data, None, None, None)
    if not isinstance(click, dict):
        return _Line(number, data, None, None, None)
    user_id = click.get("user_id")
    times = [found for found in _CLICKED_AT.finditer(data) if parse_time(found[1].decode())]
    if len(times) != 1 or times[0][1].decode() != click.get("clicked_at"):
        return _Line(number, data, user_id, None, None)
    return _Line(number, data, user_id, parse_time(click["clicked_at"]), times[0].span(1))
