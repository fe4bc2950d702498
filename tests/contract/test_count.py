"""The window of a count."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contract.count import WINDOW, start_of_count

START = datetime(2026, 1, 31, tzinfo=UTC)
KOLKATA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9)), KOLKATA])
@pytest.mark.parametrize("after", [timedelta(0), WINDOW - timedelta(microseconds=1)])
def test_a_click_belongs_to_the_window_it_happened_in_and_windows_are_in_utc(
    zone: timezone, after: timedelta
) -> None:
    start = start_of_count((START + after).astimezone(zone))
    assert (start, start.utcoffset()) == (START, timedelta(0))
