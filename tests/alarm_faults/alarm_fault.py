"""A fault that drives alarms."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.alarm_faults.acts import Act, Pair, nothing


@dataclass(frozen=True, kw_only=True)
class AlarmFault:
    """alarms: those that it must drive to ALARM, by their names without the environment's prefix.
    takes_seconds: of the clock, until it has brought what the alarms measure beyond their thresholds.
    after: names of faults that must have ended before. injected: only AWS can cause it, so a stand-in does.
    """

    name: str
    alarms: tuple[str, ...]
    cause: Act
    end: Act = nothing
    takes_seconds: float = 0.0
    injected: bool = False
    after: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def caused(
    name: str,
    *alarms: str,
    pair: Pair,
    takes: float = 0.0,
    injected: bool = False,
    after: Sequence[str] = (),
) -> AlarmFault:
    return AlarmFault(
        name=name,
        alarms=alarms,
        cause=pair.cause,
        end=pair.end,
        takes_seconds=takes,
        injected=injected,
        after=tuple(after),
    )


def silent(function: str) -> tuple[str, str]:
    """Of a function that is throttled for good."""
    return f"{function}-Throttles", f"{function}-Invocations"
