"""How the twin runs the deployed application: the process's settings and environment."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from settings import load
from tests.deployed import deployed_properties
from twin.analytics import EmulatedApplication
from twin.emulator import Emulator
from twin.flink_job import JobState, RestartWatch
from twin.processes import TwinError

DEPLOYED = deployed_properties(load("local"))
ROLE_KEYS = SimpleNamespace(access_key="role-key", secret_key="role-secret", token="role-token")
SESSION = SimpleNamespace(get_credentials=lambda: ROLE_KEYS)


@pytest.fixture
def application(tmp_path: Path) -> EmulatedApplication:
    made = EmulatedApplication.__new__(EmulatedApplication)
    made._work, made._starts, made.role_arn = tmp_path, 3, "role"
    made._emulator = cast(
        Emulator, SimpleNamespace(endpoint="http://127.0.0.1:4566", session_as=lambda *_: SESSION)
    )
    made.properties = DEPLOYED
    made._over = lambda _: {"segments": {"path": "file:///segments"}}
    return made


def _flink(
    application: EmulatedApplication, savepoint: str | None = None, *, allowed: bool = False
) -> dict[str, str]:
    described: dict[str, Any] = {
        "FlinkApplicationConfigurationDescription": {
            "CheckpointConfigurationDescription": {
                "CheckpointInterval": 1_500,
                "MinPauseBetweenCheckpoints": 700,
            },
            "ParallelismConfigurationDescription": {"Parallelism": 7},
        },
        "RunConfigurationDescription": {
            "FlinkRunConfigurationDescription": {"AllowNonRestoredState": allowed}
        },
    }
    properties = application._with_twin_settings(described, rest_port=4321, savepoint=savepoint)
    assert properties["segments"] == {"path": "file:///segments"}
    assert properties["checks"] == DEPLOYED["checks"]
    return properties["flink"]


def test_a_start_without_a_run_configuration_drops_no_state(application: EmulatedApplication) -> None:
    described = {
        "FlinkApplicationConfigurationDescription": {
            "CheckpointConfigurationDescription": {"CheckpointInterval": 1, "MinPauseBetweenCheckpoints": 1},
            "ParallelismConfigurationDescription": {"Parallelism": 1},
        }
    }
    properties = application._with_twin_settings(described, rest_port=4321, savepoint=None)
    assert properties["flink"]["execution.state-recovery.ignore-unclaimed-state"] == "false"


def test_parallelism_and_checkpoints_come_from_the_deployed_template(
    application: EmulatedApplication,
) -> None:
    flink = _flink(application)
    assert flink["parallelism.default"] == "7"
    assert flink["execution.checkpointing.interval"] == "1500 ms"
    assert flink["execution.checkpointing.min-pause"] == "700 ms"


@pytest.mark.parametrize("allowed", [True, False])
def test_state_is_left_behind_only_if_the_start_allows_it(
    application: EmulatedApplication, *, allowed: bool
) -> None:
    flink = _flink(application, "file:///savepoint", allowed=allowed)
    assert flink["execution.state-recovery.ignore-unclaimed-state"] == str(allowed).lower()


def test_the_local_environment_splits_the_work_among_several_tasks() -> None:
    assert load("local").analytics.parallelism > 1


def test_state_is_restored_only_if_the_start_says_so(application: EmulatedApplication) -> None:
    assert "execution.state-recovery.path" not in _flink(application)
    assert _flink(application, "file:///saved")["execution.state-recovery.path"] == "file:///saved"


def test_the_last_checkpoint_is_the_newest_complete_one(application: EmulatedApplication) -> None:
    assert application.last_checkpoint() is None
    for number in (9, 10):
        folder = application._checkpoints / "job" / f"chk-{number}"
        folder.mkdir(parents=True)
        (folder / "_metadata").touch()
    (application._checkpoints / "job" / "chk-11").mkdir()  # not complete
    assert str(application.last_checkpoint()).endswith("/job/chk-10")


def test_the_process_has_the_roles_credentials_and_files_in_the_work_folder(
    application: EmulatedApplication, tmp_path: Path
) -> None:
    environment = application._environment()
    assert environment["AWS_ACCESS_KEY_ID"] == "role-key"
    assert environment["CBOR_ENABLED"] == "false"
    assert environment["FLINK_LOG_DIR"] == str(tmp_path / "log")
    assert f"-Djava.io.tmpdir={tmp_path / 'tmp'}" in environment["JVM_ARGS"].split()
    assert (tmp_path / "tmp").is_dir()


def test_a_job_that_keeps_restarting_fails_the_check_with_its_cause(
    application: EmulatedApplication,
) -> None:
    process = SimpleNamespace(check=lambda: None, last_errors=lambda: "the log: BadError: the root")
    application._process, application._workers, application._problem = cast(Any, process), [], None
    application._restarts, application.state = RestartWatch(), None
    for restarts in range(4):
        application.check()
        application._see(
            JobState(
                status="RUNNING",
                tasks_run=True,
                restarts=restarts,
                checkpoints=0,
                cause="BadError: the root",
            )
        )
    with pytest.raises(TwinError, match=r"again and again: RUNNING, 3 restarts.*BadError") as raised:
        application.check()
    assert "the log: BadError" in str(raised.value)


def test_a_stop_ends_the_job_without_an_error_even_if_its_snapshot_fails(
    application: EmulatedApplication,
) -> None:
    stopped: list[bool] = []

    def savepoint(_folder: Path, *, stop: bool) -> str:
        application.check()  # like another thread while Flink ends the job
        stopped.append(stop)
        if len(stopped) == 2:
            raise TwinError("cannot take a savepoint")
        return "file:///saved"

    def has_ended() -> None:
        raise TwinError("ended with exit code 0")

    application._workers, application._problem, application.state = [], None, None
    ended = SimpleNamespace(check=has_ended, stop=lambda: stopped.append(False))
    application._process, application._job = cast(Any, ended), cast(Any, SimpleNamespace(savepoint=savepoint))
    assert application._stop_job(keep_state=True) == {"savepoint": "file:///saved"}
    assert stopped == [True, False]

    stopped.pop()
    application._process, application._job = cast(Any, ended), cast(Any, SimpleNamespace(savepoint=savepoint))
    with pytest.raises(TwinError, match="cannot take a savepoint"):
        application._stop_job(keep_state=True)
    assert stopped == [True, True, False]


def test_a_start_replaces_the_running_job(application: EmulatedApplication) -> None:
    happened: list[str] = []
    application._process = cast(Any, SimpleNamespace(stop=lambda: happened.append("old one stopped")))
    vars(application)["_run"] = lambda *, savepoint: happened.append(f"new one from {savepoint}")
    application._start(savepoint="file:///saved")
    assert happened == ["old one stopped", "new one from file:///saved"]
