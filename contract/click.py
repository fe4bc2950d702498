"""A click: its fields, and which clicks the analytics application reads from a record."""

import json
import re
import sys
import threading
from datetime import timedelta
from typing import Any

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
"""UTF-8 bytes of a field's name that Jackson reads."""
MAX_NUMBER_DIGITS = 1000
"""Digits of a number, with fraction and exponent, that Jackson reads."""

# Forbidden in UTF-8 (overlong, surrogates, beyond U+10FFFF), but Jackson accepts it. Escapes match too, so
# that no backslash seems to escape such a sequence.
_FORBIDDEN_UTF8 = re.compile(
    rb"(?P<escape>\\.)|[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]"
    rb"|\xf0[\x80-\x8f][\x80-\xbf]{2}|\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xf7][\x80-\xbf]{3}",
    re.DOTALL,
)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_SURE_NESTING = 100  # levels that Python reads at any depth of the call stack
_recursion_lock = threading.Lock()
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what the error handler surrogateescape makes of such a byte


def clicks_in(record: bytes) -> list[dict[str, Any]]:
    """The clicks in a record: its first JSON value if that is an object, or the objects in it if an array.

    An empty list means that the record is unparseable: this is the only definition of the word. Tests compare
    it with what real Flink reads.
    """
    try:
        text = _text(record).lstrip(" \t\r\n")
    except UnicodeDecodeError:
        return []
    decoder = _DECODER if len(text) * 4 <= MAX_NAME_BYTES else _NAME_DECODER
    may_be_deep = text.count("{") + text.count("[") > _SURE_NESTING
    try:
        value, end = _decoded_deep(decoder, text) if may_be_deep else decoder.raw_decode(text)
    except (ValueError, RecursionError):
        return []
    if (may_be_deep and _nesting(text[:end]) > MAX_NESTING) or _NOT_UTF8.search(text, 0, end):
        return []
    elements = value if isinstance(value, list) else [value]
    return [element for element in elements if isinstance(element, dict)]


def is_unicode(text: str) -> bool:
    """False if it contains half a surrogate pair, which JSON can write and UTF-8 cannot."""
    return not _HALF_PAIR.search(text)


def in_a_reject(text: str) -> str:
    """A text as a rejected click shows it: U+FFFD in place of half a surrogate pair."""
    return _HALF_PAIR.sub("\ufffd", text)


def is_parseable(record: bytes) -> bool:
    """Whether the application reads a click in `record`; otherwise only the raw backup has it."""
    return bool(clicks_in(record))


def _text(record: bytes) -> str:
    """As Jackson decodes it: it recognises UTF-16 and UTF-32 by their first bytes (RFC 4627, section 3)."""
    if (encoding := json.detect_encoding(record)).startswith("utf-8"):
        utf8 = _FORBIDDEN_UTF8.sub(_as_escapes, record.removeprefix(b"\xef\xbb\xbf"))
        return utf8.decode("utf-8", "surrogateescape")
    if encoding.startswith("utf-16"):
        return record.decode(encoding, "replace")
    return _with_pairs(record.decode(encoding, "surrogatepass"))


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


def _with_pairs(text: str) -> str:
    """Joins the halves of a surrogate pair to one character, as in Java."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


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


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if any(len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES for name, _ in pairs):
        raise ValueError("a name that is too long")
    return dict(pairs)


def _decoder(**hooks: Any) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_constant=_refuse_constant,
        parse_int=_whole_number,
        parse_float=_fraction,
        strict=False,
        **hooks,
    )


_DECODER = _decoder()
_NAME_DECODER = _decoder(object_pairs_hook=_object)  # half as fast; short records have no long names


def _decoded_deep(decoder: json.JSONDecoder, text: str) -> tuple[Any, int]:
    """With room for MAX_NESTING levels, which Python 3.11 counts like calls, in addition to the caller's."""
    with _recursion_lock:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(before + MAX_NESTING)
        try:
            return decoder.raw_decode(text)
        finally:
            sys.setrecursionlimit(before)


def _nesting(text: str) -> int:
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
