"""Reconcile the newest hour whose minutes are all final, and those before it that still are not reconciled.
Invoked every hour.

1. Ask how far the application has read: what it has not read is not final.
2. Find the hours that are due and that the function's log does not call final: a missed invocation, an hour
   that failed or was not final is made up for by a later one.
3. Compare what was received with what was counted, rejected and set aside (hours.py), and publish it.
4. Publish how many hours that are due are not final.

Nothing is written but the log. `{"hour": "2026-01-31T09:00:00Z"}` reconciles one hour.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server.progress import connect_progress
from clients.batch_server.search import CountSearch
from lambdas.reconciliation.configuration import ReconciliationConfiguration
from lambdas.reconciliation.counts import SearchedCounts
from lambdas.reconciliation.final import Reading
from lambdas.reconciliation.hours import Buckets, Delays, ReconciledTime, reconcile_hours
from lambdas.reconciliation.metrics import publish, publish_open, tell_failed, tell_open
from lambdas.reconciliation.told_hours import HOUR, MAX_OPEN, NOTHING_KNOWN, ToldHours, open_hours, told_hours
from lambdas.shared.invocation import Invocation

CLIENT_CONFIG = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5}
)
MARGIN = 1.5
"""Another hour is begun if so many times as long as the longest so far is left."""


class ReconciliationError(Exception):
    """An hour was not reconciled; the message says which and why."""


@cache
def _configuration() -> ReconciliationConfiguration:
    return ReconciliationConfiguration.read(os.environ)


def handler(event: dict[str, Any], invocation: Invocation) -> None:
    """Raises ReconciliationError, so that the invocation counts as an error and its alarm notifies."""
    configuration = _configuration()
    hour = _time_of(event, "hour") if "hour" in event else None
    now = _now() if hour and "time" not in event else _time_of(event, "time")
    if hour and (hour != _start_of(hour) or hour + HOUR > now):
        raise ReconciliationError(f"the event's hour {hour.isoformat()} is no whole hour that is over")
    session = boto3.Session()
    reading = _reading(session, configuration)
    problems: list[str] = []
    if hour:
        _reconciled(session, configuration, _of_hour(hour, now, configuration.delays, reading), problems)
    else:
        told = _told(session, configuration, now, problems)
        newest = _start_of(now - configuration.delays.until_final) - HOUR
        hours = open_hours(newest, told)
        asked = [_of_hour(each, now, configuration.delays, reading) for each in hours]
        final = sum(
            _reconciled(session, configuration, each, problems) for each in _in_time(asked, invocation)
        )
        if told is not NOTHING_KNOWN:
            publish_open(len(hours) - final, reading)
    if problems:
        raise ReconciliationError("; ".join(problems))


def _in_time(asked: list[ReconciledTime], invocation: Invocation) -> Iterator[ReconciledTime]:
    """As many as fit into the invocation, by the time that the longest has taken."""
    longest = 0
    for number, each in enumerate(asked):
        left = invocation.get_remaining_time_in_millis()
        if number and left < MARGIN * longest:
            return
        yield each
        longest = max(longest, left - invocation.get_remaining_time_in_millis())


def _reconciled(
    session: boto3.Session,
    configuration: ReconciliationConfiguration,
    asked: ReconciledTime,
    problems: list[str],
) -> bool:
    """Whether the hour is reconciled for good. What keeps it from being reconciled at all is added to the
    problems: another hour may be."""
    if pending := asked.pending_by_time:
        tell_open(asked, pending)
        return False
    try:
        found = reconcile_hours(_buckets(session, configuration), _counts(session, configuration), asked)
    except Exception as error:  # whatever it is, the hour's clicks are not known
        tell_failed(asked, error)
        problems.append(f"the hour from {asked.since.isoformat()} was not reconciled: {error}")
        return False
    publish(found)
    return found.is_final


def _of_hour(hour: datetime, now: datetime, delays: Delays, reading: Reading) -> ReconciledTime:
    return ReconciledTime(since=hour, until=hour + HOUR, delays=delays, now=now, reading=reading)


def _start_of(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _time_of(event: dict[str, Any], name: str) -> datetime:
    """Of the event of EventBridge (user guide, "AWS service event metadata", `time`), or of a person."""
    text = event.get(name)
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise ReconciliationError(
            f'the event\'s {name} is {text!r}: invoke with {{"hour": "2026-01-31T09:00:00Z"}}'
        )
    return time


def _now() -> datetime:
    return datetime.now(UTC)


def _told(
    session: boto3.Session,
    configuration: ReconciliationConfiguration,
    now: datetime,
    problems: list[str],
) -> ToldHours:
    logs = session.client("logs", region_name=configuration.region, config=CLIENT_CONFIG)
    try:
        return told_hours(
            logs,
            configuration.log_group,
            now - MAX_OPEN - HOUR,
            until_final=configuration.delays.until_final,
        )
    except (BotoCoreError, ClientError) as error:
        problems.append(f"its log does not tell which hours are reconciled, so only the newest was: {error}")
        return NOTHING_KNOWN


def _reading(session: boto3.Session, configuration: ReconciliationConfiguration) -> Reading:
    progress = connect_progress(session, configuration.environment, configuration.region)
    return Reading.of(progress(), _now())


def _buckets(session: boto3.Session, configuration: ReconciliationConfiguration) -> Buckets:
    return Buckets(
        oregon=session.client("s3", region_name=configuration.region, config=CLIENT_CONFIG),
        tokyo=session.client("s3", region_name=configuration.dead_letter_region, config=CLIENT_CONFIG),
        raw=configuration.raw_bucket,
        rejected=configuration.rejected_bucket,
        dead_letters=configuration.dead_letter_bucket,
        sink=configuration.sink,
        index=configuration.index,
    )


def _counts(session: boto3.Session, configuration: ReconciliationConfiguration) -> SearchedCounts:
    credentials = session.get_credentials()
    if credentials is None:
        raise ReconciliationError("the function has no credentials: look at its role")
    return SearchedCounts(CountSearch(configuration.search_endpoint, credentials, configuration.region))
