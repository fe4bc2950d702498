"""The cheapest settings carry their traffic, and cost what a synthesis with them would."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cloudformation import read_resources
from operations.cost.cheapest import FACTORS, Cheapest, NoSettingsError, cheapest, scaled, with_settings
from operations.cost.command import grown
from operations.cost.estimate import estimate_resources
from operations.cost.prices import Prices
from operations.cost.report import NOT_CARRIED, growth
from operations.cost.search_nodes import stored_gib
from settings import Settings, capacity, consistency, latency
from settings.analytics import AnalyticsSettings
from settings.forwarder import ForwarderSettings
from settings.peak import PeakSettings
from settings.streams import StreamSettings
from stacks.app import build_app
from tests.operations.cost.changes import Resources


@pytest.fixture(scope="module", autouse=True)
def _counts_of_a_minute() -> Iterator[None]:
    """How many documents there are to hold does not depend here on what the project's counts span."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("settings.disks.WINDOW", timedelta(minutes=1))
        yield


@pytest.fixture(scope="module")
def found(resources: Resources, production: Settings, prices: Prices) -> list[Cheapest]:
    return grown(resources, production, prices)


def test_every_factor_has_settings_that_the_synthesis_accepts(found: list[Cheapest]) -> None:
    assert [one.factor for one in found] == list(FACTORS)
    for one in found:
        valid = Settings.model_validate(one.settings.model_dump())
        for check in (consistency, capacity, latency):
            assert list(check.problems(valid)) == []


def test_traffic_that_no_settings_carry_ends_the_table_and_is_said(
    resources: Resources, production: Settings, prices: Prices, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("operations.cost.command", "operations.cost.report"):
        monkeypatch.setattr(f"{module}.FACTORS", (1, 100_000, 200_000))
    found = grown(resources, production, prices)
    assert [one.factor for one in found] == [1]
    assert [(row[0], row[1], row[-1]) for row in growth(found).rows[1:]] == [
        ("100,000", "-", NOT_CARRIED),
        ("200,000", "-", NOT_CARRIED),
    ]


def test_web_servers_grow_with_the_traffic(production: Settings) -> None:
    assert production.peak.web_servers == 3
    assert scaled(production, 10).peak.web_servers == 30
    undeclared = production.model_copy(
        update={"peak": production.peak.model_copy(update={"web_servers": None})}
    )
    assert scaled(undeclared, 10).peak.web_servers is None


def test_the_disks_hold_the_retention(found: list[Cheapest]) -> None:
    for one in found:
        search = one.settings.search
        assert search.instance_count * search.volume_gib >= stored_gib(one.settings)


def test_ten_times_the_traffic_costs_more_but_less_than_ten_times(found: list[Cheapest]) -> None:
    middles = {one.factor: one.estimate.total.middle for one in found}
    for factor in (1, 10, 100):
        assert middles[factor] < middles[factor * 10] < 10 * middles[factor]


def test_nothing_that_was_tried_beside_it_is_cheaper(
    resources: Resources, found: list[Cheapest], prices: Prices
) -> None:
    best = found[0]
    carried = 0
    for lanes, window in ((1, 5), (10, 1), (5, 2), (2, 2)):
        shape = {"parallelization_factor": lanes, "batching_window_seconds": window}
        forwarder = best.settings.forwarder.model_copy(update=shape)
        other = best.settings.model_copy(update={"forwarder": forwarder})
        if any(problem for check in (capacity, latency) for problem in check.problems(other)):
            continue  # one lane of so little memory does not carry a shard
        carried += 1
        there = estimate_resources(with_settings(resources, other), other, prices)
        assert best.estimate.total.middle <= there.total.middle
    assert carried >= 2


def test_the_cheapest_never_cost_more_than_a_small_environment_that_is_declared(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    search = production.search.model_copy(
        update={
            "instance_type": "t3.small.search",
            "instance_count": 1,
            "availability_zones": 1,
            "volume_gib": 40,
            "retention_days": 30,
        }
    )
    small = production.model_copy(
        update={
            "search": search,
            "peak": PeakSettings(clicks_per_second=50),
            "streams": StreamSettings(mode="provisioned", mobile_shards=1, source_shards=1),
            "forwarder": ForwarderSettings(
                parallelization_factor=1, batching_window_seconds=5, memory_mib=1024
            ),
            "analytics": AnalyticsSettings(),
        }
    )
    own = estimate_resources(with_settings(resources, small), small, prices)
    assert cheapest(resources, small, prices, factor=1).estimate.total.middle <= own.total.middle


def test_a_synthesis_with_the_settings_costs_the_same(
    found: list[Cheapest], prices: Prices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [ten] = [one for one in found if one.factor == 10]
    monkeypatch.setattr("stacks.app.load", lambda _environment: ten.settings)
    build_app("production", destroy=False, outdir=tmp_path, jar=tmp_path / "no.jar").synth()
    assert estimate_resources(read_resources(tmp_path), ten.settings, prices).lines == ten.estimate.lines


def test_a_traffic_that_nothing_carries_is_answered_with_what_stands_in_the_way(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    with pytest.raises(NoSettingsError, match=r"100000 times the traffic.*OpenSearch"):
        cheapest(resources, production, prices, factor=100_000)


def test_a_latency_target_that_no_settings_keep_is_answered_with_what_makes_it_late(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    target = production.latency.model_copy(update={"visible_seconds": 1})
    impatient = production.model_copy(update={"latency": target})
    with pytest.raises(NoSettingsError, match=r"latency\.visible_seconds is 1"):
        cheapest(resources, impatient, prices, factor=1)


def test_a_shorter_latency_target_is_never_cheaper(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    target = production.latency.model_copy(update={"visible_seconds": 24})
    impatient = production.model_copy(update={"latency": target})
    fast = cheapest(resources, impatient, prices, factor=1)
    relaxed = cheapest(resources, production, prices, factor=1)
    assert (
        fast.settings.forwarder.batching_window_seconds < relaxed.settings.forwarder.batching_window_seconds
    )
    assert fast.estimate.total.middle > relaxed.estimate.total.middle
