"""Counts made up for the tests."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from contract.count import SEGMENT_COLUMNS, UNKNOWN

Count = dict[str, Any]
AddCounts = Callable[[Iterable[Count]], None]


def count(minute: datetime, article_id: str, clicks: int, **fields: Any) -> Count:
    """A count as the analytics application publishes it."""
    plain = dict.fromkeys(SEGMENT_COLUMNS, UNKNOWN) | {
        "gender": "female",
        "age_band": "20s",
        "region": "tokyo",
    }
    published = {"published_at": minute + timedelta(seconds=70)}
    return {"minute": minute, "article_id": article_id, "clicks": clicks} | plain | published | fields
