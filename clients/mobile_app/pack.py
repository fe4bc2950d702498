"""Packs: records of many clicks, each click a line with its newline (docs/reference/contracts.md).

A stream bills and limits by the record, so a record of one click costs several times its bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MAX_BYTES_PER_RECORD = 1024 * 1024  # data and partition key; a stream may be set to more, these are not
PACK_BYTES = 25_000
"""Of data. A stream rounds up to whole KB, which is little from here on; larger packs make larger retries."""
MAX_PACK_BYTES = 1_000_000  # leaves room for the key


class Entry(Protocol):
    """What is put: at most MAX_BYTES_PER_RECORD together."""

    @property
    def data(self) -> bytes: ...
    @property
    def partition_key(self) -> str: ...


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True, slots=True)
class Pack(Generic[EntryT]):
    """One record; at least one entry."""

    entries: list[EntryT]

    @property
    def data(self) -> bytes:
        return b"".join(entry.data for entry in self.entries)

    @property
    def partition_key(self) -> str:
        """Of the first entry: one device is nearly always one reader, and any key is allowed."""
        return self.entries[0].partition_key


def size_of(entry: Entry) -> int:
    """Bytes that count towards the limits."""
    return len(entry.data) + len(entry.partition_key.encode())


def packed(entries: Iterable[EntryT], pack_bytes: int = PACK_BYTES) -> list[Pack[EntryT]]:
    """The entries in their order, in packs of at most `pack_bytes` of data; 0: each alone.

    A larger entry is alone, and so is one without a newline at its end, which is no line.
    """
    packs: list[Pack[EntryT]] = []
    room = 0
    for entry in entries:
        size = len(entry.data)
        is_line = entry.data.endswith(b"\n")
        if is_line and size <= room:
            packs[-1].entries.append(entry)
            room -= size
        else:
            packs.append(Pack([entry]))
            room = pack_bytes - size if is_line else 0
    return packs
