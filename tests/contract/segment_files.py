"""Files of the segments, and what becomes of them."""

import gzip
from collections.abc import Iterable, Iterator
from functools import partial

import pytest

from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER
from contract.segments import RefusedSegments, SegmentsRules, Summary, validate

HEADER = ",".join(SEGMENT_FILE_HEADER)
VALUES = ",".join("v" for _ in SEGMENT_COLUMNS)
FILE = f"{HEADER}\nu1,{VALUES}\nu2,{VALUES}\n"
FIRST = SEGMENT_COLUMNS[0]
MIB = 1 << 20
pack = partial(gzip.compress, mtime=0)
RULES = SegmentsRules(
    max_plain_bytes=8 * MIB, max_users=100_000, max_shrink_percent=20, previous=None, allow=frozenset()
)


def accepted(content: str | bytes, rules: SegmentsRules = RULES, *, gzipped: bool = False) -> Summary:
    return validate([_bytes(content)], rules, gzipped=gzipped)


def refused(
    content: str | bytes | Iterable[bytes], rules: SegmentsRules = RULES, *, gzipped: bool = False
) -> RefusedSegments:
    chunks = [_bytes(content)] if isinstance(content, str | bytes) else content
    with pytest.raises(RefusedSegments) as refusal:
        validate(chunks, rules, gzipped=gzipped)
    return refusal.value


def reason(
    content: str | bytes | Iterable[bytes], rules: SegmentsRules = RULES, *, gzipped: bool = False
) -> str:
    """The only reason."""
    refusal = refused(content, rules, gzipped=gzipped)
    assert refusal.number == len(refusal.reasons) == 1, refusal.reasons
    return str(refusal.reasons[0])


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def row(user: str, *values: str) -> str:
    """values: of the first columns; the others are v."""
    return ",".join([user, *values, *("v" for _ in SEGMENT_COLUMNS[len(values) :])]) + "\n"


def rows(users: int) -> Iterator[str]:
    return (row(f"user-{number:07}") for number in range(users))
