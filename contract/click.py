"""A click: its fields, and which clicks are in a record.

A record is lines of UTF-8, or many such records aggregated by the Kinesis Producer Library. A line holds
JSON values, one after another: objects, each a click, and arrays of objects. docs/reference/contracts.md says
it in words, connectors/ in Java; a test compares both languages.
"""

import json
import re
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from contract.aggregation import user_records

# A field whose value is an object or array counts as missing; a string that looks like one is a string.
REQUIRED_FIELDS = ("click_id", "clicked_at", "user_id", "article_id")
OPTIONAL_FIELDS = ("platform", "position")
ID_FIELDS = ("click_id", "user_id", "article_id")
MAX_ID_BYTES = 512
"""UTF-8 bytes of each of ID_FIELDS."""
MAX_CLOCK_AHEAD_SECONDS = 60
"""A click whose `clicked_at` is more than this ahead of the time of reading is rejected as `clock_ahead`."""
ARRIVAL = timedelta(seconds=30)
"""The application reads a punctual click within this time: an app sends within 5 s, the forwarder gathers for
2 s, the rest is margin. settings/latency.py refuses settings that need longer."""

MAX_NESTING = 1000
"""Levels of objects and arrays that Jackson, the parser of Flink's json format, reads by default."""
MAX_NAME_BYTES = 50_000
"""Bytes of a field's name that Jackson reads: as they are written, an escape as three at most."""
MAX_NUMBER_DIGITS = 1000
"""Digits of a number, with fraction and exponent, that Jackson reads."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Forbidden in UTF-8 (overlong, surrogates, beyond U+10FFFF), but Jackson accepts it. Escapes match too, so
# that no backslash seems to escape such a sequence.
_FORBIDDEN_UTF8 = re.compile(
    rb"(?P<escape>\\.)|[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]"
    rb"|\xf0[\x80-\x8f][\x80-\xbf]{2}|\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xf7][\x80-\xbf]{3}",
    re.DOTALL,
)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what the error handler surrogateescape makes of such a byte
_SPACE = re.compile("[ \t\r]*")
_BEFORE_AN_ELEMENT = re.compile(r"[\[, \t\r]*")
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"[ \t\r]*(:?)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|.)", re.DOTALL)
_recursion_lock = threading.Lock()


class Click(NamedTuple):
    """fields: its JSON object; json: the object as it is written."""

    fields: dict[str, Any]
    json: bytes


class Unread(NamedTuple):
    """The rest of a line, from where a value begins that is unparseable. How many clicks its producer wrote
    into it is unknowable: it counts as one."""

    data: bytes


def read(record: bytes) -> list[Click | Unread]:
    """What is in a record, in order. Every record, line, count and reconciliation goes by these units."""
    return list(units(record))


def units(record: bytes) -> Iterator[Click | Unread]:
    """The same, one at a time, for a reader that stops after so many."""
    records = user_records(record)
    for each in [record] if records is None else records:
        for line in filter(None, each.split(b"\n")):
            if click := _only_click(line):
                yield click
            else:
                yield from _units_in_line(line)


def clicks_in(record: bytes) -> list[dict[str, Any]]:
    """The fields of each click in a record."""
    return [unit.fields for unit in read(record) if isinstance(unit, Click)]


def unparseable_in(record: bytes) -> int:
    """The number of lines in a record whose rest is unread."""
    return sum(isinstance(unit, Unread) for unit in read(record))


def read_line(line: bytes) -> list[Click | Unread]:
    """What is in a line without its newline; nothing if it is blank."""
    click = _only_click(line)
    return [click] if click else list(_units_in_line(line))


def _only_click(line: bytes) -> Click | None:
    """The click of a line that is one plain object; None for a line that needs a closer look."""
    if not line.startswith(b"{") or (len(line) > MAX_NUMBER_DIGITS and not _is_plain(line)):
        return None
    try:
        text = line.decode()
        fields, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return Click(fields, line) if end == len(text) else None


def _is_plain(line: bytes) -> bool:
    """Whether nothing in it can exceed a limit of Jackson: names are short, and so is all beside strings."""
    if len(line) > MAX_NAME_BYTES or b"\\" in line:
        return False
    return sum(map(len, line.split(b'"')[::2])) <= MAX_NUMBER_DIGITS


def _units_in_line(line: bytes) -> Iterator[Click | Unread]:
    line = line.removeprefix(BYTE_ORDER_MARK)
    try:
        text = line.decode()
        is_utf8 = True
    except UnicodeDecodeError:
        text = line.decode("latin-1")  # JSON's structure is ASCII: values end where their bytes do
        is_utf8 = False
    at = 0
    while (at := _SPACE.match(text, at).end()) < len(text):  # type: ignore[union-attr]  # matches anything
        try:
            if is_utf8:
                value, end = _value(text, at)
            else:
                end = _decoded(_DECODER, text, at)[1]
                value = _lax_value(line[at:end])
            if end - at > MAX_NAME_BYTES // 4:  # of UTF-8 in a character
                _check_names(text[at:end].encode() if is_utf8 else line[at:end])
            objects = _objects(value)
        except (ValueError, RecursionError):
            yield Unread(text[at:].encode() if is_utf8 else line[at:])
            return
        for fields, first, last in _places(objects, text, at, end):
            yield Click(fields, text[first:last].encode() if is_utf8 else line[first:last])
        at = end


def _objects(value: Any) -> list[dict[str, Any]]:
    """Raises ValueError if the value is neither an object nor an array of objects."""
    elements = [value] if isinstance(value, dict) else value
    if not all(isinstance(element, dict) for element in elements):
        raise ValueError("an array with something else than objects")
    return elements


def _places(
    objects: list[dict[str, Any]], text: str, at: int, end: int
) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Each object of the value from `at` to `end`, with where it begins and ends."""
    if text[at] == "{":
        yield objects[0], at, end
        return
    for fields in objects:
        first = _BEFORE_AN_ELEMENT.match(text, at).end()  # type: ignore[union-attr]  # matches anything
        at = _decoded(_DECODER, text, first)[1]
        yield fields, first, at


def is_unicode(text: str) -> bool:
    """False if it contains half a surrogate pair, which JSON can write and UTF-8 cannot."""
    return not _HALF_PAIR.search(text)


def in_a_reject(text: str) -> str:
    """A text as a rejected click shows it: U+FFFD in place of half a surrogate pair."""
    return _HALF_PAIR.sub("\ufffd", text)


def _lax_value(written: bytes) -> Any:
    """The value in bytes that are not UTF-8, as Jackson reads it. Raises ValueError if it does not."""
    text = _FORBIDDEN_UTF8.sub(_as_escapes, written).decode("utf-8", "surrogateescape")
    if _NOT_UTF8.search(text):
        raise ValueError("not UTF-8")
    return _value(text, 0)[0]


def _as_escapes(forbidden: re.Match[bytes]) -> bytes:
    """What Jackson makes of the bytes, as JSON escapes: one or two UTF-16 units, by its arithmetic."""
    found = forbidden[0]
    if forbidden["escape"]:
        return found
    number = found[0] & (0x7F >> len(found))
    for byte in found[1:]:
        number = number << 6 | byte & 0x3F
    units = [number] if len(found) < 4 else [0xD800 | number - 0x10000 >> 10, 0xDC00 | number & 0x3FF]
    return b"".join(b"\\u%04x" % (unit & 0xFFFF) for unit in units)


def _value(text: str, at: int) -> tuple[Any, int]:
    """The object or array that begins at this position, and the position after it.

    Raises ValueError or RecursionError for anything else, and for what exceeds a limit of Jackson.
    """
    value, end = _decoded(_DECODER, text, at)
    if end - at > MAX_NUMBER_DIGITS:  # the lowest of the limits: a shorter value cannot exceed any
        if _nesting(text[at:end]) > MAX_NESTING:
            raise ValueError("nested too deeply")
        _decoded(_LIMITED_DECODER, text, at)
    return value, end


def _decoded(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int]:
    """As _value does, without the limits."""
    if text[at] not in "{[":
        raise ValueError("neither an object nor an array")
    try:
        return decoder.raw_decode(text, at)
    except RecursionError:
        return _decoded_deep(decoder, text, at)


def _decoded_deep(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int]:
    """With room for MAX_NESTING levels, which Python 3.11 counts like calls, in addition to the caller's."""
    with _recursion_lock:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(before + MAX_NESTING)
        try:
            return decoder.raw_decode(text, at)
        finally:
            sys.setrecursionlimit(before)


def _nesting(text: str) -> int:
    if text.count("{") + text.count("[") <= MAX_NESTING:
        return 0  # not deeper than there are brackets
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity: Python accepts them, JSON does not


def _whole_number(text: str) -> int:
    return int(_checked_number(text))


def _fraction(text: str) -> float:
    return float(_checked_number(text))


def _checked_number(text: str) -> str:
    if len(text) > MAX_NUMBER_DIGITS and sum(map(str.isdigit, text)) > MAX_NUMBER_DIGITS:
        raise ValueError("a number with too many digits")
    return text


def _check_names(written: bytes) -> None:
    """Raises ValueError if a name in this value is longer than Jackson reads."""
    for string in _STRING.finditer(written):
        name, colon = string.groups()
        if colon and len(name) > MAX_NAME_BYTES and len(_ESCAPE.sub(_as_counted, name)) > MAX_NAME_BYTES:
            raise ValueError("a name that is too long")


def _as_counted(escape: re.Match[bytes]) -> bytes:
    """As many bytes as Jackson counts. It encodes each half of a surrogate pair by itself."""
    number = int(escape[1] or b"0", 16)
    return b"x" * (1 if number < 0x80 else 2 if number < 0x800 else 3)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, strict=False)
_LIMITED_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant,
    parse_int=_whole_number,
    parse_float=_fraction,
    strict=False,
)
