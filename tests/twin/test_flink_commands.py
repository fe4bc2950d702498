"""The control plane's commands to the twin, with MiniStack's operations and without Flink."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import kinesisanalyticsv2 as service
from ministack.services import kinesisanalyticsv2_flink as flink

from names import OREGON, TWIN_ACCOUNT
from twin import flink_commands
from twin.processes import wait_for

PATH = f"{flink_commands.COMMANDS_PATH}{OREGON}/application"
FROM_NOTHING = {"ApplicationRestoreConfiguration": {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"}}


@pytest.fixture(autouse=True)
def _application(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in flink_commands.NEEDED_OF_FLINK:
        monkeypatch.setattr(flink, name, getattr(flink, name))  # so that it is restored at the end
    flink_commands.replace_docker_by_commands()
    set_request_account_id(TWIN_ACCOUNT)
    set_request_region(OREGON)
    _call(
        "CreateApplication",
        RuntimeEnvironment="FLINK-2_3",
        ServiceExecutionRole="role",
        ApplicationConfiguration={"ApplicationSnapshotConfiguration": {"SnapshotsEnabled": True}},
    )
    yield
    service.reset()


def _call(operation: str, **request: Any) -> Any:
    status, _, body = service._HANDLERS[operation]({"ApplicationName": "application", **request})
    assert status == 200, body
    return json.loads(body)


def _status() -> str:
    status: str = _call("DescribeApplication")["ApplicationDetail"]["ApplicationStatus"]
    return status


def _take() -> Any:
    return json.loads(flink_commands.take_command(PATH))


def _take_soon() -> Any:
    taken: list[Any] = []

    def took() -> bool:
        if command := _take():
            taken.append(command)
        return bool(taken)

    wait_for(took, what="a command", timeout_seconds=60)
    return taken[0]


def _answer(command: Any, **outcome: str) -> Any:
    body = json.dumps({"number": command["number"], **outcome}).encode()
    return json.loads(flink_commands.answer_command(PATH, body))


def _running() -> None:
    _call("StartApplication", RunConfiguration=FROM_NOTHING)
    _answer(_take())


def _stop(*, force: bool, savepoint: str | None = None) -> Any:
    _call("StopApplication", Force=force)
    command = _take_soon()
    _answer(command, **({"savepoint": savepoint} if savepoint else {}))
    wait_for(lambda: _status() == "READY", what="the stop", timeout_seconds=60)
    return command


def test_an_application_is_running_only_when_its_job_is() -> None:
    _call("StartApplication", RunConfiguration=FROM_NOTHING)
    assert [_status() for _ in range(3)] == ["STARTING"] * 3
    command = _take()
    assert (command["kind"], command["savepoint"]) == ("start", None)
    assert _status() == "STARTING"
    _answer(command)
    assert _status() == "RUNNING"
    assert _take() is None


def test_an_application_without_a_running_job_is_ready_again() -> None:
    _call("StartApplication", RunConfiguration=FROM_NOTHING)
    _answer(_take(), problem="no such class")
    assert _status() == "READY"


def test_a_start_from_the_latest_snapshot_names_the_stops_savepoint() -> None:
    _running()
    assert _stop(force=False, savepoint="file:///saved")["keep_state"] is True
    _call("StartApplication")
    assert _take()["savepoint"] == "file:///saved"


def test_a_forced_stop_and_a_start_without_restoring_keep_nothing() -> None:
    _running()
    assert _stop(force=True)["keep_state"] is False
    _call("StartApplication", RunConfiguration=FROM_NOTHING)
    assert _take()["savepoint"] is None


def test_a_failed_snapshot_is_not_ready() -> None:
    _running()
    _stop(force=False)
    [snapshot] = _call("ListApplicationSnapshots")["SnapshotSummaries"]
    assert snapshot["SnapshotStatus"] == "FAILED"


def test_a_start_superseded_by_a_forced_stop_leaves_it_stopped() -> None:
    _call("StartApplication", RunConfiguration=FROM_NOTHING)
    start = _take()
    _call("StopApplication", Force=True)
    stop = _take_soon()
    assert _answer(start) is False
    _answer(stop)
    wait_for(lambda: _status() == "READY", what="the stop", timeout_seconds=60)


def test_orders_go_to_the_application_they_name() -> None:
    _call("StartApplication", RunConfiguration=FROM_NOTHING)
    assert json.loads(flink_commands.take_command(f"{flink_commands.COMMANDS_PATH}{OREGON}/other")) is None
    assert _take() is not None
