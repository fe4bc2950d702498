"""How a benchmark reads what a command used."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.subprocesses import BenchmarkError, output
from bench.usage import usage
from twin.processes import wait_for

BURN = "import time\nuntil = time.process_time() + 0.5\nwhile time.process_time() < until:\n    pass"


def test_the_time_of_a_child_that_outlives_the_command_is_counted(tmp_path: Path) -> None:
    start_and_leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
    used = usage([sys.executable, "-c", start_and_leave], log=tmp_path / "log")
    assert 0.5 <= used.cpu_seconds < 2


def test_another_child_of_the_measuring_process_is_not_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        usage([sys.executable, "-c", "pass"], log=tmp_path / "log")
        assert other.poll() is None
        other.kill()


def test_the_answer_is_the_last_line_of_json(tmp_path: Path) -> None:
    used = usage([sys.executable, "-c", "print('starting'); print('{\"seconds\": 3}')"], log=tmp_path / "log")
    assert used.answer() == {"seconds": 3}
    assert used.peak_mib > 1


def test_a_command_that_fails_is_shown_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="ValueError: no such table"):
        usage([sys.executable, "-c", "raise ValueError('no such table')"], log=tmp_path / "log")


# What a benchmark starts: Python that starts a JVM, which ends with its standard input.
STARTS_ANOTHER = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(os.getppid(), os.getpid(), child.pid, file=open(sys.argv[1] + ".new", "w"), flush=True)
os.rename(sys.argv[1] + ".new", sys.argv[1])
child.wait()
"""
MEASURES = """
import sys
from pathlib import Path
from bench.usage import usage
from twin.processes import wait_for
usage([sys.executable, "-c", sys.argv[1], sys.argv[2]], log=Path(sys.argv[2] + ".log"))
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_runs_on_when_a_benchmark_is_ended(ending: signal.Signals, tmp_path: Path) -> None:
    told = tmp_path / "processes"
    with subprocess.Popen(
        [sys.executable, "-c", MEASURES, STARTS_ANOTHER, str(told)], stderr=subprocess.DEVNULL
    ) as benchmark:
        wait_for(told.exists, what="the processes started", timeout_seconds=30)
        benchmark.send_signal(ending)
        benchmark.wait()
    processes = told.read_text().split()
    wait_for(lambda: not any(map(_runs, processes)), what="every process ended", timeout_seconds=10)


def _runs(process: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_command_that_hangs_is_ended_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.subprocesses.MAX_SECONDS", 0.2)
    with pytest.raises(BenchmarkError, match=r"not done within 0\.2 s: sleep 60"):
        output(["sleep", "60"])


def test_children_of_a_command_end_with_it(tmp_path: Path) -> None:
    told = tmp_path / "process"
    leaves = (
        "import subprocess, sys; "
        "child = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL); "
        "open(sys.argv[1], 'w').write(str(child.pid))"
    )
    output([sys.executable, "-c", leaves, str(told)])
    wait_for(lambda: not _runs(told.read_text()), what="the child ended", timeout_seconds=10)
