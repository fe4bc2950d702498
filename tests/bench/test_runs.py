"""A run of several sections: none affects the others or leaves anything running."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import clicks
from bench.clicks import write_clicks
from bench.machine import ProcessorTimes
from bench.subprocesses import BenchmarkError
from twin.processes import wait_for

# In a process of its own, as the runner ends every child that it finds left.
RUN = """
import subprocess, sys, time
from pathlib import Path
from bench import __main__ as runner, figures, page
from bench.subprocesses import BenchmarkError
from bench.report import Benchmark

folder = Path(sys.argv.pop(1))

def breaks(scale):
    raise BenchmarkError("the disk is full")

def crashes(scale):
    return {}["no such figure"]

def leaves(scale):
    child = subprocess.Popen(["sleep", "60"])
    (folder / "left").write_text(str(child.pid))
    return {"scale": scale.name}

older = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

def waits(scale):
    (folder / "waiting").touch()
    time.sleep(60)
    return {}

def section(measure):
    return Benchmark(name=measure.__name__, title="", measure=measure, report=lambda figures: ("shown",))

runner.SECTIONS = page.SECTIONS = tuple(map(section, (breaks, crashes, leaves, waits)))
runner.recorded = lambda: figures.recorded(folder / "figures.json")
runner.record = lambda name, entry: figures.record(name, entry, folder / "figures.json")
runner.write = lambda recorded: page.write(recorded, folder / "benchmarks.md")
code = runner.main()
(folder / "older").write_text(str(older.poll()))
older.kill()
sys.exit(code)
"""


def start(folder: Path, *sections: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(folder), "--scale", "quick", "--record", *sections]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def figures(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return found


def test_a_section_that_fails_is_named_and_the_others_are_recorded(tmp_path: Path) -> None:
    with start(tmp_path, "breaks", "crashes", "leaves") as run:
        text, _ = run.communicate()
    assert run.returncode == 1
    assert "breaks was not measured or recorded: the disk is full" in text
    assert "crashes was not measured or recorded: KeyError" in text
    assert figures(tmp_path).keys() == {"leaves"}
    assert figures(tmp_path)["leaves"]["figures"] == {"scale": "quick"}


def test_what_a_section_leaves_running_is_ended(tmp_path: Path) -> None:
    with start(tmp_path, "leaves") as run:
        run.communicate()
    assert run.returncode == 0
    assert not Path(f"/proc/{(tmp_path / 'left').read_text()}").exists()
    assert (tmp_path / "older").read_text() == "None"  # it runs on


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_is_recorded(ending: signal.Signals, tmp_path: Path) -> None:
    with start(tmp_path, "leaves", "waits") as run:
        wait_for((tmp_path / "waiting").exists, what="the second section", timeout_seconds=30)
        run.send_signal(ending)
        text, _ = run.communicate()
    assert run.returncode == 130
    assert "interrupted" in text
    assert figures(tmp_path).keys() == {"leaves"}


def test_input_that_would_fill_the_disk_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clicks, "DISK_RESERVE_BYTES", 10**18)
    with pytest.raises(BenchmarkError, match="make room, or set TMPDIR"):
        write_clicks(tmp_path, clicks=10, users=10)
    assert not list((tmp_path / "clicks").iterdir())


def test_a_click_takes_no_more_space_than_requested(tmp_path: Path) -> None:
    folder = write_clicks(tmp_path, clicks=1_000, users=10_000_000)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 1_000 * clicks.MAX_BYTES_A_CLICK


def test_the_other_load_is_what_the_machine_did_beside_this_process() -> None:
    began = ProcessorTimes(at=100.0, busy=50.0, own=10.0)
    assert began.other_cores_until(ProcessorTimes(at=110.0, busy=65.0, own=20.0)) == 0.5
    now = ProcessorTimes.now()
    assert now.busy > 0
    assert now.own >= sum(os.times()[:2]) - 0.1
