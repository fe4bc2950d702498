"""Faults of the rankings that the service shows."""

import time
from datetime import UTC, datetime, timedelta

from clients.batch_server import TrendsError
from names import TOKYO
from twin.drills.fault import Fault
from twin.drills.permissions import ALLOW, allow_command, are_allowed, deny
from twin.drills.run import DrilledRun
from twin.processes import wait_for
from twin.twin import Twin

FAILED_RUN_SECONDS = 300.0
"""Five runs of the feedback, on a busy machine."""
NEW_RANKING = timedelta(seconds=50)
"""The last run before the fault was a minute before the one that failed."""


def _roles(twin: Twin) -> list[str]:
    """Who writes rankings, and who reads them."""
    return [twin.names.feedback, twin.names.batch_server_role, twin.names.web_server_role]


def _cannot_be_read(run: DrilledRun) -> None:
    """Waits for a run of the feedback that failed."""
    twin, since = run.twin, int(time.time() * 1000)
    deny(twin, _roles(twin), "dynamodb:*")
    logs, group = twin.emulator.client("logs", TOKYO), f"/aws/lambda/{twin.names.feedback}"

    def has_failed() -> bool:
        events = logs.filter_log_events(logGroupName=group, startTime=since)["events"]
        return any("cannot be read" in event["message"] for event in events)

    wait_for(
        has_failed, what="a run of the feedback failed", timeout_seconds=FAILED_RUN_SECONDS, poll_seconds=1.0
    )


def _are_written_again(twin: Twin) -> bool:
    try:
        ranking = twin.served_table().read().ranking
    except TrendsError:
        return False
    return (
        are_allowed(twin, _roles(twin))
        and ranking is not None
        and datetime.now(UTC) - ranking.computed_at < NEW_RANKING
    )


RANKINGS_FAULTS = (
    Fault(
        name="rankings-unreadable",
        what="a policy denies the table of rankings to the feedback and to all its readers",
        seen="`served` and the board say that the rankings cannot be read; counts go on",
        runbook="Errors",
        cause=_cannot_be_read,
        command=lambda twin: allow_command(_roles(twin)),
        operation=ALLOW,
        over=_are_written_again,
    ),
)
