"""Where every click went, told by whoever counts it: in the twin, the demonstration. A batch server on AWS
knows only the counts; there the board shows no reconciliation."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contract.count import WINDOW, start_of_count

REJECTED_KEPT = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class ClickTotals:
    """Clicks and unread rests of lines so far: sent = counted + rejected + unparseable + on their way."""

    sent: int
    counted: int
    rejected: int
    unparseable: int

    @property
    def on_their_way(self) -> int:
        """Below zero when some were counted twice."""
        return self.sent - self.counted - self.rejected - self.unparseable


@dataclass(frozen=True, kw_only=True)
class ReconciliationReport:
    """rejected: (start of the count's time in which they were rejected, UTC; clicks), oldest first."""

    reconciliation: ClickTotals
    told_at: datetime
    rejected: tuple[tuple[datetime, int], ...]


class Reconciliations:
    """Keeps the newest one, and from one to the next how many were rejected in each minute, or what else
    a count spans. May be told by one thread and read by others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: ReconciliationReport | None = None
        self._rejected: OrderedDict[datetime, int] = OrderedDict()
        self._segments_problem: str | None = None

    def tell(self, reconciliation: ClickTotals, at: datetime | None = None) -> None:
        told_at = at or datetime.now(UTC)
        with self._lock:
            before = self._newest.reconciliation.rejected if self._newest else 0
            minute = start_of_count(told_at)
            self._rejected[minute] = self._rejected.get(minute, 0) + max(reconciliation.rejected - before, 0)
            while len(self._rejected) > REJECTED_KEPT // WINDOW:
                self._rejected.popitem(last=False)
            self._newest = ReconciliationReport(
                reconciliation=reconciliation, told_at=told_at, rejected=tuple(self._rejected.items())
            )

    def tell_segments(self, problem: str | None) -> None:
        """problem: of the published segments, on one line; None where there is none."""
        with self._lock:
            self._segments_problem = problem

    @property
    def segments_problem(self) -> str | None:
        with self._lock:
            return self._segments_problem

    @property
    def newest(self) -> ReconciliationReport | None:
        with self._lock:
            return self._newest
