"""Spans of whole minutes in UTC, or of what else a count spans: what every question is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.batch_server.duration import MAX_DURATION
from clients.batch_server.errors import QuestionError
from contract.count import WINDOW, start_of_count

DAY = timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 2000, 2999  # well within what a datetime and OpenSearch's dates hold


@dataclass(frozen=True)
class Minutes:
    """The minutes that start from `since` (included) to `until` (excluded), both UTC; with another WINDOW the
    spans of that length."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    def days(self) -> list["Minutes"]:
        """The parts of the UTC days; the counts of a part are in one index, which has one shard."""
        return list(self._days())

    def _days(self) -> Iterator["Minutes"]:
        since = self.since
        while since < self.until:
            midnight = since.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
            yield Minutes(since, min(midnight, self.until))
            since = midnight


def minutes_between(since: datetime, until: datetime) -> Minutes:
    """Each minute that overlaps the time from `since` to `until`; the span is widened to whole minutes.

    Raises QuestionError for times without a zone, a span that is empty or longer than MAX_DURATION.
    """
    for time in (since, until):
        if time.utcoffset() is None:
            raise QuestionError(f"{time.isoformat()} has no time zone: write one, such as +09:00 or Z")
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise QuestionError(
                f"there are no counts of the year {time.year}: write one of {FIRST_YEAR} to {LAST_YEAR}"
            )
    if since >= until:
        raise QuestionError("the time asked for is empty: it must end after it begins")
    if until - since > MAX_DURATION:
        raise QuestionError(f"the time asked for is longer than {MAX_DURATION.days} days: ask for less")
    return Minutes(start_of_count(since), _end_of_count(until))


def last_minutes(last: timedelta, until: datetime) -> Minutes:
    """The minutes that overlap the time from `last` before `until` until `until`; the running one is among
    them when `until` is now. Raises QuestionError as minutes_between."""
    try:
        since = until - last
    except OverflowError:
        raise QuestionError(f"there is no time {last} before {until.isoformat()}: ask for less") from None
    return minutes_between(since, until)


def _end_of_count(time: datetime) -> datetime:
    """The first start of a count that is not before `time`."""
    start = start_of_count(time)
    return start if start == time else start + WINDOW
