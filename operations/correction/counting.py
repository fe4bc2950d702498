"""Days counted again as a replay counts: each distinct click of the raw backup once, with this tree's SQL."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from contract.event_time import parse_time
from contract.sink import Sink
from lambdas.replay.click_range import ClickRange, RangeError, asked_range
from lambdas.replay.objects import corrections, in_force, last_before
from names import SEGMENTS_CORRECTIONS_PREFIX
from operations.operator import Operator, RefusedError
from operations.replay.here import Found, count_here, lines_of_counts, look
from settings.analytics import AnalyticsSettings

CountDays = Callable[[date, date, Path], str]
"""(first day, last day, empty folder) -> what was read; then each sink's counts are in the folder, below the
name of its table."""
Tell = Callable[[str], None]


def range_of(first: date, last: date, given: Operator, now: datetime) -> ClickRange:
    """All clicks of these days that have arrived. Raises RefusedError where some may be gone."""
    settings = given.settings
    try:
        return asked_range(
            datetime.combine(first, time(), UTC),
            datetime.combine(last + timedelta(days=1), time(), UTC),
            arrived_until=None,
            lateness=timedelta(hours=settings.analytics.allowed_lateness_hours),
            kept=timedelta(days=settings.delivery.raw_retention_days),
            now=now,
        )
    except RangeError as error:
        raise RefusedError(str(error)) from error


def counted_from_raw(
    given: Operator, *, now: datetime, tell: Tell, live_since: date | None = None
) -> CountDays:
    """Counts with the SQL of this tree and the versions of the segments as they are corrected by now.

    live_since: the first day that the application counts into the same generation. Raises RefusedError if it
    counts clicks of then or later with another content of a version.
    """

    def count_days(first: date, last: date, out: Path) -> str:
        asked = range_of(first, last, given, now)
        s3, settings = given.client("s3", given.names.oregon), given.settings.analytics
        found = look(given, asked, last_before(corrections(s3, given.names.segments_bucket), now))
        if live_since is not None:
            _refuse_other_segments(found, datetime.combine(live_since, time(), UTC), asked, settings)
        counted = count_here(given, asked, found, out, tell=tell)
        return f"{found}\n{counted.clicks:,} clicks counted under {counted.keys:,} keys"

    return count_days


def _refuse_other_segments(
    found: Found, live_since: datetime, asked: ClickRange, analytics: AnalyticsSettings
) -> None:
    """Where the application reads other corrections than this correction does: readers would see one click
    under two segments."""
    generation = analytics.counts_generation
    read = analytics.corrections_counted_with(generation)
    for version in in_force(found.versions, live_since, asked.end):
        wanted = found.corrections.get(version.key)
        if read.get(version.key) == wanted:
            continue
        known = read.get(version.key, "it as it was published")
        if wanted is None:
            raise RefusedError(
                f"the application counts {version.key} with {known}, which is not there: take it out of "
                "analytics.segments_corrections, raise analytics.counts_generation by one, and deploy"
            )
        name = wanted.removeprefix(SEGMENTS_CORRECTIONS_PREFIX).removesuffix(".csv")
        raise RefusedError(
            f"{version.key} is corrected by {wanted}, and the application counts clicks of "
            f"{live_since:%Y-%m-%d} and later with {known}. Raise analytics.counts_generation to "
            f'{generation + 1}, add "{name}" = {generation + 1} to [analytics.segments_corrections], deploy, '
            "and give the command then"
        )


def counts_of(out: Path, sink: Sink, days: set[str]) -> Iterator[tuple[str, int, bytes]]:
    """(day, clicks, the count as JSON) of each count of these days that a run wrote."""
    for line in lines_of_counts(out, sink):
        found = json.loads(line)
        day = f"{parse_time(found['minute']):%Y.%m.%d}"
        if day in days:
            yield day, found["clicks"], line
