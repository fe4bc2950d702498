"""Records of many clicks for the benchmark of the decoder, in files that its format reads whole.

Flink's file source breaks its input at newlines, so records with newlines and aggregated ones stand in files
of their own, each after its length (bench/framed/).
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from contract.aggregation import MAGIC

RECORD_BYTES = 1 << 20
"""Of the largest record that Kinesis takes by default."""
EMPTY_USER_RECORDS = 100_000
_LENGTH = struct.Struct(">i")

Form = Callable[[Sequence[bytes]], bytes]
"""Makes a record of the clicks, each a line without its newline."""


def lines(clicks: Sequence[bytes]) -> bytes:
    return b"".join(click + b"\n" for click in clicks)


def glued(clicks: Sequence[bytes]) -> bytes:
    return b"".join(clicks) + b"\n"


def aggregated(clicks: Iterable[bytes]) -> bytes:
    """As the Kinesis Producer Library writes it: contract/aggregation.py."""
    message = b"\x0a\x01a" + b"".join(map(_user_record, clicks))
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


def _user_record(data: bytes) -> bytes:
    field = b"\x08\x00\x1a" + _varint(len(data)) + data
    return b"\x1a" + _varint(len(field)) + field


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


def worst_records() -> dict[str, bytes]:
    """What it is -> a record that makes as much work as its bytes can, beside one of ordinary clicks."""
    click = (
        b'{"click_id":"%032x","clicked_at":"2026-01-31T00:00:00.000Z","user_id":"user-00000001",'
        b'"article_id":"article-0000001","platform":"ios","position":1}\n'
    )
    clicks = b"".join(click % number for number in range(RECORD_BYTES // len(click % 0)))
    return {
        "clicks": clicks,
        "`{}`": b"{}" * (RECORD_BYTES // 2),
        "`[{},{}...]`": b"[" + b",".join([b"{}"] * (RECORD_BYTES // 3 - 1)) + b"]",
        "the same with a number at its end": b"[" + b"{}," * (RECORD_BYTES // 3 - 1) + b"1]",
        "`x` and a newline": b"x\n" * (RECORD_BYTES // 2),
        "newlines": b"\n" * RECORD_BYTES,
        "`[`": b"[" * RECORD_BYTES,
        "aggregated, empty user records": aggregated([b""] * EMPTY_USER_RECORDS),
        "aggregated, `{}` in each user record": aggregated([b"{}"] * (RECORD_BYTES // 8 - 4)),
    }


def write_framed(file: Path, records: Iterable[bytes]) -> None:
    with file.open("wb") as written:
        for record in records:
            written.write(_LENGTH.pack(len(record)))
            written.write(record)


def packed(lines_of_clicks: Iterable[bytes], clicks_a_record: int, form: Form) -> Iterator[bytes]:
    left = iter(lines_of_clicks)
    while clicks := [line.rstrip(b"\n") for line in islice(left, clicks_a_record)]:
        yield form(clicks)
