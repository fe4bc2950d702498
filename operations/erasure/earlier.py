"""What earlier erasures took out: Firehose may deliver some of it again, and nothing marks that."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from contract.tally import tallies
from operations.erasure.storage import ReadObject

Taken = tuple[str, str | None]
"""Prefix and minute."""


class EarlierTallies:
    """They hold no id. So clicks of a minute, in an object written after clicks of it were erased, may be the
    same ones, up to their number. names: of the objects that hold the tallies."""

    def __init__(self, written: Iterable[ReadObject]) -> None:
        self.names: list[str] = []
        self._left: Counter[Taken] = Counter()
        self._first: dict[Taken, datetime] = {}
        self._rewritten: set[tuple[str, str]] = set()
        for stored in written:
            self.names.append(stored.key.rpartition("/")[2])
            for tally in tallies(stored.body):
                prefix = tally.object.partition("/")[0] + "/"
                self._left[prefix, tally.minute] += tally.received + tally.rejected - tally.repeated
                first = self._first.get((prefix, tally.minute), stored.written_at)
                self._first[prefix, tally.minute] = min(first, stored.written_at)
                self._rewritten.add((tally.object, tally.becomes))

    def may_repeat(self, key: str, etag: str) -> bool:
        """Whether the object may have been delivered after an erasure, and not only rewritten by one."""
        return bool(self._first) and (key, etag) not in self._rewritten

    def taken_before(self, prefix: str, minute: str | None, units: int, *, before: datetime) -> int:
        """How many of these may have been taken out before then; they are not told so again."""
        first = self._first.get((prefix, minute))
        if first is None or first >= before:
            return 0
        found = max(0, min(units, self._left[prefix, minute]))
        self._left[prefix, minute] -= found
        return found
