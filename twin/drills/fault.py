"""What a drill is of: a fault done to a part, never to a metric or a count, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass

from twin.drills.run import DrilledRun
from twin.twin import Twin


@dataclass(frozen=True, kw_only=True)
class Fault:
    """what: what happens; seen: what readers and operators see of it; runbook: its section there, if
    somebody must read it.

    cause: does it, and returns what undoes it by the passing of time, as AWS would: None if it stays until
    `command` is given. command: the run-book's, with the values of the twin; None if nobody need do anything.
    operation: its first words, that of each if it is several.
    lasts_seconds: until it is undone. over: whether it has ended.
    """

    name: str
    what: str
    seen: str
    runbook: str | None
    cause: Callable[[DrilledRun], Callable[[], None] | None]
    command: Callable[[Twin], str] | None = None
    operation: str | None = None
    over: Callable[[Twin], bool] = lambda _: True
    lasts_seconds: float = 0.0
