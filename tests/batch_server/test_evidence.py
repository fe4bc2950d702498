"""The statistics of compare and rising, held against exact sums, against closed cases, and by simulation."""

import math
import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_server import evidence
from batch_server.evidence import FALSE_ALARM_RATE, INTERVAL

ARTICLES = 300
CLICKS = 20_000
RUNS = 400
# Four standard errors of a share of RUNS: a right rate goes above its limit by that in 1 of 30,000 tests.
TOLERANCE = 4 * math.sqrt(FALSE_ALARM_RATE * (1 - FALSE_ALARM_RATE) / RUNS)

Shares = numpy.ndarray[tuple[int], numpy.dtype[numpy.float64]]


def _popularity() -> Shares:
    """Few articles with most clicks, many with few: 20,000 clicks give the first 3,200 and the last 11."""
    weights = 1.0 / numpy.arange(1, ARTICLES + 1)
    shares: Shares = weights / weights.sum()
    return shares


@given(st.integers(1, 60), st.data(), st.floats(0.001, 0.999))
def test_the_tails_are_the_sums_of_the_binomial_probabilities(
    clicks: int, data: st.DataObject, share: float
) -> None:
    part = data.draw(st.integers(0, clicks))
    terms = [math.comb(clicks, k) * share**k * (1 - share) ** (clicks - k) for k in range(clicks + 1)]
    upper, lower = min(1.0, sum(terms[part:])), min(1.0, sum(terms[: part + 1]))
    if part > clicks * share:
        assert evidence.upper_tail(part, clicks, share) == pytest.approx(upper, rel=1e-9)
    else:
        assert evidence.upper_tail(part, clicks, share) == 1.0
    if part < clicks * share:
        assert evidence.lower_tail(part, clicks, share) == pytest.approx(lower, rel=1e-9)
    else:
        assert evidence.lower_tail(part, clicks, share) == 1.0
    assert 0.0 <= evidence.two_sided(part, clicks, share) <= 1.0


def test_tails_of_millions_of_clicks_neither_overflow_nor_take_long() -> None:
    assert evidence.two_sided(5_000_000, 10_000_000, 0.5) == pytest.approx(1.0)
    assert evidence.two_sided(5_003_000, 10_000_000, 0.5) == pytest.approx(0.0578, rel=0.01)
    assert evidence.two_sided(9_999_999, 10_000_000, 1e-9) == 0.0


def test_holm_rejects_in_steps_and_stops_at_the_first_that_stands() -> None:
    assert evidence.significant([0.04, 0.01, 0.02], 0.05) == [True, True, True]
    assert evidence.significant([0.01, 0.04, 0.026], 0.05) == [True, False, False]
    assert evidence.significant([0.02, 0.02, 0.02], 0.05) == [False, False, False]
    assert evidence.significant([], 0.05) == []


@pytest.mark.parametrize("share", [0.5, 0.1, 0.003])
def test_under_no_difference_any_article_is_named_in_at_most_1_of_20_answers(share: float) -> None:
    rng = numpy.random.default_rng(2008)
    shares = _popularity()
    named = 0
    for _ in range(RUNS):
        group = rng.multinomial(round(CLICKS * share), shares)
        others = rng.multinomial(CLICKS - round(CLICKS * share), shares)
        observed = round(CLICKS * share) / CLICKS
        p_values = [
            evidence.two_sided(int(part), int(part + rest), observed)
            for part, rest in zip(group, others, strict=True)
            if part + rest
        ]
        named += any(evidence.significant(p_values))
    assert named / RUNS <= FALSE_ALARM_RATE + TOLERANCE


@pytest.mark.parametrize("recent_share", [0.5, 0.1])
def test_under_no_growth_any_article_is_called_rising_in_at_most_1_of_20_answers(recent_share: float) -> None:
    rng = numpy.random.default_rng(1999)
    shares = _popularity()
    named = 0
    for _ in range(RUNS):
        recent = rng.multinomial(rng.poisson(CLICKS * recent_share), shares)
        before = rng.multinomial(rng.poisson(CLICKS * (1 - recent_share)), shares)
        observed = recent.sum() / (recent.sum() + before.sum())
        p_values = [
            evidence.upper_tail(int(new), int(new + old), float(observed))
            for new, old in zip(recent, before, strict=True)
            if new + old
        ]
        named += any(evidence.significant(p_values))
    assert named / RUNS <= FALSE_ALARM_RATE + TOLERANCE


def test_an_article_that_a_tenth_of_readers_read_twice_as_much_is_found() -> None:
    rng = numpy.random.default_rng(2)
    shares = _popularity()
    planted = 5  # expected: 2,000 of the group's clicks * 0.0265 = 53, doubled
    doubled = shares.copy()
    doubled[planted] *= 2
    doubled /= doubled.sum()
    found = 0
    for _ in range(100):
        group, others = rng.multinomial(2000, doubled), rng.multinomial(18_000, shares)
        p_values = [
            evidence.two_sided(int(part), int(part + rest), 0.1)
            for part, rest in zip(group, others, strict=True)
        ]
        found += evidence.significant(p_values)[planted]
    assert found >= 95


def test_few_clicks_look_like_a_small_effect_and_many_like_the_one_they_show() -> None:
    few = evidence.weighted_log_odds(2, 1000, 10, 100_000)  # 20 times the share of the others
    many = evidence.weighted_log_odds(2000, 1_000_000, 10_000, 100_000_000)
    assert few.z < 4 < many.z
    assert few.high / few.low > 5
    assert many.estimate == pytest.approx(20 / 1.1, rel=0.1)
    assert many.high / many.low < 1.2
    lucky = evidence.shrunk_growth(3, 1000, 0, 10_000)  # no click before, three now
    assert lucky.low < 1.2
    new = evidence.shrunk_growth(300, 1000, 0, 10_000)
    assert new.low > 20


def test_a_group_that_reads_as_everyone_gets_a_ratio_of_one() -> None:
    same = evidence.weighted_log_odds(50, 1000, 500, 10_000)
    assert same.estimate == pytest.approx(1.0)
    assert same.low < 1 < same.high
    assert evidence.shrunk_growth(50, 1000, 500, 10_000).estimate == pytest.approx(1.0)


def test_more_and_less_are_mirror_images() -> None:
    more = evidence.weighted_log_odds(80, 1000, 400, 10_000)
    less = evidence.weighted_log_odds(400, 10_000, 80, 1000)
    assert more.estimate == pytest.approx(1 / less.estimate)
    assert more.z == pytest.approx(-less.z)


def test_extreme_groups_give_finite_numbers() -> None:
    for ratio in (
        evidence.weighted_log_odds(1, 1, 0, 10**9),
        evidence.weighted_log_odds(0, 1, 10**9 - 1, 10**9),
        evidence.weighted_log_odds(10, 10, 0, 10),
        evidence.shrunk_growth(10**9, 10**9, 0, 1),
        evidence.shrunk_growth(0, 1, 10**9, 10**9),
    ):
        assert all(map(math.isfinite, (ratio.estimate, ratio.low, ratio.high, ratio.z)))
        assert 0 < ratio.low < ratio.estimate < ratio.high


@pytest.mark.parametrize(("before", "growth"), [(40, 3.0), (200, 3.0), (200, 1.5), (1000, 1.2)])
def test_the_interval_of_growth_holds_the_true_growth_as_often_as_stated(before: int, growth: float) -> None:
    rng = numpy.random.default_rng(before)
    recent_all, before_all = 10_000, 60_000
    expected = before * recent_all / before_all
    held = 0
    for _ in range(2000):
        interval = evidence.shrunk_growth(
            int(rng.poisson(expected * growth)), recent_all, int(rng.poisson(before)), before_all
        )
        held += interval.low <= growth <= interval.high
    assert held / 2000 == pytest.approx(INTERVAL, abs=0.05)


def test_the_interval_of_a_comparison_holds_the_true_odds_as_often_as_stated() -> None:
    rng = numpy.random.default_rng(8)
    truth = 1.5
    held = 0
    for _ in range(2000):
        part, rest = rng.binomial(5000, 0.01 * truth), rng.binomial(50_000, 0.01)
        interval = evidence.weighted_log_odds(int(part), 5000, int(rest), 50_000)
        held += interval.low <= truth <= interval.high
    assert held / 2000 == pytest.approx(INTERVAL, abs=0.05)


def test_the_order_of_articles_changes_nothing() -> None:
    p_values = [0.0001, 0.3, 0.00001, 0.9, 0.02]
    rejected = evidence.significant(p_values)
    order = random.Random(1).sample(range(5), 5)
    assert evidence.significant([p_values[n] for n in order]) == [rejected[n] for n in order]
