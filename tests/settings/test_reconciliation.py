"""The time limit of the hourly reconciliation is compared with an hour of the declared traffic."""

import json
import re
from typing import Any

import pytest

from settings import load
from settings.analytics import AnalyticsSettings
from settings.capacity import warnings
from settings.environment import Settings
from settings.peak import PeakSettings
from settings.reconciliation import FUNCTION_SECONDS, hour_seconds, seconds_of
from tests.conftest import PROJECT

HYPERTHREADS = 2
"""In a core; one is a vCPU of Lambda."""


def settings_of(clicks_per_second: int, *, lateness: int = 24, mean: float = 0.4) -> Settings:
    return Settings(
        environment="trial",
        account="111111111111",
        peak=PeakSettings(clicks_per_second=clicks_per_second, mean_to_peak_max=mean),
        analytics=AnalyticsSettings(allowed_lateness_hours=lateness),
    )


def told(settings: Settings) -> list[str]:
    return [warning.text for warning in warnings(settings) if warning.id == "reconciliation-time"]


def test_an_hour_of_production_fits_twice() -> None:
    assert 0 < 2 * hour_seconds(load("production")) < FUNCTION_SECONDS


@pytest.mark.parametrize("more", [{"lateness": 24}, {"lateness": 1}, {"mean": 1.0}])
def test_more_clicks_than_an_invocation_has_time_for_give_a_warning(more: dict[str, Any]) -> None:
    [text] = told(settings_of(100_000, **more))
    [fitting] = re.findall(r"up to about ([\d,]+) clicks/s", text)
    most = int(fitting.replace(",", ""))
    assert told(settings_of(most, **more)) == []
    assert told(settings_of(most + 2, **more)) != []


def test_a_shorter_allowed_lateness_leaves_time_for_more_clicks() -> None:
    assert hour_seconds(settings_of(5_000, lateness=2)) < hour_seconds(settings_of(5_000)) / 2


def test_an_hour_is_allowed_more_time_than_the_benchmark_took() -> None:
    figures = PROJECT / "docs" / "reference" / "benchmarks" / "figures.json"
    hours = json.loads(figures.read_text())["reconciliation"]["figures"]["hours"]
    for hour in hours:
        allowed = seconds_of(hour["clicks"], hour["later"])
        assert HYPERTHREADS * hour["cpu_seconds"] < allowed < 2 * HYPERTHREADS * hour["cpu_seconds"]
