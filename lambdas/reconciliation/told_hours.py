"""Which hours are still to be reconciled: the function's own log tells which it has reconciled."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

HOUR = timedelta(hours=1)
MAX_OPEN = timedelta(hours=48)
"""From the newest final hour. One that stays open for longer is left to `click-trends reconcile`."""
HOUR_KEY, FINAL_KEY = "hour", "is_final"
"""Of a log line about an hour."""
OF_AN_HOUR = "an hour"
"""Begins the message of each such line."""
_PATTERN = f'{{ $.message = "{OF_AN_HOUR} *" }}'


class ToldHours(NamedTuple):
    """final: hours that are reconciled for good; first: the earliest that was told of; None if none was."""

    final: frozenset[datetime]
    first: datetime | None


NOTHING_KNOWN = ToldHours(frozenset(), None)
"""Where the log cannot be read."""


def told_hours(logs: Any, group: str, since: datetime, *, until_final: timedelta) -> ToldHours:
    """From the lines of a log group since then. until_final: from an hour's end; what was told of it sooner,
    by an invocation with another time, is no word on it. Raises botocore's errors."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=round(since.timestamp() * 1000), filterPattern=_PATTERN
    )
    final, every = set(), set()
    for hour, is_final, at in _hours(event for page in pages for event in page.get("events", [])):
        if at < hour + HOUR + until_final:
            continue
        every.add(hour)
        if is_final:
            final.add(hour)
    return ToldHours(frozenset(final), min(every, default=None))


def _hours(events: Iterable[Mapping[str, Any]]) -> Iterator[tuple[datetime, bool, datetime]]:
    """Each hour that is told of, whether it is final, and when that was told."""
    for event in events:
        try:
            line = json.loads(event["message"])
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            hour = datetime.fromisoformat(line[HOUR_KEY]).astimezone(UTC)
            yield hour, line[FINAL_KEY] is True, at
        except (ValueError, TypeError, KeyError):
            continue  # of something else


def open_hours(newest: datetime, told: ToldHours) -> list[datetime]:
    """Starts of the hours to reconcile up to the newest. That comes first, then the oldest: no hour keeps the
    newest from being reconciled."""
    start = max(newest - MAX_OPEN + HOUR, min(told.first or newest, newest))
    hours = [start + number * HOUR for number in range((newest - start) // HOUR)]
    return [hour for hour in (newest, *hours) if hour not in told.final]
