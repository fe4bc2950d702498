"""The time that a viewer looks at: one that ends now and moves on, or one with a beginning and an end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.batch_server.duration import parse_duration
from clients.batch_server.errors import TrendsError
from clients.batch_server.minutes import DAY, minutes_between
from contract.count import WINDOW
from contract.event_time import parse_time

MAX_LAST = DAY
MAX_LENGTH = 7 * DAY
"""Of a time with a beginning and an end: its series are asked by the hour."""
MAX_BARS = 150
HOUR = timedelta(hours=1)
STEPS = (WINDOW, *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30)), HOUR)


@dataclass(frozen=True, kw_only=True)
class Spans:
    """What a page shows that was opened without a time. last: of heat map and rising; before: the longer time
    of the series and of compare, and what rising is held against."""

    last: timedelta
    before: timedelta


@dataclass(frozen=True, kw_only=True)
class Covered:
    """The times of the panels. last: heat map and rising; long: series and compare; before: what rising is
    held against; until: where all of them end."""

    last: timedelta
    long: timedelta
    before: timedelta
    until: datetime

    @property
    def step(self) -> timedelta:
        """Of the series: what a count spans, or longer where that were more than MAX_BARS bars."""
        fitting = (step for step in STEPS if not step % WINDOW and self.long <= MAX_BARS * step)
        return next(fitting, max(HOUR, WINDOW))


@dataclass(frozen=True, kw_only=True)
class TimeShown:
    """last: the time until now, None for the board's own; or since (included) and until (excluded), UTC."""

    last: timedelta | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_fixed(self) -> bool:
        """It has a beginning and an end."""
        return self.since is not None

    def covered(self, spans: Spans, now: datetime) -> Covered:
        """The part of it that is not in the future. Raises TrendsError where there is none."""
        if self.since is None or self.until is None:
            last = self.last or spans.last
            longer = max(last, spans.before)
            return Covered(last=last, long=longer, before=longer if self.last else spans.before, until=now)
        if self.since >= now:
            raise TrendsError("the time that is asked for is in the future: choose an earlier one")
        until = min(self.until, now)
        length = until - self.since
        return Covered(last=length, long=length, before=max(length, spans.before), until=until)


MOVING = TimeShown()


def range_chosen(last: str | None, since: str | None, until: str | None) -> TimeShown:
    """last: as 10m; since and until: times of the contract's form. Raises TrendsError, with the reason."""
    if last is not None:
        if since is not None or until is not None:
            raise TrendsError("choose last, or since and until: not all of them")
        try:
            moving = TimeShown(last=parse_duration(last))
        except ValueError as error:
            raise TrendsError(str(error)) from None
        if not WINDOW <= (moving.last or WINDOW) <= MAX_LAST:
            raise TrendsError(f"{last} is not within the last 24 hours: choose since and until")
        return moving
    if since is None and until is None:
        return MOVING
    begins, ends = parse_time(since or ""), parse_time(until or "")
    if begins is None or ends is None:
        raise TrendsError("write both since and until as 2026-01-31T09:15:00.000Z")
    minutes_between(begins, ends)  # refuses what no count can be of
    if ends - begins > MAX_LENGTH:
        raise TrendsError(f"the board shows {MAX_LENGTH.days} days at most: choose a shorter time")
    return TimeShown(since=begins, until=ends)
