"""A count: the columns of a segment, the key under which clicks are counted, and the window of a count.

The SQL cannot take them from here; tests/analytics_sql/test_columns.py compares it, and names the file that
differs.
"""

from datetime import UTC, datetime, timedelta

SEGMENT_COLUMNS = ("gender", "age_band", "region")
COUNT_KEY = ("minute", "article_id", *SEGMENT_COLUMNS)
COUNT_COLUMNS = (*COUNT_KEY, "clicks", "published_at")
COUNT_GENERATION = 1
"""Raised whenever COUNT_KEY or WINDOW changes: docs/start/changing_the_query.md."""

WINDOW = timedelta(minutes=1)
"""The window of a count: it divides a minute, an hour or a day. The column `minute` has its start, whatever
its length."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEGMENT_FILE_HEADER = ("user_id", *SEGMENT_COLUMNS)
UNKNOWN = "unknown"
"""The value of every segment column for a reader who is not in the segments."""


def start_of_count(time: datetime) -> datetime:
    """The start, in UTC, of the window in which a click at `time` counts; `time` has a time zone."""
    return time.astimezone(UTC) - (time - _EPOCH) % WINDOW
