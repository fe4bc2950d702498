"""The lifecycle of the application, on a service that changes the status at each look."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.application_lifecycle.handler import POLL_SECONDS, Lifecycle, LifecycleError

DEADLINE = 100.0


class Service:
    """kinesisanalyticsv2; successive looks see `statuses`, and the last one for ever."""

    class exceptions:  # noqa: N801 (botocore's name)
        class ResourceNotFoundException(Exception): ...  # noqa: N818

        class ResourceInUseException(Exception): ...  # noqa: N818

    def __init__(self, *statuses: str, snapshots: tuple[str, ...] = ()) -> None:
        self._statuses = list(statuses)
        self._snapshots = snapshots
        self.started: list[dict[str, Any]] = []
        self.stopped: list[dict[str, Any]] = []

    def describe_application(self, **_: Any) -> dict[str, Any]:
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        if status == "GONE":
            raise self.exceptions.ResourceNotFoundException
        return {"ApplicationDetail": {"ApplicationStatus": status}}

    def list_application_snapshots(self, **_: Any) -> dict[str, Any]:
        return {"SnapshotSummaries": [{"SnapshotStatus": status} for status in self._snapshots]}

    def start_application(self, **request: Any) -> None:
        self.started.append(request)

    def stop_application(self, **request: Any) -> None:
        self.stopped.append(request)


def lifecycle(service: Service) -> Lifecycle:
    """With a clock that only sleeping moves on."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    return Lifecycle(service, "analytics", sleep=sleep, clock=lambda: now)


def restore_types(service: Service) -> Iterator[str]:
    for request in service.started:
        yield request["RunConfiguration"]["ApplicationRestoreConfiguration"]["ApplicationRestoreType"]


def test_a_new_application_starts_without_a_snapshot() -> None:
    service = Service("READY", "STARTING", "RUNNING")
    assert lifecycle(service).start(DEADLINE) == {"Status": "RUNNING"}
    assert list(restore_types(service)) == ["SKIP_RESTORE_FROM_SNAPSHOT"]


def test_a_stopped_application_starts_from_its_latest_snapshot() -> None:
    service = Service("READY", "STARTING", "RUNNING", snapshots=("FAILED", "READY"))
    lifecycle(service).start(DEADLINE)
    assert list(restore_types(service)) == ["RESTORE_FROM_LATEST_SNAPSHOT"]


def test_a_snapshot_that_failed_is_not_restored() -> None:
    service = Service("READY", "STARTING", "RUNNING", snapshots=("FAILED",))
    lifecycle(service).start(DEADLINE)
    assert list(restore_types(service)) == ["SKIP_RESTORE_FROM_SNAPSHOT"]


@pytest.mark.parametrize("seen", [("RUNNING",), ("UPDATING", "RUNNING"), ("STARTING", "RUNNING")])
def test_an_application_that_runs_or_will_is_not_started_again(seen: tuple[str, ...]) -> None:
    service = Service(*seen)
    lifecycle(service).start(DEADLINE)
    assert service.started == []


def test_an_application_is_asked_to_start_once_while_its_status_lags() -> None:
    service = Service("READY", "READY", "READY", "STARTING", "RUNNING")
    lifecycle(service).start(DEADLINE)
    assert len(service.started) == 1


def test_an_application_that_ends_while_starting_is_a_failure() -> None:
    with pytest.raises(LifecycleError, match="analytics did not start: it is READY"):
        lifecycle(Service("READY", "STARTING", "READY")).start(DEADLINE)


def test_an_application_that_is_started_by_another_is_waited_for() -> None:
    service = Service("READY", "STARTING", "RUNNING")

    def refuse(**_: Any) -> None:
        raise service.exceptions.ResourceInUseException

    service.start_application = refuse  # type: ignore[method-assign]
    assert lifecycle(service).start(DEADLINE) == {"Status": "RUNNING"}


def test_an_application_that_never_runs_is_a_failure_before_the_deadline() -> None:
    with pytest.raises(LifecycleError, match="still STARTING"):
        lifecycle(Service("READY", "STARTING")).start(DEADLINE)


def test_a_running_application_is_stopped_with_a_snapshot() -> None:
    service = Service("RUNNING", "STOPPING", "READY")
    assert lifecycle(service).stop(DEADLINE) == {}
    assert service.stopped == [{"ApplicationName": "analytics", "Force": False}]


def test_a_starting_application_is_stopped_by_force() -> None:
    service = Service("STARTING", "FORCE_STOPPING", "READY")
    lifecycle(service).stop(DEADLINE)
    assert service.stopped == [{"ApplicationName": "analytics", "Force": True}]


@pytest.mark.parametrize("status", ["READY", "GONE", "DELETING"])
def test_what_does_not_run_is_not_stopped(status: str) -> None:
    service = Service(status)
    lifecycle(service).stop(DEADLINE)
    assert service.stopped == []


def test_a_deletion_goes_on_where_stopping_takes_too_long() -> None:
    service = Service("RUNNING", "STOPPING")
    assert lifecycle(service).stop(3 * POLL_SECONDS) == {}
