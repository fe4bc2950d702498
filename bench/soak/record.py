"""The record of a soak: lines of JSON, each with its `kind`. Enough to find the verdict anew.

start: what was asked for, and the machine. sample: what was seen at `at` seconds after traffic began; `state`
is the twin's own (twin/drills/state.py), None where it gave none. drill: a fault, from `began` to `ended`,
with what was said. close: the sum of all clicks at the end. end: whether it was interrupted.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]


class SoakError(Exception):
    """A soak cannot begin, or its record cannot be read; the message says why and what to do."""


class RecordFile:
    """Appends lines, each complete at once; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, kind: str, **values: Any) -> None:
        line = json.dumps({"kind": kind, **values}, separators=(",", ":"))
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


@dataclass(frozen=True, kw_only=True)
class SoakRecord:
    """In the order of time. start and close are empty, and end None, where a run was killed before."""

    start: Line
    samples: Sequence[Line]
    drills: Sequence[Line]
    close: Line
    end: Line | None


def read_record(path: Path) -> SoakRecord:
    """Raises SoakError for what is no record. A last line that was cut off is left out."""
    try:
        texts = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SoakError(f"{path} cannot be read: {error}") from error
    lines: list[Line] = []
    for number, text in enumerate(texts[:-1], 1):
        try:
            line = json.loads(text)
            line["kind"]
        except (ValueError, KeyError, TypeError) as error:
            raise SoakError(f"{path}, line {number}, is no line of a soak's record: {error!r}") from error
        lines.append(line)
    return record_of(lines)


def record_of(lines: Sequence[Line]) -> SoakRecord:
    def all_of(kind: str) -> list[Line]:
        return [line for line in lines if line["kind"] == kind]

    return SoakRecord(
        start=next(iter(all_of("start")), {}),
        samples=all_of("sample"),
        drills=all_of("drill"),
        close=next(iter(all_of("close")), {}),
        end=next(iter(all_of("end")), None),
    )
