"""Reconciles the clicks of some hours: everything it needs is read from S3 and asked of OpenSearch.

1. Read the rejects.  2. Read the raw backup of these hours; of the hours in which their clicks may arrive
late, only the lines that may hold one.  3. Add the tallies of erased readers.  4. Ask what was counted.
5. Look for what is missing in the counts that are set aside.

docs/operate/reconciliation.md says what the numbers mean. Nothing is written but temporary files.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from contract.count import COUNT_KEY, WINDOW
from contract.tally import in_effect
from lambdas.reconciliation.cells import NO_TIME, OUTSIDE, Cell, Cells, start_of
from lambdas.reconciliation.counts import CountedClicks
from lambdas.reconciliation.erased import (
    WrittenTallies,
    cell_of_tally,
    erased_clicks,
    half_erased,
)
from lambdas.reconciliation.final import COUNTS_WAIT, ERASED_AGAIN, HALF_ERASED, Reading
from lambdas.reconciliation.objects import (
    HOUR,
    DeliveredObject,
    UnreadableContentError,
    contents,
    hours_between,
    lines,
    objects_below,
    objects_of,
    texts_of,
)
from lambdas.reconciliation.outcomes import WindowOutcome, compare
from lambdas.reconciliation.result import ReconciledHours, Repetition
from lambdas.reconciliation.set_aside import counts_set_aside, left_in_tokyo
from lambdas.reconciliation.tally import MAX_OBJECTS_NAMED, CellTally, Tally
from names import (
    RAW_ERRORS_PREFIX,
    RAW_PREFIX,
    REJECTED_ERRORS_PREFIX,
    REJECTED_PREFIX,
)

EARLY = HOUR
"""A click may arrive so long before its `clicked_at` and be counted: its clock was ahead, and the application
behind."""
REJECTED_LATE = timedelta(hours=24)
"""Rejects are read so long after the last raw click: a stream keeps clicks for a day."""
DELIVERY_MARGIN = timedelta(hours=1)
"""Beyond the buffering interval, by when Firehose has written or its alarms have entered ALARM."""
MAX_SPAN = timedelta(days=1)

_HOUR_IN_KEY = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """oregon, tokyo: clients of S3 there; the others are names. sink: the name of a contract.sink.Sink;
    index: the one that its delivery stream names."""

    oregon: Any
    tokyo: Any
    raw: str
    rejected: str
    dead_letters: str
    sink: str
    index: str


@dataclass(frozen=True, kw_only=True)
class Delays:
    """How long a minute may change. lateness: the allowed one; deliveries: until raw clicks and rejects are
    in S3."""

    lateness: timedelta
    deliveries: timedelta

    @classmethod
    def of(cls, *, allowed_lateness_hours: int, archive_buffer_seconds: int) -> "Delays":
        return cls(
            lateness=timedelta(hours=allowed_lateness_hours),
            deliveries=timedelta(seconds=archive_buffer_seconds) + DELIVERY_MARGIN,
        )

    @property
    def until_final(self) -> timedelta:
        """From the end of a minute."""
        return self.lateness + self.deliveries


@dataclass(frozen=True, kw_only=True)
class ReconciledTime:
    """since, until: starts of windows, at most MAX_SPAN apart. reading: the application's, at `now`.
    arrived_until: read what arrived by then, in place of what arrived while it could be counted. Raises
    ValueError."""

    since: datetime
    until: datetime
    delays: Delays
    now: datetime
    reading: Reading
    arrived_until: datetime | None = None

    def __post_init__(self) -> None:
        if not timedelta(0) < self.until - self.since <= MAX_SPAN:
            raise ValueError(f"{self.since} to {self.until} is empty, or longer than {MAX_SPAN}")

    @property
    def hours(self) -> list[datetime]:
        return hours_between(self.since, self.until)

    def pending(self, end: datetime) -> str | None:
        """Why what could arrive until then is not final; None if it is."""
        return self.reading.pending(end + self.delays.deliveries, self.now)

    @property
    def pending_by_time(self) -> str | None:
        """The same of its last minute, whatever is set aside."""
        return self.pending(self.until + self.delays.lateness)

    @property
    def raw_hours(self) -> list[datetime]:
        return hours_between(self.since - EARLY, min(self._arrived_until, self.now))

    @property
    def reject_hours(self) -> list[datetime]:
        """From an hour earlier: an object has the hour of its first record."""
        return hours_between(self.since - EARLY - HOUR, min(self._arrived_until + REJECTED_LATE, self.now))

    @property
    def _arrived_until(self) -> datetime:
        return self.arrived_until or self.until + self.delays.until_final


def reconcile_hours(
    buckets: Buckets,
    counts: CountedClicks,
    asked: ReconciledTime,
    *,
    folder: Path | None = None,
    progress: Callable[[str, int], None] = lambda _key, _units: None,
) -> ReconciledHours:
    """folder: for temporary files, by default the system's; 25 bytes for each line with clicks of the time.
    progress: is told each raw object that was read, and the clicks so far.

    Raises TrendsError if OpenSearch does not answer, and botocore's errors.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="reconciliation-") as work:
        reading = _Reading(buckets, asked, Path(work))
        reading.read(progress)
        return reading.compared(counts)


class _Reading:
    """One reconciliation. Objects have numbers, in the order in which they were read."""

    def __init__(self, buckets: Buckets, asked: ReconciledTime, work: Path) -> None:
        self._buckets, self._asked = buckets, asked
        self._cells = Cells(asked.since, asked.until)
        self._hours_read = frozenset([*asked.raw_hours, *asked.reject_hours])
        self._tally = Tally(self._cells, work)
        self._keys: list[str] = []
        self._unreadable: list[str] = []
        self._unreadable_beside: list[str] = []
        self._etags: dict[str, str] = {}
        self._cells_in: dict[str, frozenset[Cell]] = {}
        self._erasures = WrittenTallies(buckets.oregon, buckets.raw)
        self._cell_of_tally = cell_of_tally(self._cells, self._cell_of_object)

    def read(self, progress: Callable[[str, int], None]) -> None:
        asked, buckets = self._asked, self._buckets
        self._erasures.read()
        erased = self._erasures.first_by_cell(self._cell_of_tally)
        rewritten = {(tally.object, tally.becomes) for tally in self._erasures}
        for number, _, content in self._objects(buckets.rejected, REJECTED_PREFIX, asked.reject_hours):
            self._tally.add_rejects(number, self._lines(number, content))
        inside, texts = set(asked.hours), texts_of(asked.since, asked.until)
        for number, each, content in self._objects(buckets.raw, RAW_PREFIX, asked.raw_hours):
            before: set[Cell] = set()
            if erased and (each.key, each.etag) not in rewritten:
                before = {cell for cell, at in erased.items() if at < each.written_at}
            without_time, wanted = OUTSIDE, texts
            if each.hour in inside:
                without_time, wanted = _cell_of_hour(each.hour), ()
            lines_read = self._lines(number, content, wanted)
            self._cells_in[each.key] = self._tally.add_raw(
                number, lines_read, without_time=without_time, erased=before
            )
            progress(self._keys[number], self._tally.units)

    def _objects(
        self, bucket: str, prefix: str, hours: Iterable[datetime]
    ) -> Iterator[tuple[int, DeliveredObject, bytes]]:
        s3 = self._buckets.oregon
        for each, content in contents(s3, bucket, objects_of(s3, bucket, prefix, hours)):
            self._keys.append(each.key)
            self._etags[each.key] = each.etag
            yield len(self._keys) - 1, each, content

    def _lines(self, number: int, content: bytes, texts: tuple[bytes, ...] = ()) -> Iterator[bytes]:
        try:
            yield from lines(content, texts)
        except UnreadableContentError:
            self._unreadable.append(self._keys[number])

    def compared(self, counts: CountedClicks) -> ReconciledHours:
        asked, buckets = self._asked, self._buckets
        tallies, repeated = self._tally.cells()
        self._erasures.read()
        erased = erased_clicks(in_effect(self._erasures, self._etags), self._cell_of_tally)
        outcomes = compare(self._cells, tallies, erased, counts)
        if any(outcome.missing for outcome in outcomes.values()):
            outcomes = self._explained_by_what_is_set_aside(
                outcomes, counts, lambda: compare(self._cells, tallies, erased, counts)
            )
        for cell, outcome in outcomes.items():
            is_window = cell > NO_TIME
            outcome.start = start_of(cell) if is_window else _hour_of_cell(cell)
            end = outcome.start + (WINDOW + asked.delays.lateness if is_window else HOUR)
            outcome.pending = asked.pending(end) or (COUNTS_WAIT if outcome.waiting else None)
            if outcome.pending is None and outcome.unexplained:
                outcome.pending = self._by_erasures(cell, outcome, tallies)
        for cell, tally in tallies.items():
            window = self._cells.watched.get(cell, (cell, ""))[0]
            if window in outcomes:
                named = outcomes[window].objects
                named += [self._keys[number] for number in tally.objects][: MAX_OBJECTS_NAMED - len(named)]
        left = left_in_tokyo(
            buckets.tokyo, buckets.dead_letters, asked.since, asked.until, objects_named=MAX_OBJECTS_NAMED
        )
        in_order = sorted(outcomes.items(), key=lambda each: each[1].start)
        return ReconciledHours(
            since=asked.since,
            until=asked.until,
            windows=[outcome for cell, outcome in in_order if cell > NO_TIME],
            hours=[outcome for cell, outcome in in_order if cell < NO_TIME],
            left_in_tokyo=left,
            reading=asked.reading,
            repetitions=[
                Repetition(first=self._keys[each.first], second=self._keys[each.second], clicks=each.clicks)
                for each in repeated
            ],
            not_received=sum((tally.not_received for tally in tallies.values()), Counter[str]()),
            error_objects=self._error_objects(),
            unreadable=self._unreadable,
            unreadable_beside=[*self._unreadable_beside, *left.unreadable],
            unreadable_rejects=self._tally.unreadable_rejects,
        )

    def _by_erasures(
        self,
        cell: Cell,
        outcome: WindowOutcome,
        tallies: Mapping[Cell, CellTally],
    ) -> str | None:
        """What an erasure has to do with a difference, if it may be all of it."""
        half = self._half_erased
        if cell in half or (cell < NO_TIME and any(each < NO_TIME for each in half)):
            return HALF_ERASED
        # An erased click that is delivered again comes in its pack, which is another line than what was left.
        windows = self._cells.watched
        after = sum(
            tally.after_erasure for each, tally in tallies.items() if windows.get(each, (each, ""))[0] == cell
        )
        return ERASED_AGAIN if outcome.missing <= after and not outcome.surplus else None

    @cached_property
    def _half_erased(self) -> set[Cell]:
        """Where an erasure that stands half done may make a difference. What is left of a pack is another
        line than its repetition, to the other clicks in it too."""
        tallies = list(half_erased(self._erasures, self._etags))
        cells = {self._cell_of_tally(tally) for tally in tallies}
        cells.update(*(self._cells_in.get(key, ()) for key in {tally.object for tally in tallies}))
        windows = self._cells.watched
        return {windows.get(cell, (cell, ""))[0] for cell in cells} - {OUTSIDE}

    def _cell_of_object(self, key: str) -> Cell:
        """Of its units without a time, if it was read or will be."""
        hour = _hour_in(key)
        return _cell_of_hour(hour) if hour in self._hours_read else OUTSIDE

    def _explained_by_what_is_set_aside(
        self,
        first: Mapping[Cell, WindowOutcome],
        counts: CountedClicks,
        compared_again: Callable[[], dict[Cell, WindowOutcome]],
    ) -> dict[Cell, WindowOutcome]:
        """Of what is missing, what OpenSearch lacks up to the largest count of a key that is set aside.

        Redelivery may take a count away and have it counted at any moment. So what is set aside is read
        before its counts are asked for, and those before the windows are compared again.
        """
        buckets = self._buckets
        found = counts_set_aside(
            buckets.oregon,
            buckets.rejected,
            buckets.sink,
            buckets.index,
            self._cells,
            unreadable=self._unreadable_beside,
        )
        minute = COUNT_KEY.index("minute")
        wanted = {}
        for key, held in found.items():
            cell = self._cells.of_time(key[minute])
            if cell in first and first[cell].missing:
                wanted[key] = (cell, held)
        counted = counts.of_keys(wanted) if wanted else {}
        outcomes = compared_again()
        for key, (cell, held) in wanted.items():
            outcome = outcomes[cell]
            lacks = min(outcome.missing, max(0, held.clicks - counted.get(key, 0)))
            if not lacks:
                continue
            outcome.missing -= lacks
            if held.is_given_up:
                outcome.given_up += lacks
            else:
                outcome.waiting += lacks
            if held.object not in outcome.set_aside and len(outcome.set_aside) < MAX_OBJECTS_NAMED:
                outcome.set_aside.append(held.object)
        return outcomes

    def _error_objects(self) -> list[str]:
        """Of records that Firehose could not write: below the error's type, then by hour."""
        s3, buckets = self._buckets.oregon, self._buckets
        hours = set(self._asked.raw_hours)
        places = ((buckets.raw, RAW_ERRORS_PREFIX), (buckets.rejected, REJECTED_ERRORS_PREFIX))
        return [
            f"{bucket}/{each.key}"
            for bucket, prefix in places
            for each in objects_below(s3, bucket, prefix)
            if _hour_in(each.key) in hours
        ][:MAX_OBJECTS_NAMED]


def _cell_of_hour(hour: datetime) -> Cell:
    """Below NO_TIME."""
    return -((hour - _EPOCH) // HOUR)


def _hour_of_cell(cell: Cell) -> datetime:
    return _EPOCH - cell * HOUR


def _hour_in(key: str) -> datetime | None:
    """Of delivery, in the key of an object."""
    found = _HOUR_IN_KEY.search(key)
    try:
        return datetime(*map(int, found.groups()), tzinfo=UTC) if found else None  # type: ignore[misc, arg-type]
    except ValueError:
        return None
