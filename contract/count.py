"""A count: the columns of a reader's segment and of the key under which clicks are counted.

The SQL cannot take its columns from here; tests/analytics/test_columns.py compares it, and names the file
that differs.
"""

SEGMENT_COLUMNS = ("gender", "age_band", "region")
COUNT_KEY = ("minute", "article_id", *SEGMENT_COLUMNS)
COUNT_COLUMNS = (*COUNT_KEY, "clicks", "published_at")

SEGMENT_FILE_HEADER = ("user_id", *SEGMENT_COLUMNS)
UNKNOWN = "unknown"
"""The value of every segment column for a reader who is in no version of the segments."""
