"""Brings an application into the state a deployment wants: paused for a change, running, or stopped."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.application_lifecycle.application import FlinkApplication
from lambdas.application_lifecycle.running_configuration import described_configuration, differences
from lambdas.application_lifecycle.state import StateChange

POLL_SECONDS = 2.0
FORCED_STOP_SECONDS = 90.0
"""Reserved at the end of a request for a stop by force."""
SNAPSHOTS_KEPT = 10
"""Enough to go back some deployments. Each is billed (operations/cost/assumptions.py) and counts towards the
limit for manual snapshots: developer guide, "Manage application backups using snapshots"."""
FROM_LATEST_SNAPSHOT = "RESTORE_FROM_LATEST_SNAPSHOT"
WITHOUT_STATE = "SKIP_RESTORE_FROM_SNAPSHOT"

log = logging.getLogger()


class LifecycleError(Exception):
    """The application is not as deployed; the message says what was seen and what to do."""


class Lifecycle:
    """Deadlines are values of `clock`; `now` gives the time of day."""

    def __init__(
        self,
        application: FlinkApplication,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._application = application
        self._name = application.name
        self._sleep = sleep
        self._clock = clock
        self._now = now

    def start(self, asked: Mapping[str, str], deadline: float, change: StateChange) -> dict[str, str]:
        """Make the application and its job run with the configuration `asked`.

        It starts from its latest snapshot and leaves behind what `change` names. It starts without state the
        first time, and if `change` drops the state. Raises LifecycleError, StateLossError.
        """
        if not change.dropped:
            self._start(asked, deadline, change)
            return {"Status": "RUNNING"}
        try:
            self._start(asked, deadline - FORCED_STOP_SECONDS, change)
        except Exception:
            # So that a rollback finds it stopped, and the former code continues from the former snapshot.
            self._stop_by_force(deadline)
            raise
        return {"Status": "RUNNING"}

    def _start(self, asked: Mapping[str, str], deadline: float, change: StateChange) -> None:
        operation: str | None = None
        started = False
        starting = False
        while True:
            detail = self._application.detail()
            status = None if detail is None else detail["ApplicationStatus"]
            if detail is None or status in {"DELETING", "ROLLED_BACK"}:
                raise LifecycleError(
                    f"{self._name} is {status or 'gone'}. {self._application.last_failure()}"
                )
            if status == "READY" and starting:
                raise LifecycleError(
                    f"{self._name} did not start: it is READY again. {self._application.last_failure()} "
                    "Its log says more."
                )
            if status == "READY" and not started:
                self._check_configuration(asked, detail)
                change.check(self._name)
                operation = self._application.start(
                    self._restore_type(drop_state=change.dropped),
                    allow_non_restored_state=change.leaves_state_behind,
                )
                started = True
            elif status == "RUNNING" and change.dropped and not started:
                self.pause(deadline)
                continue
            elif status == "RUNNING":
                self._check_configuration(asked, detail)
                self._wait_for_job(deadline)
                self._delete_old_snapshots(deadline)
                return
            starting = starting or (started and status != "READY")
            if operation and (failure := self._application.failure_of(operation)):
                raise LifecycleError(f"{self._name} did not start. The service says: {failure}")
            self._wait(deadline, status)

    def _check_configuration(self, asked: Mapping[str, str], detail: Mapping[str, Any]) -> None:
        """After a failed update the service returns to the former version and runs that."""
        if different := differences(asked, described_configuration(detail)):
            raise LifecycleError(
                f"{self._name} is {detail['ApplicationStatus']} with another version than the one deployed: "
                f"{'; '.join(different)}. {self._application.last_failure()}"
            )

    def _restore_type(self, *, drop_state: bool) -> str:
        if drop_state:
            return WITHOUT_STATE
        if self._application.snapshots():
            return FROM_LATEST_SNAPSHOT
        if self._application.has_ever_run():
            raise LifecycleError(
                f"{self._name} has run before, and has no snapshot that can be restored. To start it without "
                "its state, raise analytics.state_generation by one in the environment's file and deploy."
            )
        return WITHOUT_STATE

    def _wait_for_job(self, deadline: float) -> None:
        """RUNNING means that the cluster exists; main.py may have ended without a job."""
        begin = self._now()
        while not self._application.job_ran_since(begin, self._now()):
            status = self._application.status()
            if status != "RUNNING":
                raise LifecycleError(
                    f"{self._name} was RUNNING and is {status} before its job ran. "
                    f"{self._application.last_failure()}"
                )
            if self._clock() + POLL_SECONDS > deadline:
                raise LifecycleError(
                    f"{self._name} is RUNNING, but no job has run for a whole minute since "
                    f"{begin:%H:%M:%S} UTC (metric runningTime): main.py has ended without a job, or the job "
                    "fails again and again. Its log says why."
                )
            self._sleep(POLL_SECONDS)

    def _delete_old_snapshots(self, deadline: float) -> None:
        """The service takes one at each update and stop, and never deletes any. The next deployment deletes
        what remains."""
        try:
            for snapshot in self._application.snapshots()[SNAPSHOTS_KEPT:]:
                if self._clock() + POLL_SECONDS > deadline:
                    return
                self._application.delete_snapshot(snapshot)
        except ClientError:
            log.exception("%s keeps snapshots beyond the newest %d", self._name, SNAPSHOTS_KEPT)

    def pause(self, deadline: float) -> dict[str, str]:
        """Stop it before a change that its state does not survive, with a snapshot as the way back.

        If none can be taken in half of the time, it is stopped by force. Raises LifecycleError.
        """
        patience = self._clock() + (deadline - self._clock()) / 2
        asked = forced = False
        while (status := self._application.status()) not in {"READY", "DELETING", None}:
            late = self._clock() > patience
            if (not asked and status == "RUNNING") or (late and not forced):
                self._application.stop(force=late)
                asked, forced = True, late
            self._wait(deadline, status)
        return {}

    def prepare(self, asked: Mapping[str, str], deadline: float, change: StateChange) -> dict[str, str]:
        """Before CloudFormation changes it to the version `asked`: stop it if the service's own restart could
        not read its state, or must not lose it.

        In a rollback it may already be the version `asked`; if stopped, it is then started. Another version,
        whose snapshot would lack what the former one held, is stopped by force, so that the former snapshot
        stays the latest. Raises LifecycleError, StateLossError.
        """
        if change.dropped:
            return self.pause(deadline)
        if not (change.restored or change.leaves_state_behind):
            return {}
        detail = self._application.detail()
        if detail is None:
            return {}
        if not differences(asked, described_configuration(detail)):
            return self.start(asked, deadline, change) if detail["ApplicationStatus"] == "READY" else {}
        change.check(self._name)
        if not change.restored:
            return self.pause(deadline)
        self._stop_by_force(deadline)
        return {}

    def _stop_by_force(self, deadline: float) -> None:
        try:
            if self._application.status() not in {"READY", "DELETING", None}:
                self._application.stop(force=True)
            while (status := self._application.status()) not in {"READY", "DELETING", None}:
                self._wait(deadline, status)
        except (ClientError, LifecycleError):
            log.exception("%s could not be stopped for a rollback", self._name)

    def stop(self, deadline: float) -> dict[str, str]:
        """Stop it with a snapshot, so that its counts are published. A deletion continues even if that fails:
        the service deletes applications in any state."""
        try:
            asked = False
            while (status := self._application.status()) not in {"READY", "DELETING", None}:
                if not asked:
                    # Only a running application can take a snapshot.
                    self._application.stop(force=status != "RUNNING")
                    asked = True
                self._wait(deadline, status)
        except Exception:
            log.exception("%s is deleted without being stopped", self._name)
        return {}

    def _wait(self, deadline: float, status: str | None) -> None:
        if self._clock() + POLL_SECONDS > deadline:
            raise LifecycleError(f"{self._name} is still {status} when this function's time ends.")
        self._sleep(POLL_SECONDS)
