"""A start's operation in the emulated service ends like the job that the twin was to run."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from names import OREGON
from tests.twin.test_managed_flink import create
from twin.emulator import Emulator
from twin.flink_commands import COMMANDS_PATH

pytestmark = pytest.mark.twin


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("emulator") / "ministack.log"
    emulator = Emulator(opensearch_endpoint="http://127.0.0.1:9", log=log, runs_flink=True)
    emulator.wait_until_ready()
    yield emulator
    emulator.stop()


def start_and_answer(emulator: Emulator, name: str, **outcome: str) -> tuple[Any, Any]:
    """Its operation before and after the twin has answered the start."""
    create(emulator, name)
    service = emulator.client("kinesisanalyticsv2", OREGON)
    operation_id = service.start_application(ApplicationName=name)["OperationId"]

    def operation() -> Any:
        return service.describe_application_operation(ApplicationName=name, OperationId=operation_id)[
            "ApplicationOperationInfoDetails"
        ]

    commands = f"{emulator.endpoint}{COMMANDS_PATH}{OREGON}/{name}"
    with urllib.request.urlopen(commands, timeout=10) as answer:
        command = json.load(answer)
    before = operation()
    body = json.dumps({"number": command["number"], **outcome}).encode()
    urllib.request.urlopen(commands, data=body, timeout=10).close()
    return before, operation()


def test_a_jobs_start_is_in_progress_and_then_successful(emulator: Emulator) -> None:
    before, after = start_and_answer(emulator, "good")
    assert (before["OperationStatus"], after["OperationStatus"]) == ("IN_PROGRESS", "SUCCESSFUL")


def test_a_failed_start_of_a_job_has_its_reason(emulator: Emulator) -> None:
    _, after = start_and_answer(emulator, "broken", problem="NumberFormatException: no number")
    assert after["OperationStatus"] == "FAILED"
    reason = after["OperationFailureDetails"]["ErrorInfo"]["ErrorString"]
    assert reason == "NumberFormatException: no number"
