"""Join clicks to larger records: streams bill and limit records by their number, whatever their size."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lambdas.shared.destinations import Destination, Outgoing

FULL = 0.9
"""From this share of its size on, a pack ends before a record that does not fit: a retry from that record
then sends no part of it twice. Below it the record is split, because half-empty packs cost more."""


class OutgoingLine(NamedTuple):
    """A click with its newline; `position`: of its record in the batch."""

    position: int
    data: bytes


def pack(lines: Iterable[OutgoingLine], destination: Destination, record_bytes: int) -> Iterator[Outgoing]:
    """The lines in order, in records of up to `record_bytes` with their key; a longer line goes alone."""
    room = min(record_bytes, destination.limits.record_bytes) - destination.key_bytes
    packed: list[bytes] = []
    size = whole = whole_size = 0  # whole: lines before those of the record being packed
    first = last = -1
    for position, data in lines:
        if position != last:
            whole, whole_size, last = len(packed), size, position
        while packed and size + len(data) > room:
            end = whole if whole_size >= FULL * room else len(packed)
            yield Outgoing(first, end, b"".join(packed[:end]))
            packed, first, whole, whole_size = packed[end:], position, 0, 0
            size = sum(map(len, packed))
        if not packed:
            first = position
        packed.append(data)
        size += len(data)
    if packed:
        yield Outgoing(first, len(packed), b"".join(packed))
