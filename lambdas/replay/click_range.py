"""The range of a replay: the clicks that it counts, and the hours of the raw backup that hold them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from contract.count import WINDOW, start_of_count
from contract.event_time import format_time
from names import RAW_PREFIX

MARGIN = timedelta(hours=1)
"""Of hours of arrival before the range, for clocks that were ahead and for objects named after their oldest
record, and after it, for clicks that waited in a producer or a stream."""
MAX_DAYS = 92
"""In one replay. The hours of more do not fit into a property of an application, 2,048 characters
(https://docs.aws.amazon.com/managed-flink/latest/apiv2/API_PropertyGroup.html)."""
FIRST_YEAR, LAST_YEAR = datetime.min.year, datetime.max.year
"""In which a zone or an hour more can be outside the calendar."""
SUFFIX = ".json.gz"
HOUR = timedelta(hours=1)


class RangeError(ValueError):
    """The range cannot be replayed; the message says what is wrong with it and what to give."""


@dataclass(frozen=True, kw_only=True)
class ClickRange:
    """Clicks whose `clicked_at` is in [begin, end), of records that arrived until `arrived_until`. In UTC."""

    begin: datetime
    end: datetime
    arrived_until: datetime

    @property
    def hours(self) -> list[datetime]:
        """The hours of arrival to read, in order."""
        first = (self.begin - MARGIN).replace(minute=0, second=0, microsecond=0)
        number = (self.arrived_until - first) // HOUR + 1
        return [first + n * HOUR for n in range(max(0, number))]

    @property
    def prefixes(self) -> list[str]:
        """Of the raw objects of each hour."""
        return [f"{RAW_PREFIX}{hour:%Y/%m/%d/%H}/" for hour in self.hours]

    @property
    def path_pattern(self) -> str:
        """A regular expression for the paths of the raw objects, as Flink's file source takes it."""
        return f".*/{RAW_PREFIX}({'|'.join(self._days())})/[^/]*{SUFFIX.replace('.', '[.]')}"

    def _days(self) -> Iterator[str]:
        for day, hours in groupby(self.hours, key=lambda hour: f"{hour:%Y/%m/%d}"):
            numbers = [f"{hour:%H}" for hour in hours]
            yield f"{day}/.." if len(numbers) == 24 else f"{day}/({'|'.join(numbers)})"

    def __str__(self) -> str:
        return f"{format_time(self.begin)} to {format_time(self.end)}"


def asked_range(
    begin: datetime,
    end: datetime,
    *,
    arrived_until: datetime | None,
    lateness: timedelta,
    kept: timedelta,
    now: datetime,
) -> ClickRange:
    """The range as a person asks for it.

    lateness: after which the live path rejects a click; kept: for which raw objects are. All times have a
    zone. Raises RangeError.
    """
    given = (begin, end) if arrived_until is None else (begin, end, arrived_until)
    if any(time.utcoffset() is None for time in given):
        raise RangeError("a time has no zone: write one such as 2026-01-31T09:15Z or 2026-01-31T18:15+09:00")
    if any(not FIRST_YEAR < time.year < LAST_YEAR for time in given):
        raise RangeError("a time is outside the calendar: write one such as 2026-01-31T09:15Z")
    begin, end, now = (time.astimezone(UTC) for time in (begin, end, now))
    for time in (begin, end):
        if start_of_count(time) != time:
            minutes = WINDOW / timedelta(minutes=1)
            raise RangeError(
                f"{format_time(time)} is within a count: only whole counts are right, so begin and end a "
                f"range at a multiple of {minutes:g} min"
            )
    if begin >= end:
        raise RangeError(f"the range ends at {format_time(end)}, not after its begin: give a later end")
    if begin >= now:
        raise RangeError(f"the range begins at {format_time(begin)}, which is not over: give an earlier one")
    if end - begin > timedelta(days=MAX_DAYS):
        raise RangeError(f"the range is longer than {MAX_DAYS} days: give shorter ones, one after another")
    if begin - MARGIN < now - kept:
        raise RangeError(
            f"the raw backup keeps {kept.days} days, so clicks of {format_time(begin)} may be gone, and "
            f"counts would be too small: begin at {format_time(now - kept + MARGIN + WINDOW)} or later"
        )
    until = end + lateness + MARGIN if arrived_until is None else arrived_until.astimezone(UTC)
    if until <= begin:
        raise RangeError(
            f"clicks that arrived until {format_time(until)} are none of a range that begins at "
            f"{format_time(begin)}: give a later time, or leave it out"
        )
    return ClickRange(begin=begin, end=end, arrived_until=min(until, now))
