"""How a benchmark reads what a command used."""

import subprocess
import sys
from pathlib import Path

BURN = "import time\nuntil = time.process_time() + 0.5\nwhile time.process_time() < until:\n    pass"
MEASURE = (
    "import sys; from pathlib import Path; from bench.usage import usage;"
    "print(usage(sys.argv[2:], log=Path(sys.argv[1])).cpu_seconds)"
)


def measured(log: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """The CPU seconds, in a process of its own: it waits for every child of its process."""
    return subprocess.run(
        [sys.executable, "-c", MEASURE, str(log), *command], capture_output=True, text=True, check=False
    )


def test_the_time_of_a_child_that_outlives_the_command_is_counted(tmp_path: Path) -> None:
    start_and_leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
    done = measured(tmp_path / "log", sys.executable, "-c", start_and_leave)
    assert 0.5 <= float(done.stdout) < 2


def test_a_command_that_fails_is_shown_with_the_end_of_its_log(tmp_path: Path) -> None:
    done = measured(tmp_path / "log", sys.executable, "-c", "raise ValueError('no such table')")
    assert done.returncode == 1
    assert "ValueError: no such table" in done.stderr
