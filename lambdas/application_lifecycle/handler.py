"""Start the analytics application after a deployment, stop it with a snapshot before its deletion.

CloudFormation creates and updates the application but never starts it. An update of a running application
restarts it by itself, from a snapshot; only one that was stopped is started here.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import boto3

from lambdas.custom_resource import Context, answer

POLL_SECONDS = 2.0
_BROKEN = {"DELETING", "ROLLED_BACK"}

log = logging.getLogger()


class LifecycleError(Exception):
    """The application does not run; the message says what was seen last."""


def handler(event: dict[str, Any], context: Context) -> None:
    application = event["ResourceProperties"]["ApplicationName"]
    lifecycle = Lifecycle(boto3.client("kinesisanalyticsv2"), application)
    work = lifecycle.stop if event["RequestType"] == "Delete" else lifecycle.start
    answer(event, context, physical_id=f"{application}-running", work=work)


class Lifecycle:
    """One application, through a kinesisanalyticsv2 client. Deadlines are values of `clock`."""

    def __init__(
        self,
        client: Any,
        application: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._application = application
        self._sleep = sleep
        self._clock = clock

    def start(self, deadline: float) -> dict[str, str]:
        """Have it RUNNING; raises LifecycleError when it ends again or is not by the deadline."""
        asked = starting = False
        while (status := self._status()) != "RUNNING":
            if status in _BROKEN or (status == "READY" and starting):
                raise LifecycleError(f"{self._application} did not start: it is {status}. Its log says why.")
            if status == "READY" and not asked:
                self._ask_to_start()
                asked = True
            starting = starting or (asked and status != "READY")
            self._wait(deadline, status)
        return {"Status": "RUNNING"}

    def stop(self, deadline: float) -> dict[str, str]:
        """Stop it with a snapshot, so that what it holds is published. A deletion goes on even where that
        fails: the service deletes an application in any state."""
        try:
            self._stop(deadline)
        except Exception:
            log.exception("%s is deleted without having been stopped", self._application)
        return {}

    def _stop(self, deadline: float) -> None:
        asked = False
        while (status := self._status()) not in {"READY", "DELETING", None}:
            if not asked:
                # Only a running application can take a snapshot.
                self._client.stop_application(ApplicationName=self._application, Force=status != "RUNNING")
                asked = True
            self._wait(deadline, status)

    def _status(self) -> str | None:
        """None where no such application exists."""
        try:
            answered = self._client.describe_application(ApplicationName=self._application)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return str(answered["ApplicationDetail"]["ApplicationStatus"])

    def _ask_to_start(self) -> None:
        snapshots = self._client.list_application_snapshots(ApplicationName=self._application)[
            "SnapshotSummaries"
        ]
        ready = any(snapshot["SnapshotStatus"] == "READY" for snapshot in snapshots)
        restore = "RESTORE_FROM_LATEST_SNAPSHOT" if ready else "SKIP_RESTORE_FROM_SNAPSHOT"
        log.info("starting %s: %s", self._application, restore)
        try:
            self._client.start_application(
                ApplicationName=self._application,
                RunConfiguration={"ApplicationRestoreConfiguration": {"ApplicationRestoreType": restore}},
            )
        except self._client.exceptions.ResourceInUseException:
            log.info("%s is being started or changed by another", self._application)

    def _wait(self, deadline: float, status: str | None) -> None:
        if self._clock() + POLL_SECONDS > deadline:
            raise LifecycleError(f"{self._application} is still {status} at the end of this function's time.")
        self._sleep(POLL_SECONDS)
