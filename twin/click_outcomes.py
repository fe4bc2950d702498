"""The fate of the clicks of a whole run, by the core of the reconciliation (lambdas/reconciliation/)."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.click import Unread
from contract.sink import UNPARSEABLE
from lambdas.reconciliation.cells import Cell, Cells, cell_at
from lambdas.reconciliation.counts import CountedClicks, SearchedCounts
from lambdas.reconciliation.identity import identity_of_reject, identity_of_rest
from lambdas.reconciliation.outcomes import compare
from lambdas.reconciliation.tally import Tally

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_WITHOUT_TIME: Cell = -1 << 40
_COUNTED_SPAN = timedelta(days=3)
Lines = Iterable[bytes]


class CountsOfARun(SearchedCounts):
    """Counts are of clicks up to a day old; two more days cover clocks ahead and a day's boundary."""

    def of_windows(self, windows: range) -> dict[Cell, int]:
        now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        lately = range(cell_at(now - _COUNTED_SPAN), cell_at(now + _COUNTED_SPAN))
        return super().of_windows(range(max(windows.start, lately.start), min(windows.stop, lately.stop)))


class UnreadRests:
    """Rests of lines that arrived, and those that the application rejected, recognised by their text."""

    def __init__(self) -> None:
        self._arrived: Counter[bytes] = Counter()
        self._rejected: Counter[bytes] = Counter()

    def arrive(self, rest: Unread) -> None:
        self._arrived[identity_of_rest(rest.data)] += 1

    def reject(self, row: Mapping[str, Any]) -> None:
        self._rejected[identity_of_reject(row)] += 1

    @property
    def accounted_for(self) -> int:
        """Those that arrived and were rejected, each once, and rejects of what never arrived."""
        return sum(min(n, self._arrived[rest] or n) for rest, n in self._rejected.items())

    @property
    def rejected_again(self) -> int:
        return self._rejected.total() - self.accounted_for


@dataclass(frozen=True)
class ClickOutcomes:
    """unparseable: rests of lines; rejected: clicks in no count, by reason; counted_and_rejected: those that
    are also in a count; rejected_again: rejects of a click or rest beyond its first; unexplained: clicks
    missing, or counted too often."""

    unparseable: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_again: int = 0
    counted_and_rejected: int = 0
    unexplained: int = 0


def outcomes_of_clicks(
    raw: Iterable[Lines], rejects: Iterable[Lines], counts: CountedClicks
) -> ClickOutcomes:
    """raw, rejects: the lines of each object, as delivered. A reject of a click that never arrived is one too
    many: it counts, and nothing explains it."""
    with tempfile.TemporaryDirectory(prefix="click-outcomes-") as folder:
        cells = Cells(_FIRST, _LAST)
        tally = Tally(cells, Path(folder))
        for number, lines in enumerate(rejects):
            tally.add_rejects(number, lines)
        for number, lines in enumerate(raw):
            tally.add_raw(number, lines, without_time=_WITHOUT_TIME)
        tallies, _ = tally.cells()
    outcomes = compare(cells, tallies, {}, counts).values()
    rejected = sum((each.rejected for each in outcomes), Counter[str]())
    too_many = sum((each.not_received for each in tallies.values()), Counter[str]())
    rejected += too_many
    unparseable = rejected.pop(UNPARSEABLE, 0)
    return ClickOutcomes(
        unparseable=unparseable,
        rejected=rejected,
        rejected_again=sum(each.rejected_again for each in outcomes),
        counted_and_rejected=sum(each.counted_and_rejected for each in outcomes),
        unexplained=sum(each.unexplained for each in outcomes) + too_many.total(),
    )
