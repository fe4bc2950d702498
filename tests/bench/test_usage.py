"""How a benchmark reads what a command used."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.usage import usage

BURN = "import time\nuntil = time.process_time() + 0.5\nwhile time.process_time() < until:\n    pass"


def test_the_time_of_a_child_that_outlives_the_command_is_counted(tmp_path: Path) -> None:
    start_and_leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
    used = usage([sys.executable, "-c", start_and_leave], log=tmp_path / "log")
    assert 0.5 <= used.cpu_seconds < 2


def test_another_child_of_the_process_that_measures_is_not_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        usage([sys.executable, "-c", "pass"], log=tmp_path / "log")
        assert other.poll() is None
        other.kill()


def test_the_answer_is_the_last_line_of_json(tmp_path: Path) -> None:
    used = usage([sys.executable, "-c", "print('starting'); print('{\"seconds\": 3}')"], log=tmp_path / "log")
    assert used.answer() == {"seconds": 3}
    assert used.peak_mib > 1


def test_a_command_that_fails_is_shown_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ValueError: no such table"):
        usage([sys.executable, "-c", "raise ValueError('no such table')"], log=tmp_path / "log")
