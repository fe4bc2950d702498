"""Records as the Kinesis Producer Library aggregates them: contract/aggregation.py reads them."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from contract.aggregation import MAGIC


def aggregated(user_records: Iterable[bytes], *, key: str = "a") -> bytes:
    """One record with these, each under the same partition key."""
    return sealed(field(1, key.encode()) + b"".join(map(user_record, user_records)))


@lru_cache(maxsize=8)  # thousands of one record are many tests' input
def user_record(data: bytes) -> bytes:
    return field(3, b"\x08\x00" + field(3, data))


def sealed(message: bytes) -> bytes:
    """A message between the magic bytes and its digest."""
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protobuf message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))
