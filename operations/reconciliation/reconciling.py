"""Reconciles any time, a day after the other."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clients.batch_server.credentials import own_credentials
from clients.batch_server.progress import ProgressWatch
from clients.batch_server.search import CountSearch
from contract.count import WINDOW, start_of_count
from contract.sink import CLICK_COUNTS
from lambdas.reconciliation.counts import SearchedCounts
from lambdas.reconciliation.final import Reading
from lambdas.reconciliation.hours import MAX_SPAN, Buckets, Delays, ReconciledTime, reconcile_hours
from lambdas.reconciliation.result import ReconciledHours
from names import delivery_index
from operations.operator import Operator, RefusedError
from settings import Settings


def checked(
    since: datetime,
    until: datetime,
    settings: Settings,
    *,
    now: datetime,
    arrived_until: datetime | None = None,
) -> tuple[datetime, datetime]:
    """Widened to whole windows. Raises RefusedError for a time that cannot be reconciled."""
    first, end = start_of_count(since), start_of_count(until)
    if end < until:
        end += WINDOW
    if first >= end:
        raise RefusedError(f"--to {until.isoformat()} must be later than --from {since.isoformat()}")
    if first >= now:
        raise RefusedError(f"{since.isoformat()} is in the future: nothing can have been received")
    if arrived_until is not None and arrived_until <= first:
        raise RefusedError(
            f"--arrived-until {arrived_until.isoformat()} must be later than --from {since.isoformat()}: "
            "clicks arrive after they happen"
        )
    search, delivery = settings.search.retention_days, settings.delivery.raw_retention_days
    kept = {"raw clicks": delivery} if search is None else {"raw clicks": delivery, "counts": search}
    for what, days in kept.items():
        if now - first >= timedelta(days=days):
            raise RefusedError(
                f"--from {since.isoformat()} is too early: {what} of {settings.environment} are kept for "
                f"{days} days"
            )
    return first, end


def reconciled(
    given: Operator,
    endpoint: str,
    since: datetime,
    until: datetime,
    *,
    now: datetime,
    arrived_until: datetime | None,
    folder: Path | None,
    progress: Callable[[str, int], None],
) -> Iterator[ReconciledHours]:
    """Each day of the time. Raises TrendsError and botocore's errors."""
    names, settings = given.names, given.settings
    counts = SearchedCounts(CountSearch(endpoint, own_credentials(given.session), names.oregon))
    buckets = Buckets(
        oregon=given.client("s3", names.oregon),
        tokyo=given.client("s3", names.tokyo),
        raw=names.raw_bucket,
        rejected=names.rejected_bucket,
        dead_letters=names.dead_letter_bucket,
        sink=CLICK_COUNTS.name,
        index=delivery_index(CLICK_COUNTS.index_family),
    )
    reading = Reading.of(ProgressWatch(given.client("cloudwatch", names.oregon), names)(), datetime.now(UTC))
    delays = Delays.of(
        allowed_lateness_hours=settings.analytics.allowed_lateness_hours,
        archive_buffer_seconds=settings.delivery.archive_buffer_seconds,
    )
    while since < until:
        end = min(until, since + MAX_SPAN)
        time = ReconciledTime(
            since=since, until=end, delays=delays, now=now, reading=reading, arrived_until=arrived_until
        )
        yield reconcile_hours(buckets, counts, time, folder=folder, progress=progress)
        since = end
