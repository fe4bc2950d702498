"""Count a range of clicks again: begin a replay, and see to it until nothing of it is left.

Invoked by `click-trends replay --on-aws` with the range, and every few minutes without one.
"""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.replay.configuration import ReplayConfiguration
from lambdas.replay.replaying import Replayer
from lambdas.shared.invocation import Invocation

RESERVE_SECONDS = 40.0
"""At the end, for the counts in hand and the steps after them."""


@cache
def _replayer() -> Replayer:
    """Built by the first invocation and kept, with its connections."""
    configuration = ReplayConfiguration.read(os.environ)
    config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})
    s3, firehose, service = (
        boto3.client(name, region_name=configuration.region, config=config)
        for name in ("s3", "firehose", "kinesisanalyticsv2")
    )
    return Replayer(configuration, s3=s3, firehose=firehose, service=service)


def handler(event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
    """Errors end the invocation, and the next one goes on: an alarm notifies of them."""
    if "from" in event:
        return _replayer().ask(event)
    _replayer().go_on(invocation.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    return {}
