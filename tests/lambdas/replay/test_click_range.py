"""Which hours of the raw backup a range needs, and which ranges are refused."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.replay.click_range import MAX_DAYS, ClickRange, RangeError, asked_range

NOW = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
A_PROPERTY = 2048


def asked(begin: datetime, end: datetime, until: datetime | None = None, days: int = 90) -> ClickRange:
    return asked_range(begin, end, arrived_until=until, lateness=DAY, kept=timedelta(days=days), now=NOW)


def test_hours_reach_from_one_before_the_range_to_one_after_the_latest_click() -> None:
    hours = asked(BEGIN, BEGIN + 2 * HOUR).hours
    assert (hours[0], hours[-1]) == (BEGIN - HOUR, BEGIN + 2 * HOUR + DAY + HOUR)
    assert all(later - hour == HOUR for hour, later in pairwise(hours))


def test_hours_end_now_or_when_it_is_asked_for() -> None:
    assert asked(NOW - timedelta(minutes=30), NOW + HOUR).hours[-1].hour == NOW.hour
    until = BEGIN + timedelta(days=5)
    assert asked(BEGIN, BEGIN + HOUR, until).hours[-1] == until


@given(st.integers(0, 50 * 24), st.integers(1, 35 * 24))
def test_the_pattern_matches_the_objects_of_exactly_these_hours(begins: int, lasts: int) -> None:
    begin = NOW - timedelta(days=85) + begins * HOUR
    found = asked(begin, begin + lasts * HOUR)
    pattern = re.compile(found.path_pattern)
    first = found.hours[0] - 50 * HOUR
    for number in range(0, len(found.hours) + 100, 7):
        hour = first + number * HOUR
        path = f"s3://bucket/raw/{hour:%Y/%m/%d/%H}/delivery-1-2026.json.gz"
        assert bool(pattern.fullmatch(path)) == (hour in found.hours)
        assert not pattern.fullmatch(path.replace("/raw/", "/raw-errors/"))
    assert len(found.path_pattern) <= A_PROPERTY


def test_the_longest_range_fits_into_a_property() -> None:
    whole = ClickRange(begin=BEGIN, end=BEGIN + MAX_DAYS * DAY, arrived_until=BEGIN + (MAX_DAYS + 7) * DAY)
    assert len(whole.path_pattern) <= A_PROPERTY


def test_times_of_any_zone_are_taken() -> None:
    assert asked(datetime.fromisoformat("2026-01-31T21:00+09:00"), BEGIN + HOUR).begin == BEGIN


@pytest.mark.parametrize(
    ("begin", "end", "until", "told"),
    [
        (BEGIN.replace(tzinfo=None), BEGIN + HOUR, None, "has no zone"),
        (BEGIN, BEGIN, None, "not after its begin"),
        (datetime.min.replace(tzinfo=UTC), BEGIN, None, "outside the calendar"),
        (BEGIN, BEGIN + HOUR, datetime.max.replace(tzinfo=UTC), "outside the calendar"),
        (BEGIN.replace(second=1), BEGIN + HOUR, None, "12:00:01.000Z is within a count"),
        (NOW + HOUR, NOW + 2 * HOUR, None, "which is not over"),
        (BEGIN - MAX_DAYS * DAY, BEGIN + HOUR, None, "longer than 92 days"),
        (NOW - 90 * DAY, NOW, None, "keeps 90 days, so clicks of 2025-11-12T09:30:00.000Z may be gone"),
        (BEGIN, BEGIN + HOUR, BEGIN, "are none of a range that begins"),
    ],
)
def test_a_range_that_cannot_be_replayed_is_refused(
    begin: datetime, end: datetime, until: datetime | None, told: str
) -> None:
    with pytest.raises(RangeError, match=told):
        asked(begin, end, until)
