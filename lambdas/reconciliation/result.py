"""The reconciliation of a time: what became of its clicks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.reconciliation.final import NOT_KNOWN, Reading
from lambdas.reconciliation.outcomes import WindowOutcome
from lambdas.reconciliation.set_aside import LeftInTokyo


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """Two objects that share lines: Firehose delivered them twice, or a producer sent them twice. clicks: in
    these lines."""

    first: str
    second: str
    clicks: int


@dataclass(kw_only=True)
class ReconciledHours:
    """Of the clicks from `since` to `until`. windows: those with clicks or counts, in order; hours: of units
    without a time, by the hour of delivery. not_received: rejects of clicks that are in no raw object that
    was read, by reason. error_objects: of records that Firehose could not write. unreadable: objects that
    cannot be read; unreadable_beside: of what is set aside or left in Tokyo; unreadable_rejects: lines.
    reading: how far the application was."""

    since: datetime
    until: datetime
    windows: list[WindowOutcome]
    hours: list[WindowOutcome]
    left_in_tokyo: LeftInTokyo
    reading: Reading
    repetitions: list[Repetition] = field(default_factory=list)
    not_received: Counter[str] = field(default_factory=Counter)
    error_objects: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unreadable_beside: list[str] = field(default_factory=list)
    unreadable_rejects: int = 0

    @property
    def is_final(self) -> bool:
        return all(each.is_final for each in self.outcomes)

    @property
    def pending(self) -> list[str]:
        """Why it is not final, each reason once."""
        return list(dict.fromkeys(each.pending for each in self.outcomes if each.pending))

    @property
    def outcomes(self) -> list[WindowOutcome]:
        return [*self.windows, *self.hours]

    def total(self, number: Callable[[WindowOutcome], int], *, only_final: bool = False) -> int:
        return sum(number(each) for each in self.outcomes if each.is_final or not only_final)

    @property
    def received(self) -> int:
        return self.total(lambda each: each.received)

    @property
    def counted(self) -> int:
        return self.total(lambda each: each.counted)

    @property
    def rejected(self) -> int:
        """Without the unparseable."""
        return self.total(lambda each: each.rejected.total() - each.unparseable)

    @property
    def unparseable(self) -> int:
        return self.total(lambda each: each.unparseable)

    @property
    def set_aside(self) -> int:
        """In counts that wait or were given up, and left in Tokyo, which is not received in Oregon."""
        return self.total(lambda each: each.waiting + each.given_up) + self.left_in_tokyo.clicks

    @property
    def unexplained(self) -> int:
        """Of final minutes and hours; an object that cannot be read is one."""
        return self.total(lambda each: each.unexplained, only_final=True) + len(self.unreadable)

    @property
    def not_known(self) -> int:
        """Of minutes that are final by the clock; whether the application has read them is unknown."""
        return sum(each.unexplained for each in self.outcomes if each.pending == NOT_KNOWN)
