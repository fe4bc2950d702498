"""The capacity checks' constants follow from the recorded figures by their rules."""

from pathlib import Path
from shutil import copy

import pytest

from bench import constants
from bench.figures import recorded
from settings import measured
from settings.search import SearchSettings


@pytest.mark.parametrize(
    ("cpu_seconds", "clicks"),
    [(5.0, 20_000), (4.0, 20_000), (2.1, 20_000), (2.0, 50_000), (5.1, 10_000), (12.0, 5_000)],
)
def test_a_kpu_counts_a_tenth_of_a_core_rounded_down_to_1_2_or_5(cpu_seconds: float, clicks: int) -> None:
    assert measured.clicks_per_second_per_kpu(cpu_seconds) == clicks


@pytest.mark.parametrize(
    ("single", "packed", "constants"),
    [
        (0.2, 0.2, (0, 50)),  # the clicks alone
        (0.2, 0.004, (50, 0)),  # the records alone
        (0.2, 0.12, (30, 30)),  # 8.2 and 11.8 us, times 2.5, rounded up to 10
        (0.24, 0.1, (40, 30)),
        (0.1, 0.11, (0, 30)),  # noise: packs took longer
    ],
)
def test_a_record_and_its_clicks_cost_2_5_times_their_cpu_rounded_up_to_10_us(
    single: float, packed: float, constants: tuple[int, int]
) -> None:
    found = measured.forwarder_cpu_microseconds(single, packed, clicks=10_000, clicks_per_record=50)
    assert found == constants


def test_the_constants_in_use_are_those_of_the_recorded_figures(tmp_path: Path) -> None:
    made = Path(copy(measured.FILE, tmp_path))
    constants.write(recorded(), made)
    assert made.read_text() == measured.FILE.read_text(), "figures and constants disagree: run `make docs`"


def test_figures_that_changed_change_the_constants_and_others_stay(tmp_path: Path) -> None:
    made = Path(copy(measured.FILE, tmp_path))
    faster = {"counting": {"figures": {"cpu_seconds_per_million": {"SQL job": [1.9, 1.8]}}}}
    constants.write(faster, made)
    text = made.read_text()
    assert "clicks_per_second_per_kpu = 50000\n" in text
    before = round(measured.FORWARDER_CPU_SECONDS_PER_CLICK * 1e6)
    assert f"forwarder_cpu_microseconds_per_click = {before}\n" in text


def test_the_forwarders_constants_follow_from_single_clicks_and_packs(tmp_path: Path) -> None:
    made = Path(copy(measured.FILE, tmp_path))
    packed = {"clicks_per_record": 50, "processor": [0.14, 0.12]}
    figures = {"libraries": {"json": [0.25, 0.2]}, "packed": packed}
    constants.write({"forwarder": {"figures": figures}}, made)
    text = made.read_text()
    assert "forwarder_cpu_microseconds_per_record = 30\n" in text
    assert "forwarder_cpu_microseconds_per_click = 30\n" in text


def test_a_data_node_is_assumed_to_index_no_more_than_recorded() -> None:
    if "search" not in recorded():
        pytest.skip("not recorded yet: python -m bench --record search")
    assumed = SearchSettings().documents_per_second_per_node
    assert assumed <= recorded()["search"]["figures"]["documents_per_second"]
