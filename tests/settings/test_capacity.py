"""Each hop is compared with the declared peak; the remedy of each message is enough and not too much."""

import re
from math import ceil
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from settings import Settings
from settings.analytics import AnalyticsSettings
from settings.capacity import (
    KPU_DISK_GB,
    WANTED_HEADROOM,
    default_max_parallelism,
    forwarder_capacity,
    problems,
    shards_to_read,
    shards_to_write,
    source_records,
    warnings,
)
from settings.delivery import DeliverySettings
from settings.forwarder import ForwarderSettings
from settings.measured import FORWARDER_CPU_SECONDS_PER_CLICK, FORWARDER_CPU_SECONDS_PER_RECORD
from settings.packing import Records, forwarded_records, web_records
from settings.peak import PeakSettings
from settings.search import SearchSettings
from settings.streams import StreamSettings

PEAKS = st.builds(
    PeakSettings,
    clicks_per_second=st.integers(1, 200_000),
    click_bytes=st.integers(120, 2_000),
    mobile_share=st.floats(0, 1),
    counts_per_click=st.floats(0.001, 1),
    web_servers=st.integers(1, 50),
    web_clicks_per_record=st.floats(1, 100),
    mobile_clicks_per_record=st.floats(1, 100),
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
    taken = Records(per_second=records, bytes_per_second=records * size)
    to_write, to_read = shards_to_write(taken), shards_to_read(taken, consumers=consumers)
    tolerance = 1 + 1e-9
    assert records * WANTED_HEADROOM <= to_write * 1_000 * tolerance
    assert records * size * WANTED_HEADROOM <= to_write * 1_048_576 * tolerance
    assert records * size * consumers * WANTED_HEADROOM <= to_read * 2_097_152 * tolerance


def test_by_count_by_bytes_and_by_consumers_the_nearest_limit_decides() -> None:
    small = Records(per_second=3_000, bytes_per_second=300_000)
    large = Records(per_second=300, bytes_per_second=300 * 10_240)
    assert shards_to_write(small) == 6  # 1,000 records/s each
    assert shards_to_write(large) == 6  # 1 MiB/s each
    assert shards_to_read(large, consumers=2) == 6  # 2 MiB/s each
    assert shards_to_read(large, consumers=4) == 12


def test_a_shard_takes_a_thousand_single_clicks_and_over_three_thousand_packed_ones() -> None:
    def shards(clicks_per_record: float) -> int:
        peak = PeakSettings(
            clicks_per_second=33_000,
            mobile_share=0,
            web_servers=100,
            web_clicks_per_record=clicks_per_record,
        )
        return shards_to_write(web_records(peak))

    assert shards(1) == 66  # with the headroom of 2
    assert shards(100) == 19  # 3,495 clicks/s of 300 bytes: bytes bind


def test_the_forwarder_writes_a_record_a_batch_and_lane_and_full_ones_for_the_rest() -> None:
    peak = PeakSettings(clicks_per_second=1_000, mobile_share=1)  # 300,000 bytes/s
    forwarder = ForwarderSettings(batching_window_seconds=2, record_bytes=30_000)
    found = forwarded_records(peak, forwarder, lanes=8)
    assert found == Records(per_second=8 / 2 + 10, bytes_per_second=300_000)
    at_once = ForwarderSettings(batching_window_seconds=0, record_bytes=30_000)
    assert forwarded_records(peak, at_once, lanes=8).per_second == 8 + 10  # Lambda polls once a second
    assert forwarded_records(peak, forwarder, lanes=20_000).per_second == 1_000  # one for each click


def test_too_few_shards_of_the_mobile_stream_do_not_hide_the_forwarders_records() -> None:
    peak = PeakSettings(clicks_per_second=20_000, mobile_share=1)
    few, enough = (
        source_records(
            settings_of(peak=peak, streams=StreamSettings(mode="provisioned", mobile_shards=shards))
        )
        for shards in (None, 40)
    )
    assert few == enough
    assert enough.per_second == 40 * 2 / 2 + 20_000 / 83


@pytest.mark.parametrize(("click_bytes", "clicks_of_a_record"), [(300, 3), (499, 2), (600, 1), (1_500, 1)])
def test_a_record_of_the_forwarder_is_filled_by_whole_clicks(
    click_bytes: int, clicks_of_a_record: int
) -> None:
    peak = PeakSettings(clicks_per_second=6_000, mobile_share=1, click_bytes=click_bytes)
    forwarder = ForwarderSettings(batching_window_seconds=2, record_bytes=1_000)
    found = forwarded_records(peak, forwarder, lanes=2)
    assert found.per_second == pytest.approx(min(6_000, 1 + 6_000 / clicks_of_a_record))


def test_a_batch_takes_the_time_of_its_records_and_of_their_clicks() -> None:
    packed = forwarder_capacity(ForwarderSettings(), click_bytes=300, clicks_per_record=50)
    assert packed.records_per_batch == 305  # 6 MiB of payload, 20,600 bytes a record
    cpu = 305 * (FORWARDER_CPU_SECONDS_PER_RECORD + 50 * FORWARDER_CPU_SECONDS_PER_CLICK)
    assert packed.batch_seconds == pytest.approx((0.02 + cpu) * 1769 / 768 + 0.150)


def test_a_shard_of_the_source_stream_carries_the_peak_of_packed_clicks() -> None:
    peak = PeakSettings(clicks_per_second=1_000, web_servers=3, web_clicks_per_record=160)
    assert remedies(settings_of(peak=peak, streams=StreamSettings(mode="provisioned"))) == {
        "streams.mobile_shards": 1,
        "streams.source_shards": 1,
    }


def test_packed_clicks_of_apps_need_fewer_shards_of_the_mobile_stream() -> None:
    peak = PeakSettings(clicks_per_second=10_000, mobile_share=1)
    provisioned = StreamSettings(mode="provisioned")
    single = remedies(settings_of(peak=peak, streams=provisioned))
    packed = peak.model_copy(update={"mobile_clicks_per_record": 5.0})
    assert single["streams.mobile_shards"] == 20
    assert remedies(settings_of(peak=packed, streams=provisioned))["streams.mobile_shards"] == 6


@given(clicks=st.integers(1, 3_000), size=st.integers(150, 2_000))
def test_the_forwarder_carries_a_shard_of_packs_as_well_as_one_of_single_clicks(
    clicks: int, size: int
) -> None:
    assume(clicks * size <= 1_048_576)
    single = forwarder_capacity(ForwarderSettings(), click_bytes=size)
    packed = forwarder_capacity(ForwarderSettings(), click_bytes=size, clicks_per_record=clicks)
    assert packed.headroom >= WANTED_HEADROOM
    # A batch is at most 6 MiB: a record may be left out of it that a hundred small ones would fill.
    assert packed.records_per_batch * clicks >= 0.6 * single.records_per_batch


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"streams": StreamSettings(mode="provisioned", mobile_shards=1, source_shards=1)},
            r"streams\.source_shards \(1\) cannot carry the declared peak: 507 records/s with 0\.29 MiB/s, "
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
            r"the forwarder would carry 0\.1 times what a shard takes in",
        ),
        (
            {"forwarder": ForwarderSettings(parallelization_factor=1)},
            r"the forwarder would carry 1\.9 times what a shard takes in, but must carry 2 times",
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


@given(
    peak=st.integers(1, 200_000),
    hours=st.integers(1, 168),
    parallelism=st.integers(1, 256),
    shared=st.sampled_from([1, 2, 8]),
)
def test_click_ids_that_fit_neither_cpu_nor_disks_are_refused_with_the_remedy(
    peak: int, hours: int, parallelism: int, shared: int
) -> None:
    def told(parallelism: int) -> list[int]:
        analytics = AnalyticsSettings(
            parallelism=parallelism, parallelism_per_kpu=shared, drop_repeated_click_ids_hours=hours
        )
        settings = settings_of(peak=PeakSettings(clicks_per_second=peak), analytics=analytics)
        text = "\n".join(problems(settings))
        return [int(number) for number in re.findall(r"analytics\.parallelism = (\d+)", text)]

    assume(parallelism >= shared)
    ids_gb = peak * 3600 * hours * 42 * 2 / 1e9
    if advised := told(parallelism):
        enough = max(advised)
        assert enough > parallelism - parallelism % shared
        assume(enough <= 256)
        assert told(enough) == []
        assert (enough // shared) * KPU_DISK_GB >= ids_gb
    else:
        assert ceil(parallelism / shared) * KPU_DISK_GB >= ids_gb


def test_click_ids_of_a_week_are_too_many_for_a_disk_and_the_hours_that_fit_are_said() -> None:
    analytics = AnalyticsSettings(drop_repeated_click_ids_hours=168, parallelism=3)
    _, told = problems(settings_of(peak=PeakSettings(clicks_per_second=4_000), analytics=analytics,
                                     search=SearchSettings(instance_count=6)))  # fmt: skip
    assert told == (
        "the click ids of analytics.drop_repeated_click_ids_hours (168) at 4,000 clicks/s take 198 GB, and "
        "the disks of 3 KPU 150: set analytics.parallelism = 4, or remember them for at most 127 h"
    )


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        (
            {"peak": PeakSettings(clicks_per_second=5_000)},
            {"mobile-stream-is-cold", "source-stream-is-cold", "reconciliation-time"},
        ),
        ({"peak": PeakSettings(clicks_per_second=3_000, mobile_share=0.2)}, {"source-stream-is-cold"}),
        (
            {
                "peak": PeakSettings(
                    clicks_per_second=3_000, mobile_share=0.2, web_servers=9, web_clicks_per_record=160
                )
            },
            set(),
        ),
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
