"""Takes a reader's clicks out of every object that may hold them, once each, whatever stops it on the way.

1. Read each object; note which hold something of the reader, and what would be left of them.
2. Write the tallies of what goes, for reconciliation (contract/tally.py).
3. Rewrite each object, if it still is what was read.
4. Begin again with what has been written meanwhile, until nothing has.

A run that was stopped is given again: an object is either as it was, and its tally is not in effect, or
rewritten, and it is.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from contract.tally import ErasedTally
from names import (
    ERASED_PREFIX,
    FAILED_BATCHES_PREFIX,
    RAW_ERRORS_PREFIX,
    RAW_PREFIX,
    REJECTED_ERRORS_PREFIX,
    REJECTED_PREFIX,
    REJECTED_RECORDS_PREFIX,
    remaining_days_values,
)
from operations.erasure.cutting import InexactError, Taken, cut_lines
from operations.erasure.earlier import EarlierTallies
from operations.erasure.envelopes import UnreadableEnvelopeError, cut_batch, cut_documents, cut_letters
from operations.erasure.reader import ErasedReader
from operations.erasure.storage import (
    Objects,
    ReadObject,
    UnreadableArchiveError,
    etag_of,
    remaining_days,
)

ROUNDS = 10
"""Passes over all objects at most: deliveries write new ones as long as clicks arrive."""
AT_ONCE = 8
"""Objects read at the same time."""
_DAY = re.compile(r"(\d{4})[/-](\d\d)[/-](\d\d)")

Cut = Callable[[bytes, ErasedReader, Taken], bytes]


def _cut_raw(content: bytes, reader: ErasedReader, taken: Taken) -> bytes:
    return cut_lines(content, reader.has_clicked, taken, reader.may_be_in)


def _cut_rejects(content: bytes, reader: ErasedReader, taken: Taken) -> bytes:
    return cut_lines(content, reader.is_rejected, taken, reader.may_be_in)


def _cut_raw_errors(content: bytes, reader: ErasedReader, taken: Taken) -> bytes:
    return cut_documents(content, reader, taken, reader.has_clicked)


def _cut_rejected_errors(content: bytes, reader: ErasedReader, taken: Taken) -> bytes:
    return cut_documents(content, reader, taken, reader.is_rejected)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Objects of one form. cut: takes a reader out of a content."""

    objects: Objects
    prefix: str
    cut: Cut


def places(*, raw: Objects, rejected: Objects, dead_letters: Objects) -> list[Place]:
    """Where clicks of readers are kept."""
    return [
        Place(objects=raw, prefix=RAW_PREFIX, cut=_cut_raw),
        Place(objects=raw, prefix=RAW_ERRORS_PREFIX, cut=_cut_raw_errors),
        Place(objects=rejected, prefix=REJECTED_PREFIX, cut=_cut_rejects),
        Place(objects=rejected, prefix=REJECTED_ERRORS_PREFIX, cut=_cut_rejected_errors),
        Place(objects=dead_letters, prefix=REJECTED_RECORDS_PREFIX, cut=cut_letters),
        Place(objects=dead_letters, prefix=FAILED_BATCHES_PREFIX, cut=cut_batch),
    ]


class _Plan(NamedTuple):
    """What would become of an object. becomes: its ETag then."""

    place: Place
    key: str
    etag: str
    written_at: datetime
    becomes: str
    taken: Taken


@dataclass
class ErasureReport:
    """objects, bytes: read; rewritten: objects, by prefix; taken: clicks, rests and rejects, by prefix;
    unreadable: objects that were left as they are, each with the reason; unfinished: whether the last pass
    still found something new."""

    objects: int = 0
    bytes: int = 0
    rewritten: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)
    unfinished: bool = False


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """run: a name of its own; tallies: where they go; retention_days: the life of objects; today: UTC.
    tell: is told what goes on, in sentences."""

    places: list[Place]
    tallies: Objects
    reader: ErasedReader
    run: str
    retention_days: int
    today: date
    tell: Callable[[str], None] = lambda _: None

    def look(self) -> ErasureReport:
        """What would go; nothing is changed."""
        report = ErasureReport()
        for plan in self._plans(set(), report):
            report.rewritten[plan.place.prefix] += 1
            report.taken[plan.place.prefix] += plan.taken.units
        return report

    def erase(self) -> ErasureReport:
        """Raises botocore's errors; then it is given again."""
        report = ErasureReport()
        done: set[tuple[str, str, str]] = set()
        least: Counter[tuple[str, bytes]] = Counter()
        listed = (each.key for each in self.tallies.list(ERASED_PREFIX))
        earlier = EarlierTallies(_read(self.tallies, listed))
        written = set(earlier.names)
        for _ in range(ROUNDS):
            before = report.objects
            plans = list(self._plans(done, report))
            for key, lines in self._tallies(plans, least, earlier):
                if key not in written:
                    self.tallies.put(f"{ERASED_PREFIX}{self.run}/{key}", lines)
                    written.add(key)
            for plan in plans:
                if self._rewrite(plan):
                    report.rewritten[plan.place.prefix] += 1
                    report.taken[plan.place.prefix] += plan.taken.units
                    done.add((plan.place.objects.bucket, plan.key, plan.becomes))
            if report.objects == before:
                return report
        report.unfinished = True
        return report

    def _plans(self, done: set[tuple[str, str, str]], report: ErasureReport) -> Iterator[_Plan]:
        """Of the objects that are not `done`, which is added to: by bucket, key and ETag."""
        for place in self.places:
            new = (
                listed
                for listed in place.objects.list(place.prefix)
                if (place.objects.bucket, listed.key, listed.etag) not in done
            )
            read = 0
            for stored in _read(place.objects, (listed.key for listed in new)):
                report.objects += 1
                report.bytes += len(stored.body)
                read += 1
                done.add((place.objects.bucket, stored.key, stored.etag))
                try:
                    plan = self._plan(place, stored)
                except (UnreadableArchiveError, UnreadableEnvelopeError, InexactError) as error:
                    report.unreadable[f"s3://{place.objects.bucket}/{stored.key}"] = str(error)
                    continue
                if plan:
                    yield plan
            if read:
                self.tell(f"read {read:,} objects of {place.prefix} in {place.objects.bucket}")

    def _plan(self, place: Place, stored: ReadObject) -> _Plan | None:
        taken = Taken()
        content = stored.content()
        left = place.cut(content, self.reader, taken)
        if left == content:
            return None
        becomes = etag_of(stored.packed(left))
        return _Plan(place, stored.key, stored.etag, stored.written_at, becomes, taken)

    def _rewrite(self, plan: _Plan) -> bool:
        """False if the object is no longer what was read: the next pass reads it."""
        objects = plan.place.objects
        stored = objects.get(plan.key)
        if stored is None or stored.etag != plan.etag:
            return stored is not None and stored.etag == plan.becomes
        body = stored.packed(plan.place.cut(stored.content(), self.reader, Taken()))
        days = remaining_days(
            _day_in(plan.key), self.today, self.retention_days, remaining_days_values(self.retention_days)
        )
        if objects.replace(stored, body, remaining_days=days):
            return True
        now = objects.get(plan.key)  # the answer to an attempt that succeeded may have been lost
        return now is not None and now.etag == plan.becomes

    def _tallies(
        self, plans: Iterable[_Plan], least: Counter[tuple[str, bytes]], earlier: EarlierTallies
    ) -> Iterator[tuple[str, bytes]]:
        """(name, lines) of the tallies of each object that reconciliation reads. least: how often each line
        stands in the object that has it most, by prefix and line; it is added to."""
        for plan in plans:
            if plan.place.prefix not in (RAW_PREFIX, REJECTED_PREFIX):
                continue
            repeated: Counter[str | None] = Counter()
            for digest, line in plan.taken.lines.items():
                known = least[plan.place.prefix, digest]
                least[plan.place.prefix, digest] = max(known, line.times)
                for minute, units in line.minutes.items():
                    repeated[minute] += units * min(known, line.times)
            if earlier.may_repeat(plan.key, plan.etag):
                for minute, units in plan.taken.minutes.items():
                    repeated[minute] += earlier.taken_before(
                        plan.place.prefix, minute, units - repeated[minute], before=plan.written_at
                    )
            is_raw = plan.place.prefix == RAW_PREFIX
            lines = [
                ErasedTally(
                    object=plan.key,
                    etag=plan.etag,
                    becomes=plan.becomes,
                    minute=minute,
                    received=units if is_raw else 0,
                    rejected=0 if is_raw else units,
                    repeated=repeated[minute],
                ).line()
                for minute, units in sorted(plan.taken.minutes.items(), key=lambda each: each[0] or "")
            ]
            name = f"{sha256(plan.key.encode()).hexdigest()[:32]}-{plan.etag}-{plan.becomes}.json"
            yield name, b"".join(lines)


def _read(objects: Objects, keys: Iterator[str]) -> Iterator[ReadObject]:
    """In their order, several at once; what is gone by then is left out."""
    with ThreadPoolExecutor(AT_ONCE) as executor:
        while some := list(islice(keys, 2 * AT_ONCE)):
            yield from (stored for stored in executor.map(objects.get, some) if stored)


def _day_in(key: str) -> date | None:
    """The UTC day in an object's key: that of its delivery."""
    for found in _DAY.finditer(key):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            continue
    return None
