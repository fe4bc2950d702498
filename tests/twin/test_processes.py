"""Messages about a part of the twin that did not start, ended, or is awaited too long."""

import errno
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from twin import emulator, processes
from twin.emulator import Emulator
from twin.processes import ChildProcess, TwinError, wait_for
from twin.worker import Worker


def _python(code: str, log: Path) -> ChildProcess:
    return ChildProcess("the part", [sys.executable, "-u", "-c", code], log=log, env={})


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_failed_wait_says_what_was_found_instead() -> None:
    with pytest.raises(TwinError, match=r"5 clicks: not within 0 s; 3 were there"):
        wait_for(lambda: False, what="5 clicks", timeout_seconds=0, seen=lambda: "3 were there")


def test_a_failed_wait_is_reported_even_if_nothing_can_be_found() -> None:
    def broken() -> str:
        raise OSError("no answer")

    with pytest.raises(TwinError, match=r"not within 0 s; what was found is unknown.*no answer"):
        wait_for(lambda: False, what="5 clicks", timeout_seconds=0, seen=broken)


def test_a_condition_that_takes_long_is_asked_for_half_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    pauses: list[float] = []

    def asked() -> bool:
        nonlocal now
        now += 2 * len(pauses)
        return len(pauses) == 3

    clock = SimpleNamespace(monotonic=lambda: now, sleep=pauses.append)
    monkeypatch.setattr(processes, "time", clock)
    wait_for(asked, what="the third", timeout_seconds=60, poll_seconds=0.5)
    assert pauses == [0.5, 2, processes.MAX_PAUSE_SECONDS]


def test_a_part_that_is_not_ready_in_time_shows_its_last_errors(tmp_path: Path) -> None:
    part = _python("import time; print('OSError: no such host'); time.sleep(60)", tmp_path / "log")
    try:
        wait_for(lambda: part.log.stat().st_size > 0, what="its output", timeout_seconds=10)
        with pytest.raises(TwinError, match=r"the part ready: not within 0 s.*\n.*OSError: no such host"):
            part.wait_until(lambda: False, timeout_seconds=0)
    finally:
        part.kill()


def test_a_part_that_ended_shows_its_exit_code_and_last_errors(tmp_path: Path) -> None:
    part = _python("raise ValueError('a bad setting')", tmp_path / "log")
    with pytest.raises(TwinError, match=r"ended with exit code 1; .*\n(.*\n)*.*ValueError: a bad setting"):
        part.wait_until(lambda: False, timeout_seconds=10)


def test_a_killed_part_says_that_memory_may_be_short(tmp_path: Path) -> None:
    part = _python("import time; time.sleep(60)", tmp_path / "log")
    part.check()
    part.kill()
    with pytest.raises(TwinError, match="when memory is short"):
        part.check()


def test_a_parts_own_logs_are_searched_too(tmp_path: Path) -> None:
    own = tmp_path / "own.log"
    own.write_text("2026-01-31 09:15:00,000 ERROR x - the disk is full\n")
    command = [sys.executable, "-c", ""]
    part = ChildProcess("the part", command, log=tmp_path / "log", env={}, other_logs=lambda: [own])
    with pytest.raises(TwinError, match="the disk is full"):
        part.wait_until(lambda: False, timeout_seconds=10)


def test_a_port_taken_by_another_program_is_reported_with_a_remedy(
    taken_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "free_port", lambda: taken_port)
    emulated = Emulator(opensearch_endpoint="http://127.0.0.1:1", log=tmp_path / "log")
    try:
        with pytest.raises(
            TwinError, match=r"MiniStack ended .*another program took that port.*run it again"
        ):
            emulated.wait_until_ready()
    finally:
        emulated.stop()


def test_only_its_user_can_enter_the_folder_of_the_emulators_keys(tmp_path: Path) -> None:
    emulated = Emulator(opensearch_endpoint="http://127.0.0.1:1", log=tmp_path / "log")
    try:
        emulated.wait_until_ready()
        pools = emulated.client("cognito-idp", "ap-northeast-1")
        pools.create_user_pool(PoolName="readers")
        keys = [path for path in emulated.folder.rglob("*") if path.is_file() and "cognito" in str(path)]
        assert keys, "the emulator keeps its keys elsewhere"
        assert emulated.folder.stat().st_mode & 0o077 == 0
    finally:
        emulated.stop()
    assert not emulated.folder.exists()


def test_a_full_disk_is_reported_with_a_remedy(tmp_path: Path) -> None:
    def write() -> bool:
        raise OSError(errno.ENOSPC, "No space left on device", "counts.ndjson")

    worker = Worker("delivery", write, idle_seconds=0)
    with pytest.raises(TwinError, match=r"the disk is full: free room .* or set TMPDIR"):
        worker.stop()
    part = _python("raise OSError(28, 'No space left on device')", tmp_path / "log")
    with pytest.raises(TwinError, match=r"exit code 1: the disk is full"):
        part.wait_until(lambda: False, timeout_seconds=10)


def test_a_paused_part_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    part = _python(
        f"import time\nwhile True:\n print(1, file=open({str(file)!r}, 'a'))\n time.sleep(0.01)",
        tmp_path / "log",
    )

    def stands_still() -> bool:
        state = subprocess.check_output(["ps", "-o", "stat=", "-p", str(part.pid)], text=True)
        return state.startswith("T")

    try:
        part.wait_until(file.exists, timeout_seconds=30)
        part.pause()
        wait_for(stands_still, what="it stopped", timeout_seconds=30)
        assert part.running
        lines = file.stat().st_size
        part.go_on()
        wait_for(lambda: file.stat().st_size > lines, what="another line", timeout_seconds=30)
    finally:
        part.stop()


def test_a_part_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    """The system kills a child when the thread that made it ends: one thread's drill ended OpenSearch."""
    started: list[ChildProcess] = []

    def start() -> None:
        started.append(_python("import time; print('up', flush=True); time.sleep(60)", tmp_path / "log"))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    [part] = started
    try:
        part.wait_until(lambda: "up" in part.log.read_text(), timeout_seconds=30)
        assert part.running
    finally:
        part.stop()
