"""The budget follows the settings and the producers; settings later than the target are refused."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clients.mobile_app.client import MobileClient
from lambdas.search_bootstrap.definitions import REFRESH_INTERVAL
from settings import Settings, SettingsError, load
from settings.analytics import AnalyticsSettings
from settings.delivery import DeliverySettings
from settings.forwarder import ForwarderSettings
from settings.latency import (
    MOBILE_APP_FLUSH_SECONDS,
    REFRESH_SECONDS,
    WEB_SERVER_FLUSH_SECONDS,
    LatencySettings,
    budget,
    problems,
)
from settings.latency_table import DOCUMENTED, PAGE, latency_table, page

PROJECT = Path(__file__).parents[2]


def settings_of(**sections: Any) -> Settings:
    return Settings(environment="trial", account="111111111111", **sections)


SETTINGS = st.builds(
    settings_of,
    analytics=st.builds(AnalyticsSettings, publish_every_seconds=st.integers(1, 300)),
    forwarder=st.builds(
        ForwarderSettings,
        batching_window_seconds=st.integers(0, 300),
        round_trip_milliseconds=st.integers(1, 4_000),
    ),
    delivery=st.builds(DeliverySettings, counts_buffer_seconds=st.integers(0, 5)),
)


def longer(settings: Settings, key: str) -> Settings:
    section, field = key.split(".")
    model = getattr(settings, section)
    changed = model.model_copy(update={field: getattr(model, field) + 7})
    return settings.model_copy(update={section: changed})


@pytest.mark.parametrize(("memory_mib", "worst"), [(1769, 1.05), (3538, 1.05), (885, 1.4), (448, 2.08)])
def test_a_smaller_forwarder_starts_later(memory_mib: int, worst: float) -> None:
    settings = settings_of(forwarder=ForwarderSettings(memory_mib=memory_mib))
    [start] = [
        stage for path in budget(settings) for stage in path.to_visible if stage.name == "forwarder's start"
    ]
    assert start.seconds.worst == pytest.approx(worst, abs=0.005)


@given(settings=SETTINGS)
def test_worst_is_never_better_than_typical(settings: Settings) -> None:
    for path in budget(settings):
        assert all(0 <= stage.seconds.typical <= stage.seconds.worst for stage in path.to_visible)
        assert path.visible.typical < path.served.typical
        assert path.visible.worst < path.served.worst


@pytest.mark.parametrize(
    ("key", "producers"),
    [
        ("forwarder.batching_window_seconds", {"mobile apps"}),
        ("analytics.publish_every_seconds", {"mobile apps", "web servers"}),
        ("delivery.counts_buffer_seconds", {"mobile apps", "web servers"}),
    ],
)
def test_a_longer_period_delays_only_its_producers(key: str, producers: set[str]) -> None:
    before, after = budget(settings_of()), budget(longer(settings_of(), key))
    later = {
        new.producer
        for old, new in zip(before, after, strict=True)
        if new.visible.worst == pytest.approx(old.visible.worst + 7)
    }
    assert later == producers


def test_every_setting_of_a_stage_exists() -> None:
    for path in budget(settings_of()):
        for stage in (*path.to_visible, *path.to_served):
            if stage.setting:
                section, field = stage.setting.split(".")
                assert field in type(getattr(settings_of(), section)).model_fields


@given(settings=SETTINGS)
def test_the_target_that_a_message_names_is_enough_and_not_too_much(settings: Settings) -> None:
    named: dict[str, int] = {}
    for message in problems(settings):
        for key, seconds in re.findall(r"set latency\.(\w+) = (\d+)", message):
            named[key] = max(named.get(key, 0), int(seconds))
    target = settings.latency.model_copy(update=named)
    rest = problems(settings.model_copy(update={"latency": target}))
    assert [message for message in rest if "latency." in message] == []
    for key, seconds in named.items():
        short = target.model_copy(update={key: seconds - 1})
        assert any(key in message for message in problems(settings.model_copy(update={"latency": short})))


def test_the_longest_stage_is_named_first_with_its_setting() -> None:
    slow = settings_of(analytics=AnalyticsSettings(publish_every_seconds=60))
    message = next(problems(slow))
    assert "but latency.visible_seconds is 30: lower analytics.publish_every_seconds (60 s)" in message


@pytest.mark.parametrize(("window", "late"), [(20, False), (21, True)])
def test_settings_under_which_a_click_misses_its_complete_minute_are_refused(window: int, late: bool) -> None:
    settings = settings_of(
        forwarder=ForwarderSettings(batching_window_seconds=window),
        latency=LatencySettings(visible_seconds=600, served_seconds=600),
    )
    assert list(problems(settings)) == late * [
        "the application reads a click from mobile apps after 30.1 s at worst, but the batch server calls a "
        "minute complete after giving clicks 30 s to arrive: lower forwarder.batching_window_seconds (21 s), "
        "forwarder.round_trip_milliseconds (0.3 s), or raise ARRIVAL in contract/click.py to 31 s"
    ]


def test_an_environment_later_than_its_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(
        'environment = "trial"\naccount = "111111111111"\n[latency]\nvisible_seconds = 10\n'
    )
    with pytest.raises(SettingsError, match=r"trial\.toml cannot be used:\n.*visible after .* s at worst"):
        load("trial", tmp_path)


def test_a_target_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        LatencySettings(visible_seconds=0)


def test_web_servers_flush_as_often_as_the_budget_says() -> None:
    fluentd = (PROJECT / "clients/web_servers/fluentd.conf.template").read_text()
    fluent_bit = yaml.safe_load((PROJECT / "clients/web_servers/fluent-bit.yaml").read_text())
    assert re.findall(r"^\s*flush_interval (\d+)s$", fluentd, re.MULTILINE) == [
        f"{WEB_SERVER_FLUSH_SECONDS:.0f}"
    ]
    assert fluent_bit["service"]["flush"] == WEB_SERVER_FLUSH_SECONDS


def test_mobile_apps_flush_as_often_as_the_budget_says() -> None:
    parameters = inspect.signature(MobileClient.__init__).parameters
    assert parameters["flush_seconds"].default == MOBILE_APP_FLUSH_SECONDS


def test_opensearch_refreshes_as_often_as_the_budget_says() -> None:
    assert f"{REFRESH_SECONDS:.0f}s" == REFRESH_INTERVAL


def test_the_table_in_the_docs_is_that_of_production() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, latency_table(load(DOCUMENTED))), "run `make docs`"
