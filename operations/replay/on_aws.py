"""A replay on AWS: what it costs at most, asking for it, and waiting for its outcome."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from contract.event_time import format_time
from lambdas.replay.click_range import ClickRange
from lambdas.replay.replaying import ENDS_AFTER_SECONDS
from lambdas.replay.results import Results
from operations.cost.assumptions import HOURS
from operations.cost.prices import load_prices
from operations.cost.range import exactly
from operations.operator import Operator, OperatorError, RefusedError
from settings import Settings
from settings.capacity import KPU_DISK_GB

ENDS_BY_ITSELF = (
    "if it did it ends by itself: give the command again in ten minutes, it is refused while one runs"
)
POLL_SECONDS = 5.0
ASK_AGAIN_SECONDS = 15.0
"""Between two invocations of the function while somebody waits for it."""
ORCHESTRATION_KPUS = 1
"""Charged for each application beside its own (https://aws.amazon.com/managed-service-apache-flink/pricing/)."""


def longest_and_cost(settings: Settings) -> str:
    """A sentence, for whoever is to agree. The price is that of an hour more, by when its alarm notifies."""
    hours, region, prices = settings.replay.longest_hours, settings.regions.oregon, load_prices()
    kpus = settings.replay.parallelism + ORCHESTRATION_KPUS
    charged = hours + ENDS_AFTER_SECONDS / 3600
    gb = settings.replay.parallelism * KPU_DISK_GB
    usd = sum(
        prices.price(item, region).usd(exactly(quantity), region).high
        for item, quantity in (
            ("flink_kpu_hour", charged * kpus),
            ("flink_storage_month", charged / HOURS * gb),
        )
    )
    return (
        f"an application of {kpus} KPUs counts for at most {hours} h, then it is stopped and deleted, also "
        f"if this machine is gone: at most {usd:,.2f} USD, beside requests and traffic"
    )


def ask(
    operator: Operator, asked: ClickRange, *, corrections: Mapping[str, str], generations: Mapping[str, int]
) -> dict[str, Any]:
    """Begin. corrections, generations: for lambdas/replay/replaying.py. Returns the replay's `id` and
    `ends_by`. Raises RefusedError, OperatorError."""
    names = operator.names
    answer = operator.client("lambda", names.oregon).invoke(
        FunctionName=names.replay,
        Payload=json.dumps(
            {
                "from": format_time(asked.begin),
                "to": format_time(asked.end),
                "arrived_until": format_time(asked.arrived_until),
                "corrections": dict(corrections),
                "generations": dict(generations),
                "token": uuid4().hex,
            }
        ).encode(),
    )
    told: Any = json.loads(answer["Payload"].read() or "null")
    if answer.get("FunctionError") or not isinstance(told, dict):
        raise OperatorError(
            f"{names.replay} failed: {told}. Whether the replay began is not known; {ENDS_BY_ITSELF}"
        )
    if "refused" in told:
        raise RefusedError(told["refused"])
    return told


def wait_for(
    operator: Operator,
    number: str,
    *,
    longest: timedelta,
    tell: Callable[[str], None],
    poll_seconds: float = POLL_SECONDS,
) -> dict[str, Any]:
    """The outcome of a replay that counted. Raises OperatorError if it failed."""
    names = operator.names
    results = Results(operator.client("s3", names.oregon), names.raw_bucket)
    functions = operator.client("lambda", names.oregon)
    phase, asks_again_at = None, 0.0
    gives_up_at = time.monotonic() + longest.total_seconds() * 2
    while time.monotonic() < gives_up_at:
        if outcome := results.outcome(number):
            if outcome["result"] != "counted":
                raise OperatorError(f"the replay failed, and no count was put: {outcome['reason']}")
            return outcome
        running = results.running() or {}
        if running.get("id") == number and running["phase"] != phase:
            phase = running["phase"]
            tell(f"{phase}")
        if phase != "putting" and time.monotonic() >= asks_again_at:
            # Its schedule would come too, later. While it puts counts, a second one would double their pace.
            functions.invoke(FunctionName=names.replay, InvocationType="Event", Payload=b"{}")
            asks_again_at = time.monotonic() + ASK_AGAIN_SECONDS
        time.sleep(poll_seconds)
    raise OperatorError(
        f"no outcome of replay {number} after {longest * 2}: look at the log of {names.replay}"
    )
