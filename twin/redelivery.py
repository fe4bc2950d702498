"""The redelivery function's work in the twin, read from the metrics in its log.

MiniStack invokes the function on the templates' schedule, with its role, and keeps its log.
"""

import json
from collections import Counter
from typing import Any

from lambdas.redelivery.metrics import GIVEN_UP, REDELIVERED, STALE, WAITING
from names import OREGON, Names
from twin.emulator import Emulator


def redelivery_totals(emulator: Emulator, names: Names) -> Counter[str]:
    """Documents by metric, since the start."""
    logs: Any = emulator.client("logs", OREGON)
    totals: Counter[str] = Counter()
    try:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{names.redelivery}", filterPattern=""
        )
        for page in pages:
            for event in page["events"]:
                for metric, value in _metrics(event["message"]):
                    totals[metric] += value
    except logs.exceptions.ResourceNotFoundException:
        pass  # not invoked yet
    return totals


def _metrics(message: str) -> list[tuple[str, int]]:
    """The metrics in a line of the log; none in other lines."""
    try:
        written = json.loads(message)
        if "_aws" not in written:
            return []
        published = [name for name in (STALE, WAITING, REDELIVERED, GIVEN_UP) if name in written]
        return [(name, int(sum(written[name]))) for name in published]
    except (ValueError, TypeError, KeyError):
        return []
