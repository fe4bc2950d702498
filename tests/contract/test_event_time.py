"""The contract's form of a time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.event_time import format_time, parse_time

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES))
def test_a_formatted_time_is_parsed_to_the_same_millisecond(at: datetime) -> None:
    assert parse_time(format_time(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_a_time_of_tokyo_is_written_in_utc() -> None:
    noon = datetime(2026, 1, 31, 12, 0, 0, 123_999, timezone(timedelta(hours=9)))
    assert format_time(noon) == "2026-01-31T03:00:00.123Z"
    assert parse_time("2026-01-31T03:00:00.123Z") == datetime(2026, 1, 31, 3, 0, 0, 123_000, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T03:00:00Z",
        "2026-01-31T03:00:00.123+00:00",
        "2026-01-31 03:00:00.123Z",
        "2026-02-31T03:00:00.123Z",
        "2026-01-31T24:00:00.000Z",
        "2026-01-31T03:00:00.123Z\n",
        "\uff12\uff10\uff12\uff16-01-31T03:00:00.123Z",
    ],
)
def test_any_other_form_is_no_time(text: str) -> None:
    assert parse_time(text) is None
