"""How answers are written for people."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from batch_server.minutes import Minutes
from batch_server.sheets import span_text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2026-11-01 05:30 to 06:30 UTC"),
        ("Asia/Tokyo", "2026-11-01 14:30 to 15:30 JST"),
        ("America/New_York", "2026-11-01 01:30 EDT to 01:30 EST"),
        ("Pacific/Auckland", "2026-11-01 18:30 to 19:30 NZDT"),
    ],
)
def test_a_span_over_a_change_of_the_clock_names_both_zones(zone: str, text: str) -> None:
    since = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert span_text(Minutes(since, since + timedelta(hours=1)), ZoneInfo(zone)) == text
