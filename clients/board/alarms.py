"""The alarms of the environment: their states, since when, and where the runbook says what to do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server.errors import TrendsError
from names import Names

WHAT_TO_DO = " What to do: "
"""In an alarm's description, before the address of the runbook's section (stacks/monitoring/alarm.py)."""
CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
NOT_NAMED = "the environment was not named: start the board with --environment NAME"

Alarm = Mapping[str, str]
"""Its name, region, state, since when (ISO 8601), reason, what ALARM shows, and runbook."""
ReadAlarms = Callable[[], Sequence[Alarm]]
"""Raises TrendsError."""


def connect_alarms(session: boto3.Session, environment: str, regions: Iterable[str]) -> ReadAlarms:
    """Reads CloudWatch of these regions. Needs cloudwatch:DescribeAlarms, which the batch server's role has
    not of itself. environment: its name; an answer of one region without the others is none."""
    prefix = f"{Names(environment=environment, account='').prefix}-"  # an account is in no alarm's name

    def read() -> list[Alarm]:
        return [alarm for region in dict.fromkeys(regions) for alarm in _of_region(session, region, prefix)]

    return read


def _of_region(session: boto3.Session, region: str, prefix: str) -> list[Alarm]:
    try:
        client = session.client("cloudwatch", region_name=region, config=CONFIG)
        pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
        return [_told(alarm, region) for page in pages for alarm in page["MetricAlarms"]]
    except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: an endpoint that is none
        raise TrendsError(
            f"CloudWatch in {region} does not tell the alarms: {error}. Reading them needs "
            "cloudwatch:DescribeAlarms"
        ) from error


def _told(alarm: Mapping[str, Any], region: str) -> Alarm:
    """since: StateTransitionedTimestamp is when it entered the state; StateUpdatedTimestamp also moves while
    it stays (CloudWatch API reference, MetricAlarm). An emulator may have the latter alone."""
    shows, _, runbook = alarm.get("AlarmDescription", "").partition(WHAT_TO_DO)
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return {
        "name": alarm["AlarmName"],
        "region": region,
        "state": alarm["StateValue"],
        "since": since.isoformat(),
        "reason": alarm.get("StateReason", ""),
        "shows": shows,
        "runbook": runbook,
    }
