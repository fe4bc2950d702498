"""What a correction counts, and into which generation, by what is served and what is counted meanwhile."""

from datetime import UTC, date, datetime, timedelta
from typing import cast

import pytest

from contract.sink import CLICK_COUNTS
from names import generation_family, index_pattern
from operations.correction.correcting import Plan, plan
from operations.correction.generations import Generations
from settings import Settings, load

DAYS = [date(2026, 1, day) for day in (28, 29, 30, 31)]
FINAL = datetime(2026, 2, 2, 1, tzinfo=UTC)
"""From when the last of these days gets no more clicks: 24 hours of allowed lateness, one for deliveries."""
SECOND = timedelta(seconds=1)


class ServedDays:
    """By day, the generations that have it, the last one served; then the one that serves days to come."""

    def __init__(self, days: dict[date, tuple[int, ...]], *, to_come: int) -> None:
        self._days = {f"{day:%Y.%m.%d}": generations for day, generations in days.items()}
        self._to_come = to_come

    def served(self) -> dict[str, int]:
        return {day: generations[-1] for day, generations in self._days.items()}

    def made(self) -> dict[str, set[int]]:
        return {day: set(generations) for day, generations in self._days.items()}

    def served_pattern(self) -> str:
        return index_pattern(generation_family(CLICK_COUNTS.index_family, self._to_come))


def planned(first: date, served: ServedDays, *, now: datetime, counted_into: int = 2) -> Plan:
    production = load("production")
    analytics = production.analytics.model_copy(update={"counts_generation": counted_into})
    settings: Settings = production.model_copy(update={"analytics": analytics})
    return plan(first, first, cast(Generations, served), settings, now=now)


UNDONE = ServedDays({DAYS[0]: (1,), DAYS[1]: (1,), DAYS[2]: (2, 1), DAYS[3]: (2, 1)}, to_come=2)
"""Readers see the former generation of two days that the application counted into the second."""


def test_days_of_an_undone_correction_are_joined_with_what_the_application_counts() -> None:
    wanted = planned(DAYS[1], UNDONE, now=FINAL - SECOND)
    assert wanted == Plan(days=tuple(DAYS[1:]), generation=2, live=True, live_since=DAYS[2])


@pytest.mark.parametrize("first", DAYS[1:])
def test_days_of_an_undone_correction_are_past_days_once_all_are_final(first: date) -> None:
    """Whatever the application counted them with, they are counted from raw clicks alone."""
    assert planned(first, UNDONE, now=FINAL) == Plan(days=(first,), generation=3, live=False)


def test_a_first_correction_joins_days_however_old() -> None:
    """Until days to come are switched, the application counts what no reader sees."""
    served = ServedDays({DAYS[1]: (1,), DAYS[2]: (2, 1), DAYS[3]: (2, 1)}, to_come=1)
    wanted = planned(DAYS[1], served, now=FINAL + timedelta(days=3))
    assert wanted == Plan(days=tuple(DAYS[1:]), generation=2, live=True, live_since=DAYS[2])


def test_a_day_that_still_gets_clicks_is_live_before_the_application_counts_it() -> None:
    """Its index is made before it is final: a replay then reads what the application's settings name."""
    served = ServedDays({DAYS[2]: (1,), DAYS[3]: (2, 1)}, to_come=1)
    wanted = planned(DAYS[2], served, now=FINAL - timedelta(days=1) - SECOND)
    assert (wanted.days, wanted.live_since) == (tuple(DAYS[2:]), DAYS[2])
    assert planned(DAYS[2], served, now=FINAL - timedelta(days=1)).live_since == DAYS[3]
