"""The capacity checks' constants follow from the recorded figures by their rules."""

from statistics import median

import pytest

from bench.figures import recorded
from bench.forwarder import RECORDS
from bench.sections.counting import SQL
from cost.alternatives import SPARK_SHARE_OF_FLINK
from settings import measured
from settings.search import SearchSettings


@pytest.mark.parametrize(
    ("cpu_seconds", "clicks"), [(4.0, 20_000), (3.4, 20_000), (5.0, 20_000), (12.0, 8_000)]
)
def test_a_kpu_counts_a_tenth_of_a_core_down_to_one_digit(cpu_seconds: float, clicks: int) -> None:
    assert measured.clicks_per_second_per_kpu(cpu_seconds) == clicks


@pytest.mark.parametrize(("cpu_seconds", "per_record"), [(0.2, 60e-6), (0.24, 60e-6), (0.241, 80e-6)])
def test_a_record_costs_two_and_a_half_times_what_was_measured_up_to_the_next_20_microseconds(
    cpu_seconds: float, per_record: float
) -> None:
    assert measured.forwarder_cpu_seconds_per_record(cpu_seconds, 10_000) == pytest.approx(per_record)


def test_the_clicks_of_a_kpu_follow_from_the_recorded_cpu_of_the_sql_job() -> None:
    cpu_seconds = median(recorded()["counting"]["figures"]["cpu_seconds_per_million"][SQL])
    assert measured.clicks_per_second_per_kpu(cpu_seconds) == measured.CLICKS_PER_SECOND_PER_KPU


def test_the_cpu_of_a_forwarded_record_follows_from_the_recorded_batch() -> None:
    cpu_seconds = min(recorded()["forwarder"]["figures"]["libraries"]["json"])
    wanted = measured.forwarder_cpu_seconds_per_record(cpu_seconds, RECORDS)
    assert wanted == pytest.approx(measured.FORWARDER_CPU_SECONDS_PER_RECORD)


def test_the_share_of_spark_in_the_cost_is_the_recorded_one_to_a_tenth() -> None:
    cpu_seconds = recorded()["counting"]["figures"]["cpu_seconds_per_million"]
    share = median(cpu_seconds[SQL]) / median(cpu_seconds["Spark"])
    assert pytest.approx(share, abs=0.1) == SPARK_SHARE_OF_FLINK


def test_a_data_node_is_taken_to_index_no_more_than_was_recorded() -> None:
    assumed = SearchSettings().documents_per_second_per_node
    assert assumed <= recorded()["search"]["figures"]["documents_per_second"]
