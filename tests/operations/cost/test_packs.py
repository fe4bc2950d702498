"""What is billed of records that hold several clicks."""

import random
from math import ceil
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.cost.packs import Flow, Packs, single
from operations.cost.range import Range

STEPS = st.sampled_from([1, 1024, 5 * 1024, 25 * 1024])


def of(waiting: float, *, record_bytes: int = 1_048_576) -> Packs:
    return Packs(items_per_second=1_000, item_bytes=300, waiting=waiting, record_bytes=record_bytes)


def test_a_click_by_itself_is_rounded_up() -> None:
    assert of(1).billed_per_second(1024) == 1_000 * 1024
    assert of(1).billed_per_second(5 * 1024) == 1_000 * 5 * 1024
    assert of(1).records_per_second == 1_000


def test_an_item_larger_than_a_record_may_be_is_a_record_of_its_own() -> None:
    large = Packs(items_per_second=2, item_bytes=30_000, waiting=3, record_bytes=25_000)
    assert large.billed_per_second(1024) == pytest.approx(2 * 30 * 1024)
    assert large.records_per_second == pytest.approx(2)


def test_many_clicks_lose_half_a_step_a_record() -> None:
    lost = of(200).billed_per_second(5 * 1024) - 300_000
    assert lost == pytest.approx(1_000 / 200 * 2_560, rel=0.05)


def test_what_does_not_fit_in_a_record_begins_another() -> None:
    full = of(10_000, record_bytes=25_000)  # 83 clicks, 24,900 bytes
    assert full.records_per_second == pytest.approx(1_000 / 83, rel=0.01)
    assert full.billed_per_second(1024) == pytest.approx(1_000 / 83 * 25 * 1024, rel=0.01)


@pytest.mark.parametrize(("waiting", "step"), [(1.3, 1024), (4, 5120), (33, 5120), (150, 25_600)])
def test_the_mean_is_that_of_clicks_that_come_at_random(waiting: float, step: int) -> None:
    chance = random.Random(7)

    def billed() -> int:
        number, time = 1, chance.expovariate(1)
        while time < waiting - 1:
            number, time = number + 1, time + chance.expovariate(1)
        full, rest = divmod(number, 83)
        return full * ceil(83 * 300 / step) * step + ceil(rest * 300 / step) * step

    simulated = mean(billed() for _ in range(5_000)) / waiting * 1_000
    assert of(waiting, record_bytes=25_000).billed_per_second(step) == pytest.approx(simulated, rel=0.03)


@given(waiting=st.floats(1, 5_000), size=st.integers(1, 5_000), step=STEPS)
def test_no_less_than_the_bytes_is_billed_and_no_more_than_for_single_clicks(
    waiting: float, size: int, step: int
) -> None:
    packs = Packs(items_per_second=100, item_bytes=size, waiting=waiting, record_bytes=25_000)
    alone = Packs(items_per_second=100, item_bytes=size).billed_per_second(step)
    tolerance = 1 + 1e-6
    assert packs.bytes_per_second <= packs.billed_per_second(step) * tolerance
    assert packs.billed_per_second(step) <= alone * tolerance


def test_nothing_that_flows_is_billed_as_nothing() -> None:
    assert single(Range(0, 0), 300).billed_per_second(1024) == Range(0, 0)


def test_a_flow_is_the_sum_of_its_senders_at_each_end() -> None:
    flow = Flow(low=(of(1), of(1)), high=(of(1), of(1), of(1)))
    assert flow.records_per_second == Range(2_000, 3_000)
    assert flow.bytes_per_second == Range(600_000, 900_000)
    assert flow.billed_per_second(1024) == Range(2_048_000, 3_072_000)
