"""The clock of the twin's alarms: the wall's, or faster by a factor, so that an hour does not take an hour.

Everything that CloudWatch holds stays in the wall's seconds. The evaluator looks at it through this clock:
it stretches the times of datapoints, and the durations that they hold. The services' own intervals (buffers
of Firehose, schedules of EventBridge) are shorter by the same factor. Intervals inside our functions and
Flink stay as they are set.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

ORIGIN_VARIABLE = "TWIN_CLOCK_ORIGIN"
FACTOR_VARIABLE = "TWIN_CLOCK_FACTOR"
MAX_FACTOR = 60.0
"""A minute is then a second, in which a stand-in can just say something."""
_DURATIONS = frozenset({"Seconds", "Milliseconds"})
_DURATIONS_WITHOUT_UNIT = frozenset({"segmentsSecondsSinceCheck"})
"""Gauges of a job have no unit in CloudWatch: see catalogue.py."""


@dataclass(frozen=True)
class AlarmClock:
    """factor: its seconds in one of the wall's; origin: when both say the same, in seconds since 1970."""

    factor: float = 1.0
    origin: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= MAX_FACTOR:
            raise ValueError(f"the clock's factor must be from 1 to {MAX_FACTOR:g}, not {self.factor:g}")

    def at(self, wall: float) -> float:
        return self.origin + (wall - self.origin) * self.factor

    def wall(self, at: float) -> float:
        """The other way round."""
        return self.origin + (at - self.origin) / self.factor

    def wall_seconds(self, seconds: float) -> float:
        """How long so many of its seconds take."""
        return seconds / self.factor

    def stretch(self, name: str, unit: str) -> float:
        """By what a value of this metric is multiplied: the factor, if it is a duration."""
        return self.factor if unit in _DURATIONS or name in _DURATIONS_WITHOUT_UNIT else 1.0

    def environment(self) -> dict[str, str]:
        """For the process of the emulated AWS."""
        return {FACTOR_VARIABLE: repr(self.factor), ORIGIN_VARIABLE: repr(self.origin)}


WALL_CLOCK = AlarmClock()


def clock_of(environment: Mapping[str, str] = os.environ) -> AlarmClock:
    """The wall's, unless the variables say otherwise. Raises ValueError."""
    return AlarmClock(float(environment.get(FACTOR_VARIABLE, 1)), float(environment.get(ORIGIN_VARIABLE, 0)))
