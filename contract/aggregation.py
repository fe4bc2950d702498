"""Records that the Kinesis Producer Library has aggregated: many user records in one.

The format: magic bytes, a protobuf message, the MD5 digest of the message
(https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md).
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_BYTES = 16
_MAX_VARINT_BYTES = 10

# Fields of the message AggregatedRecord, and of its message Record
_PARTITION_KEYS = 1
_RECORDS = 3
_PARTITION_KEY_INDEX = 1
_DATA = 3

# https://protobuf.dev/programming-guides/encoding/#structure
_VARINT, _FIXED_64, _LENGTH_DELIMITED, _FIXED_32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED_64: 8, _FIXED_32: 4}

_Field = tuple[int, int, bytes]
"""Number, wire type and, if length-delimited, content."""


class _FieldPlace(NamedTuple):
    """Of a field in its message. first: where its tag begins; content: where its content does; last: behind
    it."""

    number: int
    kind: int
    first: int
    content: int
    last: int


def user_records(record: bytes) -> list[bytes] | None:
    """The user records in an aggregated record, in order; None if `record` is not one.

    A wrong digest or message makes an ordinary record of it. The tables of keys are not looked at.
    """
    if not record.startswith(MAGIC) or len(record) < len(MAGIC) + _DIGEST_BYTES:
        return None
    message, digest = record[len(MAGIC) : -_DIGEST_BYTES], record[-_DIGEST_BYTES:]
    if hashlib.md5(message, usedforsecurity=False).digest() != digest:
        return None
    try:
        return [
            _data(content)
            for number, kind, content in _fields(message)
            if number == _RECORDS and kind == _LENGTH_DELIMITED
        ]
    except ValueError:
        return None


def with_user_records(
    record: bytes, change: Callable[[bytes], bytes], *, partition_key: Callable[[bytes], bytes]
) -> bytes:
    """An aggregated record with each user record's data, and each key of its table, changed, and all else as
    it is. A user record whose data becomes empty is left out. Raises ValueError if `record` is no aggregate.
    """
    if user_records(record) is None:
        raise ValueError("no aggregated record")
    message = record[len(MAGIC) : -_DIGEST_BYTES]
    written = bytearray()
    for place in _places(message):
        content = message[place.content : place.last]
        if place.kind == _LENGTH_DELIMITED and place.number == _RECORDS:
            changed = _with_data(content, change)
        elif place.kind == _LENGTH_DELIMITED and place.number == _PARTITION_KEYS:
            changed = partition_key(content)
        else:
            changed = content
        written += _rewritten(message, place, changed)
    return MAGIC + bytes(written) + hashlib.md5(written, usedforsecurity=False).digest()


def _with_data(message: bytes, change: Callable[[bytes], bytes]) -> bytes | None:
    """None if nothing is left of the data, and something was there. Of repeated ones the last is the data."""
    written = bytearray()
    before = after = b""
    for place in _places(message):
        content = message[place.content : place.last]
        if place.kind == _LENGTH_DELIMITED and place.number == _DATA:
            before, after = content, change(content)
            content = after
        written += _rewritten(message, place, content)
    return None if before and not after else bytes(written)


def _rewritten(message: bytes, place: _FieldPlace, content: bytes | None) -> bytes:
    """The field with this content; nothing for None."""
    if content is None:
        return b""
    if content == message[place.content : place.last]:
        return message[place.first : place.last]
    return _written(place.number << 3 | place.kind) + _written(len(content)) + content


def _written(value: int) -> bytes:
    """As a varint."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


def _data(message: bytes) -> bytes:
    """Of a Record. Raises ValueError if it lacks a required field."""
    has_key = False
    data = None
    for number, kind, content in _fields(message):
        if number == _DATA and kind == _LENGTH_DELIMITED:
            data = content
        has_key |= number == _PARTITION_KEY_INDEX and kind == _VARINT
    if data is None or not has_key:
        raise ValueError("a required field is missing")
    return data


def _fields(message: bytes) -> Iterator[_Field]:
    """Raises ValueError if `message` is no protobuf, or has groups."""
    for number, kind, _, content, last in _places(message):
        yield number, kind, message[content:last] if kind == _LENGTH_DELIMITED else b""


def _places(message: bytes) -> Iterator[_FieldPlace]:
    """Raises ValueError as _fields does."""
    at = 0
    while at < len(message):
        first = at
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        end = at
        if kind == _VARINT:
            _, end = _varint(message, at)
        elif kind == _LENGTH_DELIMITED:
            size, at = _varint(message, at)
            end = at + size
        elif kind in _FIXED_BYTES:
            end = at + _FIXED_BYTES[kind]
        else:
            raise ValueError(f"wire type {kind}")
        if number == 0 or end > len(message):
            raise ValueError(f"field {number} ends at {end} of {len(message)}")
        yield _FieldPlace(number, kind, first, at, end)
        at = end


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Its value and the position after it. Raises ValueError if it has no end."""
    if at < len(message) and message[at] < 0x80:
        return message[at], at + 1  # most are short
    value = 0
    for position in range(at, min(at + _MAX_VARINT_BYTES, len(message))):
        byte = message[position]
        value |= (byte & 0x7F) << 7 * (position - at)
        if byte < 0x80:
            return value, position + 1
    raise ValueError("a varint without an end")
