"""Ctrl-C, or a closed terminal, while `make run` starts its parts."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from tests.conftest import PROJECT
from twin import twin as module
from twin.command import app
from twin.processes import TwinError, wait_for

SECONDS_TO_END = 60.0
"""A few on a quiet machine."""
START_TIMEOUT_SECONDS = 120


def _processes_of(temporary: Path) -> list[str]:
    """Command lines of processes with the folder in their arguments or environment."""
    found, folder = [], str(temporary).encode()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes()
                if folder in command + (process / "environ").read_bytes():
                    found.append(command.replace(b"\0", b" ").decode())
            except OSError:  # it has ended
                continue
    return found


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where the run keeps its files. Root runs OpenSearch as a user who could not enter tmp_path."""
    with tempfile.TemporaryDirectory(prefix="click-trends-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class InterruptedWhileItIsMade:
    """Stands in for a Twin."""

    stopped = False

    def __init__(self, work: Path, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        (work / "ministack.log").touch()

    def stop(self) -> None:
        InterruptedWhileItIsMade.stopped = True


def test_a_twin_interrupted_while_created_is_stopped_without_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "Twin", InterruptedWhileItIsMade)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), module.running_twin():
        pytest.fail("it goes on after Ctrl-C")
    assert InterruptedWhileItIsMade.stopped
    assert list(tmp_path.iterdir()) == []


def test_a_twin_that_cannot_be_created_leaves_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("twin.opensearch.HOME", tmp_path / "absent")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(TwinError, match="make setup"), module.running_twin():
        pytest.fail("it goes on without OpenSearch")
    assert list(tmp_path.iterdir()) == []


def _disk_is_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "failing", ["twin.opensearch._configure", "twin.opensearch.ChildProcess", "twin.emulator.ChildProcess"]
)
def test_a_twin_whose_disk_is_full_says_so_and_leaves_neither_folder_nor_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str
) -> None:
    started = mock.MagicMock()
    monkeypatch.setattr("twin.opensearch.ChildProcess", started)
    monkeypatch.setattr(failing, _disk_is_full)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("os.chown", lambda *_: None)
    ended = CliRunner().invoke(app, [])
    assert (ended.exit_code, "make run: the disk is full: free room" in ended.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []
    assert started.return_value.stop.called == (failing == "twin.emulator.ChildProcess")


def test_an_error_that_nobody_foresaw_ends_a_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ValueError("x" * 10_000)

    monkeypatch.setattr("twin.command.demonstrate", fails)
    ended = CliRunner().invoke(app, [])
    assert ended.exit_code == 1
    assert ended.stderr.startswith("make run: unforeseen: ValueError: xxx")
    assert len(ended.stderr) < 1_000


class DyingTwin:
    """Stands in for a Twin whose emulator's end is seen just after the error that it caused."""

    logs_are_kept = False

    def __init__(self, *_: object) -> None: ...

    def check_soon(self) -> None:
        raise TwinError("MiniStack ended with exit code 1")

    def stop(self) -> None: ...


def test_a_parts_death_is_reported_instead_of_its_consequence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "Twin", DyingTwin)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(TwinError, match="MiniStack ended") as told, module.running_twin():
        raise TwinError("the worker forwarder ended")
    assert "the worker forwarder ended" in str(told.value.__cause__)


def test_an_error_without_a_dead_part_is_reported_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "Twin", DyingTwin)
    monkeypatch.setattr(DyingTwin, "check_soon", lambda _: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ValueError, match="a bad file"), module.running_twin():
        raise ValueError("a bad file")


@pytest.mark.twin
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGHUP], ids=["Ctrl-C", "closed terminal"])
def test_a_run_interrupted_while_flink_starts_ends_in_seconds_and_cleanly(
    tmp_path: Path, temporary: Path, asked: signal.Signals
) -> None:
    if sys.platform != "linux":
        pytest.skip("finds processes in /proc")
    output = tmp_path / "output"
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(PROJECT)}
    with output.open("wb") as written:
        run = subprocess.Popen(
            [sys.executable, "-m", "twin", "--rate", "10"],
            cwd=PROJECT,
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Tests under `nohup` are deaf to it, and so would be the run.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 (one system call)
        )
    try:
        wait_for(
            lambda: run.poll() is not None or any(temporary.glob("click-trends-twin-*/flink/log/*")),
            what="Flink starting",
            timeout_seconds=START_TIMEOUT_SECONDS,
            seen=output.read_text,
        )
        assert run.poll() is None, output.read_text()
        assert _processes_of(temporary)
        os.killpg(run.pid, asked)  # to the whole foreground group, like a terminal
        began = time.monotonic()
        run.wait(START_TIMEOUT_SECONDS)
    finally:
        if run.poll() is None:
            run.kill()
    assert run.returncode == 0, output.read_text()
    assert time.monotonic() - began < SECONDS_TO_END
    assert _processes_of(temporary) == []
    assert list(temporary.iterdir()) == []
