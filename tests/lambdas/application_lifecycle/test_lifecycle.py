"""The application's lifecycle, on a service whose status changes at each call."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from lambdas.application_lifecycle.application import FlinkApplication
from lambdas.application_lifecycle.lifecycle import FORCED_STOP_SECONDS, POLL_SECONDS, LifecycleError
from lambdas.application_lifecycle.state import StateChange
from tests.lambdas.application_lifecycle.service import ASKED, BEGIN, DEADLINE, FlinkService, SecretiveService

HAS_RUN = (("StartApplication", "SUCCESSFUL", ""),)


def start(service: FlinkService, *, drop_state: bool = False) -> dict[str, str]:
    return service.lifecycle().start(ASKED, DEADLINE, StateChange(dropped=drop_state))


def test_a_new_application_starts_without_a_snapshot() -> None:
    service = FlinkService("READY")
    assert start(service) == {"Status": "RUNNING"}
    assert service.restore_types == ["SKIP_RESTORE_FROM_SNAPSHOT"]


def test_a_stopped_application_starts_from_its_latest_snapshot() -> None:
    service = FlinkService("READY", snapshots=("FAILED", "READY"), operations=HAS_RUN)
    start(service)
    assert service.restore_types == ["RESTORE_FROM_LATEST_SNAPSHOT"]


def test_a_snapshot_on_a_later_page_is_found() -> None:
    service = FlinkService("READY", snapshots=("FAILED",) * 60 + ("READY",), operations=HAS_RUN)
    start(service)
    assert service.restore_types == ["RESTORE_FROM_LATEST_SNAPSHOT"]


@pytest.mark.parametrize("snapshots", [(), ("FAILED",), ("CREATING", "DELETING")])
def test_an_application_that_has_run_never_loses_its_state_unasked(
    snapshots: tuple[str, ...],
) -> None:
    service = FlinkService("READY", snapshots=snapshots, operations=HAS_RUN)
    with pytest.raises(LifecycleError, match=r"has run before.*raise analytics\.state_generation by one"):
        start(service)
    assert service.restore_types == []


def test_only_runs_since_the_applications_creation_count() -> None:
    service = FlinkService("READY", operations=HAS_RUN)
    service.created += timedelta(seconds=1)
    start(service)
    assert service.restore_types == ["SKIP_RESTORE_FROM_SNAPSHOT"]


def test_a_failed_first_start_may_be_retried_without_a_snapshot() -> None:
    failed = ("StartApplication", "FAILED", "main.py: ImportError")
    service = FlinkService("READY", operations=(failed,))
    start(service)
    assert service.restore_types == ["SKIP_RESTORE_FROM_SNAPSHOT"]


@pytest.mark.parametrize("seen", [("RUNNING",), ("UPDATING", "RUNNING"), ("STARTING", "RUNNING")])
def test_a_running_or_starting_application_is_not_started_again(seen: tuple[str, ...]) -> None:
    service = FlinkService(*seen)
    start(service)
    assert service.restore_types == []


def test_an_application_is_started_once_while_its_status_lags() -> None:
    service = FlinkService("READY", started=("READY", "READY", "STARTING", "RUNNING"))
    start(service)
    assert len(service.restore_types) == 1


def test_an_application_that_ends_while_starting_fails_with_the_reason() -> None:
    service = FlinkService(
        "READY",
        started=("STARTING", "READY"),
        operations=(
            ("UpdateApplication", "FAILED", "an older failure"),
            ("StartApplication", "FAILED", "No module named 'pyflink'"),
        ),
    )
    with pytest.raises(
        LifecycleError, match=r"did not start.*StartApplication of .*No module named 'pyflink'"
    ):
        start(service)


def test_a_start_the_service_gives_up_fails_at_once_even_while_ready() -> None:
    failed = ("StartApplication", "FAILED", "the code cannot be read")
    service = FlinkService("READY", started=("READY",), start_operation=failed)
    with pytest.raises(LifecycleError, match="the code cannot be read"):
        start(service)
    assert service.seconds < 10


def test_a_failure_is_reported_even_if_operations_cannot_be_listed() -> None:
    service = SecretiveService("RUNNING/old.zip")
    with pytest.raises(LifecycleError, match=r"code is old\.zip.*AccessDenied"):
        start(service)


def test_it_waits_for_a_start_already_in_progress() -> None:
    service = FlinkService("READY", "STARTING", "RUNNING")

    def refuse(**_: Any) -> dict[str, str]:
        raise service.exceptions.ResourceInUseException

    service.start_application = refuse  # type: ignore[method-assign,assignment]
    assert start(service) == {"Status": "RUNNING"}


def test_an_application_that_never_runs_fails_before_the_deadline() -> None:
    with pytest.raises(LifecycleError, match="still STARTING"):
        start(FlinkService("READY", started=("STARTING",)))


@pytest.mark.parametrize("status", ["GONE", "DELETING", "ROLLED_BACK"])
def test_an_application_that_cannot_run_fails(status: str) -> None:
    with pytest.raises(
        LifecycleError, match=f"analytics is {status.lower() if status == 'GONE' else status}"
    ):
        start(FlinkService(status))


@pytest.mark.parametrize("seen", [("RUNNING/old.zip",), ("UPDATING", "ROLLING_BACK", "RUNNING/old.zip")])
def test_former_code_running_after_a_failed_update_fails(seen: tuple[str, ...]) -> None:
    failed = ("UpdateApplication", "FAILED", "Cannot map state for operator 8_global")
    service = FlinkService(*seen, operations=(*HAS_RUN, failed))
    with pytest.raises(
        LifecycleError,
        match=r"RUNNING with another version than the one deployed: code is old\.zip instead of new\.zip\. "
        r"The service says: UpdateApplication of .* Cannot map state for operator 8_global",
    ):
        start(service)


def test_former_code_that_stopped_is_not_started() -> None:
    service = FlinkService("READY/old.zip", snapshots=("READY",), operations=HAS_RUN)
    with pytest.raises(LifecycleError, match=r"READY with another version.*code is old\.zip"):
        start(service)
    assert service.restore_types == []


def test_running_without_a_job_fails() -> None:
    service = FlinkService("READY", job_after_seconds=None)
    with pytest.raises(LifecycleError, match=r"RUNNING, but no job has run.*runningTime.*Its log says why"):
        start(service)
    assert service.seconds <= DEADLINE


def test_the_former_job_is_not_taken_for_the_new_one() -> None:
    """Its last point is in the minute in which the wait begins."""
    with pytest.raises(LifecycleError, match="RUNNING, but no job has run"):
        start(FlinkService("RUNNING", former_job=True, job_after_seconds=None))
    service = FlinkService("RUNNING", former_job=True, job_after_seconds=200)
    start(service)
    assert service.seconds >= 210


def test_a_wait_beginning_on_the_minute_counts_that_minute() -> None:
    metrics = mock.Mock(**{"get_metric_data.return_value": {"MetricDataResults": []}})
    application = FlinkApplication("analytics", service=mock.Mock(), metrics=metrics)
    noon, minute = BEGIN.replace(second=0), timedelta(minutes=1)
    for begin, first in ((noon, noon), (noon + timedelta(microseconds=1), noon + minute)):
        assert not application.job_ran_since(begin, begin)
        asked = metrics.get_metric_data.call_args.kwargs
        assert asked["StartTime"] == first < asked["EndTime"]


def test_a_start_succeeds_once_the_job_has_run_a_whole_minute() -> None:
    service = FlinkService("READY", job_after_seconds=200)
    start(service)
    # It begins at 12:03:50, so the first whole minute is 12:04.
    assert 210 <= service.seconds < 220


def test_the_job_is_seen_whatever_other_dimensions_its_metric_has() -> None:
    """The guide lists dimensions for the levels Application and Flow, without values."""
    start(FlinkService("READY", further_dimensions={"Flow": "Input"}))


def test_an_application_that_stops_before_its_job_ran_fails() -> None:
    service = FlinkService(
        "READY", started=("STARTING", "RUNNING", "RUNNING", "READY"), job_after_seconds=None
    )
    with pytest.raises(LifecycleError, match="was RUNNING and is READY before its job ran"):
        start(service)


def test_a_running_application_is_stopped_with_a_snapshot_to_drop_its_state() -> None:
    service = FlinkService("RUNNING", operations=HAS_RUN)
    start(service, drop_state=True)
    assert service.stops == [False]
    assert service.restore_types == ["SKIP_RESTORE_FROM_SNAPSHOT"]


def test_a_stopped_application_drops_its_state_though_it_has_a_snapshot() -> None:
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    start(service, drop_state=True)
    assert service.restore_types == ["SKIP_RESTORE_FROM_SNAPSHOT"]


def test_a_failed_start_without_state_leaves_it_stopped_for_the_rollback() -> None:
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN, job_after_seconds=None)
    with pytest.raises(LifecycleError, match="no job has run"):
        start(service, drop_state=True)
    assert service.stops == [True]
    assert service.seconds <= DEADLINE - FORCED_STOP_SECONDS + 5 * POLL_SECONDS


def test_a_pause_takes_a_snapshot() -> None:
    service = FlinkService("UPDATING", "RUNNING")
    assert service.lifecycle().pause(DEADLINE) == {}
    assert service.stops == [False]


def test_an_unforeseen_error_without_state_leaves_it_stopped_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = FlinkService("READY", started=("STARTING", "RUNNING"))
    monkeypatch.setattr(service, "get_metric_data", mock.Mock(side_effect=KeyError("MetricDataResults")))
    with pytest.raises(KeyError):
        start(service, drop_state=True)
    assert service.stops == [True]


def test_a_pause_without_a_possible_snapshot_stops_by_force() -> None:
    service = FlinkService("RUNNING", stopped=("STOPPING", "RUNNING"))
    service.lifecycle().pause(DEADLINE)
    assert service.stops == [False, True]


@pytest.mark.parametrize("status", ["READY", "GONE", "DELETING"])
def test_a_stopped_application_is_neither_paused_nor_stopped(status: str) -> None:
    service = FlinkService(status)
    service.lifecycle().pause(DEADLINE)
    service.lifecycle().stop(DEADLINE)
    assert service.stops == []


def test_a_running_application_is_stopped_with_a_snapshot() -> None:
    service = FlinkService("RUNNING")
    assert service.lifecycle().stop(DEADLINE) == {}
    assert service.stops == [False]


def test_a_starting_application_is_stopped_by_force() -> None:
    service = FlinkService("STARTING")
    service.lifecycle().stop(DEADLINE)
    assert service.stops == [True]


def test_a_deletion_continues_if_stopping_takes_too_long() -> None:
    service = FlinkService("RUNNING", stopped=("STOPPING",))
    assert service.lifecycle().stop(3 * POLL_SECONDS) == {}
