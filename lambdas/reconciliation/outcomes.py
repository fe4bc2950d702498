"""What became of the clicks of each window, and what differs. Pure functions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contract.sink import UNPARSEABLE
from lambdas.reconciliation.cells import NO_TIME, Cell, Cells
from lambdas.reconciliation.counts import CountedClicks
from lambdas.reconciliation.erased import ErasedClicks
from lambdas.reconciliation.tally import CellTally

_UNKNOWN = datetime.min.replace(tzinfo=UTC)
ERASED = "erased"
"""In place of a reason: a reject of a reader who was erased."""


@dataclass(kw_only=True)
class WindowOutcome:
    """Numbers of clicks of a window of `clicked_at`; or, of an hour of delivery, units without a time, which
    are never counted.

    least, most: received. rejected: in no count, by reason. counted_and_rejected: counted, and rejected at
    another reading. rejected_again: rejects of a click beyond its first. waiting, given_up: missing in
    OpenSearch, in counts that redelivery holds. missing, surplus: what nothing explains. objects: keys of
    some that hold the clicks; set_aside: of some that hold the counts. pending: why it is not final.
    """

    start: datetime
    pending: str | None = None
    least: int = 0
    most: int = 0
    counted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    counted_and_rejected: int = 0
    rejected_again: int = 0
    waiting: int = 0
    given_up: int = 0
    missing: int = 0
    surplus: int = 0
    objects: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        return self.pending is None

    @property
    def received(self) -> int:
        """The number in the range that agrees best with what became of the clicks."""
        accounted = self.counted + self.rejected.total() + self.waiting + self.given_up
        return max(self.least, min(self.most, accounted))

    @property
    def unexplained(self) -> int:
        return self.missing + self.surplus

    @property
    def unparseable(self) -> int:
        return self.rejected[UNPARSEABLE]


def compare(
    cells: Cells,
    tallies: Mapping[Cell, CellTally],
    erased: Mapping[Cell, ErasedClicks],
    counts: CountedClicks,
) -> dict[Cell, WindowOutcome]:
    """The outcome of each window that has clicks or counts; and of each cell without a time.

    `start` and `pending` are the caller's to set. Raises what `counts` raises.
    """
    watched = {
        cell: key
        for cell, key in cells.watched.items()
        if cell in tallies and key[0] not in erased  # an erased click's article is not known
    }
    counted = Counter(counts.of_windows(cells.windows))
    counted_of_articles = counts.of_articles(set(watched.values())) if watched else {}
    outcomes: defaultdict[Cell, WindowOutcome] = defaultdict(lambda: WindowOutcome(start=_UNKNOWN))
    tallied: defaultdict[Cell, list[CellTally]] = defaultdict(list)
    for cell, tally in tallies.items():
        window, _ = cells.watched.get(cell, (cell, ""))
        if cell in watched:
            of_article = counted_of_articles.get(watched[cell], 0)
            counted[window] -= of_article
            _add(outcomes[window], [tally], counted=of_article)
        elif cell != NO_TIME:
            tallied[window].append(tally)
    for window, clicks in erased.items():
        # A unit without a time is never counted; its reject may have been delivered in another hour.
        rejected = clicks.rejected if window > NO_TIME else clicks.most
        tallied[window].append(_of_erased(clicks, rejected))
    for window in set(tallied) | {window for window, clicks in counted.items() if clicks}:
        _add(outcomes[window], tallied[window], counted=counted[window])
    return dict(outcomes)


def _of_erased(clicks: ErasedClicks, rejected: int) -> CellTally:
    return CellTally(
        least=clicks.least,
        likely=clicks.most,
        most=clicks.most,
        least_counted=max(0, clicks.least - rejected),
        most_counted=clicks.most,
        by_the_reading=Counter({ERASED: min(rejected, clicks.most)}),
        rejected_again=max(0, rejected - clicks.most),
    )


def _add(outcome: WindowOutcome, tallies: Iterable[CellTally], *, counted: int) -> None:
    """Compare the clicks of a cell with what was counted of them, and add both to the window's."""
    least = likely = most = least_counted = most_counted = 0
    by_the_reading: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for tally in tallies:
        least, likely, most = least + tally.least, likely + tally.likely, most + tally.most
        least_counted, most_counted = least_counted + tally.least_counted, most_counted + tally.most_counted
        by_the_reading += tally.by_the_reading
        rejected += tally.rejected
        outcome.rejected_again += tally.rejected_again
    in_no_count = max(0, likely - counted - rejected.total())
    for reason, clicks in by_the_reading.items():
        only_rejected = min(clicks, in_no_count)
        in_no_count -= only_rejected
        rejected[reason] += only_rejected
        outcome.counted_and_rejected += clicks - only_rejected
    outcome.least += least
    outcome.most += most
    outcome.counted += counted
    outcome.rejected += rejected
    outcome.missing += max(0, least_counted - counted)
    outcome.surplus += max(0, counted - most_counted)
