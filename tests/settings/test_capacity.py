"""Each hop is compared with the declared peak; the remedy of each message is enough and not too much."""

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from settings import Settings
from settings.analytics import AnalyticsSettings
from settings.capacity import (
    WANTED_HEADROOM,
    default_max_parallelism,
    problems,
    shards_to_read,
    shards_to_write,
    warnings,
)
from settings.delivery import DeliverySettings
from settings.forwarder import ForwarderSettings
from settings.peak import PeakSettings
from settings.search import SearchSettings
from settings.streams import StreamSettings

PEAKS = st.builds(
    PeakSettings,
    clicks_per_second=st.integers(1, 200_000),
    click_bytes=st.integers(120, 2_000),
    mobile_share=st.floats(0, 1),
    counts_per_click=st.floats(0.001, 1),
)
ONE_SHARD_EACH = StreamSettings(mode="provisioned", mobile_shards=1, source_shards=1)

NEVER_DELETES = {"volumes-are-small"}
"""The warning of every environment without search.retention_days: test_disks.py."""


def settings_of(**sections: Any) -> Settings:
    """Settings with these sections; every other has its defaults."""
    return Settings(environment="trial", account="111111111111", **sections)


def remedies(settings: Settings) -> dict[str, int]:
    """Key -> the number that a message advises."""
    text = "\n".join(problems(settings))
    return {key: int(number) for key, number in re.findall(r"([a-z]+\.[a-z_]+) = (\d+)", text)}


def mended(settings: Settings, changes: dict[str, int]) -> Settings:
    sections: dict[str, Any] = {}
    for key, number in changes.items():
        section, field = key.split(".")
        model = sections.get(section, getattr(settings, section))
        sections[section] = model.model_copy(update={field: number})
    return settings.model_copy(update=sections)


@given(peak=PEAKS)
def test_the_remedies_of_the_messages_carry_the_peak(peak: PeakSettings) -> None:
    settings = settings_of(
        peak=peak, streams=ONE_SHARD_EACH, search=SearchSettings(instance_count=1, availability_zones=1)
    )
    assert list(problems(mended(settings, remedies(settings)))) == []


@given(peak=PEAKS, key=st.sampled_from(["streams.mobile_shards", "streams.source_shards"]))
def test_one_shard_less_than_advised_is_too_few(peak: PeakSettings, key: str) -> None:
    settings = settings_of(peak=peak, streams=ONE_SHARD_EACH)
    wanted = remedies(settings)
    assume(wanted.get(key, 1) > 1)
    too_few = mended(settings, {**wanted, key: wanted[key] - 1})
    assert any(problem.startswith(key) for problem in problems(too_few))


@given(records=st.floats(0, 1_000_000), size=st.integers(1, 1_048_576), consumers=st.integers(1, 5))
def test_a_stream_of_that_many_shards_has_the_headroom_on_both_sides(
    records: float, size: int, consumers: int
) -> None:
    to_write, to_read = shards_to_write(records, size), shards_to_read(records, size, consumers=consumers)
    tolerance = 1 + 1e-9
    assert records * WANTED_HEADROOM <= to_write * 1_000 * tolerance
    assert records * size * WANTED_HEADROOM <= to_write * 1_048_576 * tolerance
    assert records * size * consumers * WANTED_HEADROOM <= to_read * 2_097_152 * tolerance


def test_by_count_by_bytes_and_by_consumers_the_nearest_limit_decides() -> None:
    assert shards_to_write(3_000, 100) == 6  # 1,000 records/s each
    assert shards_to_write(300, 10_240) == 6  # 1 MiB/s each
    assert shards_to_read(300, 10_240, consumers=2) == 6  # 2 MiB/s each
    assert shards_to_read(300, 10_240, consumers=4) == 12


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"streams": StreamSettings(mode="provisioned", mobile_shards=1, source_shards=1)},
            r"streams\.source_shards \(1\) cannot carry the declared peak: 1,000 records/s of 300 bytes, "
            r"with a headroom of 2, need 2 to write .* and 1 to read .* shared by 2\): set "
            r"streams\.source_shards = 2",
        ),
        (
            {"streams": StreamSettings(mode="provisioned", mobile_shards=1)},
            r"streams\.source_shards is missing .* needs streams\.source_shards = 2",
        ),
        (
            {"streams": StreamSettings(mobile_shards=2)},
            r'streams\.mobile_shards is for mode = "provisioned" only: remove it',
        ),
        (
            {"peak": PeakSettings(clicks_per_second=1_000_000, mobile_share=1)},
            r"the mobile stream must take 572 MiB/s .* in ap-northeast-1 takes 200: set streams\.mode",
        ),
        (
            {"forwarder": ForwarderSettings(parallelization_factor=1, batch_size=100)},
            r"the forwarder would carry 0\.2 times what a shard takes in",
        ),
        (
            {"peak": PeakSettings(clicks_per_second=30_000)},
            r"the application has 1 KPU, but 30,000 clicks/s .* need 3 .* set analytics\.parallelism = 3",
        ),
        (
            {"peak": PeakSettings(clicks_per_second=30_000)},
            r"the counts delivery stream would get 60,000 records/s .* request 18 MiB/s .* "
            r"delivery\.direct_put_mib_per_second = 18",
        ),
        (
            {"peak": PeakSettings(click_bytes=20_000)},
            r"the rejects delivery stream would get 1,000 records/s of 20040 bytes, but its quota is 5 MiB/s",
        ),
        (
            {"peak": PeakSettings(clicks_per_second=4_000), "search": SearchSettings(instance_count=3)},
            r"search\.instance_count \(3\) is too small: 8,000 counts/s, .* and 1 replica, .* = 6",
        ),
    ],
)
def test_a_hop_that_cannot_carry_the_peak_is_named_with_the_remedy(
    sections: dict[str, Any], message: str
) -> None:
    assert [problem for problem in problems(settings_of(**sections)) if re.search(message, problem)]


def test_the_default_settings_carry_the_default_peak_in_a_new_account() -> None:
    assert list(problems(settings_of())) == []
    assert {warning.id for warning in warnings(settings_of())} == NEVER_DELETES


@pytest.mark.parametrize(
    ("streams", "lanes", "quota", "warned"),
    [
        # A new stream on demand has four shards.
        (StreamSettings(), 10, None, "4 shards of 10 lanes each need 40 concurrent executions"),
        (StreamSettings(), 10, 40, None),
        (StreamSettings(), 10, 39, "40 concurrent executions of the forwarder; .* 39 in Tokyo"),
        (StreamSettings(), 2, None, None),
        (StreamSettings(), 3, None, "a new account has 10 .* forwarder.concurrent_executions"),
        (StreamSettings(mode="provisioned", mobile_shards=1, source_shards=2), 10, None, None),
        (StreamSettings(mode="provisioned", mobile_shards=2, source_shards=2), 10, None, "20 concurrent"),
        (
            StreamSettings(mode="provisioned", mobile_shards=101, source_shards=2),
            10,
            1_000,
            "1,010 concurrent",
        ),
    ],
)
def test_more_lanes_than_concurrent_executions_give_a_warning(
    streams: StreamSettings, lanes: int, quota: int | None, warned: str | None
) -> None:
    forwarder = ForwarderSettings(parallelization_factor=lanes, concurrent_executions=quota)
    texts = [
        warning.text
        for warning in warnings(settings_of(streams=streams, forwarder=forwarder))
        if warning.id == "forwarder-concurrency"
    ]
    if warned is None:
        assert texts == []
    else:
        assert re.search(warned, texts[0])


@pytest.mark.parametrize(
    ("parallelism", "maximum"),
    # Flink 2.3, KeyGroupRangeAssignment.computeDefaultMaxParallelism
    [(1, 128), (85, 128), (86, 256), (128, 256), (171, 256), (172, 512), (21_845, 32_768), (32_768, 32_768)],
)
def test_the_maximum_parallelism_of_a_state_is_flinks(parallelism: int, maximum: int) -> None:
    assert default_max_parallelism(parallelism) == maximum


@pytest.mark.parametrize(("parallelism", "first"), [(128, None), (129, 86), (256, 86)])
def test_a_parallelism_that_an_older_state_may_not_allow_gives_a_warning(
    parallelism: int, first: int | None
) -> None:
    analytics = AnalyticsSettings(parallelism=parallelism)
    texts = [
        warning.text
        for warning in warnings(settings_of(analytics=analytics))
        if warning.id == "state-max-parallelism"
    ]
    if first is None:
        assert texts == []
    else:
        assert f"first started with a parallelism below {first}" in texts[0]
        assert "raise analytics.state_generation" in texts[0]


def test_many_tasks_in_one_kpu_count_as_one() -> None:
    peak = PeakSettings(clicks_per_second=15_000, counts_per_click=0.1)
    crowded = settings_of(peak=peak, analytics=AnalyticsSettings(parallelism=4, parallelism_per_kpu=4))
    assert remedies(crowded)["analytics.parallelism"] == 8


def test_a_raised_quota_is_used() -> None:
    peak = PeakSettings(clicks_per_second=9_000)
    assert remedies(settings_of(peak=peak))["delivery.direct_put_mib_per_second"] == 6
    raised = settings_of(peak=peak, delivery=DeliverySettings(direct_put_mib_per_second=6))
    assert "delivery.direct_put_mib_per_second" not in remedies(raised)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"peak": PeakSettings(clicks_per_second=5_000)}, {"mobile-stream-is-cold", "source-stream-is-cold"}),
        ({"peak": PeakSettings(clicks_per_second=3_000)}, {"source-stream-is-cold"}),
        ({"peak": PeakSettings(clicks_per_second=1_000, click_bytes=4_000)}, {"source-stream-is-cold"}),
        (
            {"streams": StreamSettings(mode="provisioned", mobile_shards=501, source_shards=2)},
            {"forwarder-concurrency"},
        ),
        (
            {
                "streams": StreamSettings(mode="provisioned", mobile_shards=1, source_shards=2),
                "analytics": AnalyticsSettings(parallelism=3),
            },
            {"idle-source-tasks"},
        ),
    ],
)
def test_a_condition_that_no_setting_states_is_a_warning(
    sections: dict[str, Any], expected: set[str]
) -> None:
    known = {"forwarder": ForwarderSettings(concurrent_executions=1_000)}
    found = {warning.id for warning in warnings(settings_of(**known, **sections))}
    assert found == expected | NEVER_DELETES
