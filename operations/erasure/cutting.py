"""Takes units out of lines and records: what is left reads as the same clicks without them, byte for byte.

Lines and records are those of contract/click.py. A line of which nothing is left goes with its end.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from contract.aggregation import user_records, with_user_records
from contract.click import BYTE_ORDER_MARK, Click, Unread, read, read_line
from contract.count import start_of_count
from contract.event_time import format_time, parse_time

Unit = Click | Unread
Takes = Callable[[Unit], bool]
Minute = str | None
"""The start of the minute of a click, as counts write it; None where `clicked_at` cannot be read."""


class InexactError(Exception):
    """What would be left does not read as it should: the object must stay as it is."""


class LineTaken(NamedTuple):
    """times: the line stands in the object; minutes: units taken out of it each time."""

    times: int
    minutes: Counter[Minute]


@dataclass
class Taken:
    """What was taken out, by the digest of the line that it stood in. shortened: lines of which something is
    left."""

    lines: dict[bytes, LineTaken] = field(default_factory=dict)

    def add(self, line: bytes, units: list[Unit]) -> None:
        digest = sha256(line).digest()
        known = self.lines.get(digest)
        self.lines[digest] = LineTaken(
            known.times + 1 if known else 1, Counter(minute_of(unit) for unit in units)
        )

    @property
    def minutes(self) -> Counter[Minute]:
        """Units, by minute."""
        total: Counter[Minute] = Counter()
        for line in self.lines.values():
            for minute, units in line.minutes.items():
                total[minute] += units * line.times
        return total

    @property
    def units(self) -> int:
        return self.minutes.total()


class _UnitPlace(NamedTuple):
    """Of a unit in its line. array: the number of the array that it is an element of, None outside one."""

    unit: Unit
    first: int
    last: int
    array: int | None


class _Span(NamedTuple):
    first: int
    last: int


def minute_of(unit: Unit) -> Minute:
    text = unit.fields.get("clicked_at") if isinstance(unit, Click) else None
    time = parse_time(text) if isinstance(text, str) else None
    return format_time(start_of_count(time)) if time else None


def cut_lines(content: bytes, takes: Takes, taken: Taken, may_take: Callable[[bytes], bool]) -> bytes:
    """The lines without what `takes` says. may_take: False for a line, or all, that surely holds nothing of
    it. Raises InexactError."""
    if not may_take(content):
        return content
    kept: list[bytes] = []
    *lines, end = content.split(b"\n")
    for line in lines:
        left = cut_line(line, takes, taken) if line and may_take(line) else line
        if left is not None:
            kept.append(left + b"\n")
    left = cut_line(end, takes, taken) if end and may_take(end) else end
    return b"".join(kept) + (left or b"")


def cut_line(line: bytes, takes: Takes, taken: Taken) -> bytes | None:
    """The line, which has no end, without these units; None if nothing is left. Raises InexactError."""
    units = read_line(line)
    out = [takes(unit) for unit in units]
    if not any(out):
        return line
    taken.add(line, [unit for unit, goes in zip(units, out, strict=True) if goes])
    if all(out):
        return None
    places, arrays = _places(line, units)
    left = b"".join(line[piece.first : piece.last] for piece in _kept(len(line), places, arrays, out))
    if left.startswith(BYTE_ORDER_MARK) and not line.startswith(BYTE_ORDER_MARK):
        left = b" " + left  # at the beginning of a line it would be skipped; here it was no value
    if _shown(read_line(left)) != _shown(unit for unit, goes in zip(units, out, strict=True) if not goes):
        raise InexactError("a line would read otherwise")
    return left


def cut_record(
    record: bytes, takes: Takes, taken: Taken, may_take: Callable[[bytes], bool], *, user_id: bytes
) -> bytes:
    """A record of a stream likewise; empty if nothing is left. user_id: replaced in the table of keys of an
    aggregated record. Raises InexactError."""
    if user_records(record) is None:
        left = cut_lines(record, takes, taken, may_take)
        return b"\n" + left if left != record and user_records(left) is not None else left
    units_before = taken.units

    def change(data: bytes) -> bytes:
        return cut_lines(data, takes, taken, may_take)

    left = with_user_records(record, change, partition_key=lambda key: b"-" if key == user_id else key)
    if not read(left) and taken.units > units_before:
        return b""
    expected = [unit for unit in read(record) if not takes(unit)]
    if _shown(read(left)) != _shown(expected):
        raise InexactError("an aggregated record would read otherwise")
    return left


def _shown(units: "Iterator[Unit] | list[Unit]") -> list[tuple[bool, bytes]]:
    return [(isinstance(u, Click), u.json if isinstance(u, Click) else u.data) for u in units]


def _places(line: bytes, units: list[Unit]) -> tuple[list[_UnitPlace], list[_Span]]:
    """Where each unit stands, and each array with at least one. Between units there is nothing but space,
    brackets and commas."""
    places: list[_UnitPlace] = []
    arrays: list[_Span] = []
    at = len(BYTE_ORDER_MARK) if line.startswith(BYTE_ORDER_MARK) else 0
    opened: int | None = None
    filled = False

    def pass_over(until: int) -> None:
        nonlocal opened, filled
        for position in range(at, until):
            if line[position] == ord("["):
                opened, filled = position, False
            elif line[position] == ord("]") and opened is not None:
                if filled:
                    arrays.append(_Span(opened, position + 1))
                opened = None

    for unit in units:
        if isinstance(unit, Unread):
            first = last = len(line) - len(unit.data)
            last = len(line)
        else:
            first = line.index(b"{", at)
            last = first + len(unit.json)
        pass_over(first)
        places.append(_UnitPlace(unit, first, last, len(arrays) if opened is not None else None))
        filled = opened is not None
        at = last
    pass_over(len(line))
    return places, arrays


def _kept(length: int, places: list[_UnitPlace], arrays: list[_Span], out: list[bool]) -> Iterator[_Span]:
    """The pieces of the line that stay, in order."""
    gone = sorted(
        [
            _Span(place.first, place.last)
            for place, goes in zip(places, out, strict=True)
            if goes and place.array is None
        ]
        + [
            span
            for number, array in enumerate(arrays)
            for span in _gone_of_array(
                array,
                [(place, goes) for place, goes in zip(places, out, strict=True) if place.array == number],
            )
        ]
    )
    at = 0
    for span in gone:
        yield _Span(at, span.first)
        at = span.last
    yield _Span(at, length)


def _gone_of_array(array: _Span, elements: list[tuple[_UnitPlace, bool]]) -> Iterator[_Span]:
    """What goes of an array: all of it, or each element with the comma before it, the first ones with the
    comma behind."""
    if all(goes for _, goes in elements):
        yield array
        return
    kept_one = False
    for number, (place, goes) in enumerate(elements):
        if not goes:
            kept_one = True
        elif kept_one:
            yield _Span(elements[number - 1][0].last, place.last)
        else:
            yield _Span(place.first, elements[number + 1][0].first)
