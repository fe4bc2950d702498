"""A soak of a twin that is made up: a process that answers requests as a run does."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.soak import watch
from bench.soak.record import RecordFile, SoakRecord, read_record
from bench.soak.usage_of_parts import TWIN, disk_of_stores
from bench.soak.verdict import verdict
from bench.soak.watch import SoakPlan, soak
from twin.processes import TwinError

MADE_UP_TWIN = """
import json, os, pathlib, socketserver, sys, time
folder = pathlib.Path(os.environ["TMPDIR"]) / "click-trends-twin-1"
folder.mkdir()
how = sys.argv[1]
STATE = {"sent": 10, "counted": 7, "rejected": 2, "unparseable": 1, "ended": [], "clicks_a_second": 1.0}
CLOSED = {**STATE, "missing": 0, "unexplained": 0, "waiting_documents": 0}
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        request = json.loads(self.rfile.readline())
        if "state" in request and how == "dies":
            os._exit(3)
        if "state" in request and how == "silent":
            said, code = "the run has shown nothing for 60 s", 1
        elif "drill" in request:
            said, code = "every click is accounted for", 0 if request["solve"] else 2
        else:
            said, code = json.dumps(STATE if "state" in request else CLOSED), 0
        for line in ({"say": said}, {"end": code}):
            self.wfile.write(json.dumps(line).encode() + b"\\n")
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
Server(str(folder / "control.sock"), Handler).serve_forever()
"""
SHORT = SoakPlan(hours=2 / 3600, rate=1, seed=1)
LONG = SoakPlan(hours=1, rate=1, seed=1)


@pytest.fixture
def soaked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[SoakPlan, str], SoakRecord]:
    monkeypatch.setattr(watch, "SAMPLE_SECONDS", 0.2)
    file = RecordFile(tmp_path / "soak.jsonl")

    def run(plan: SoakPlan, how: str) -> SoakRecord:
        monkeypatch.setattr(watch, "TWIN_COMMAND", (sys.executable, "-c", MADE_UP_TWIN, how))
        soak(plan, file, lambda _: None)
        return read_record(file.path)

    return run


def test_a_soak_records_samples_a_drill_and_the_sum_of_clicks(
    soaked: Callable[[SoakPlan, str], SoakRecord],
) -> None:
    record = soaked(SHORT, "well")
    assert record.start["seed"] == 1
    assert len(record.samples) > 1
    assert record.samples[0]["state"]["sent"] == 10
    assert record.samples[0]["memory"][TWIN] > 1
    assert [drill["passed"] for drill in record.drills] == [True]
    assert record.end is not None
    assert record.end["interrupted"] is False
    assert verdict(record).closes is True


def test_control_c_ends_a_soak_with_the_sum_of_clicks_so_far(
    soaked: Callable[[SoakPlan, str], SoakRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = disk_of_stores

    def interrupted_after_a_sample(folder: Path) -> dict[str, float]:
        if threading.current_thread() is threading.main_thread():
            monkeypatch.setattr(watch, "disk_of_stores", seen)
            os.kill(os.getpid(), signal.SIGINT)
        return seen(folder)

    monkeypatch.setattr(watch, "disk_of_stores", interrupted_after_a_sample)
    monkeypatch.setattr(watch, "planned_drills", lambda _: [(3000.0, "poison")])
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        record = soaked(LONG, "well")
    finally:
        signal.signal(signal.SIGINT, handler)
    assert record.end is not None
    assert record.end["interrupted"] is True
    assert verdict(record).closes is True


def test_a_twin_that_does_not_answer_leaves_gaps_with_their_reason(
    soaked: Callable[[SoakPlan, str], SoakRecord],
) -> None:
    record = soaked(SHORT, "silent")
    assert {sample["state"] for sample in record.samples} == {None}
    assert record.samples[0]["problem"] == "the run has shown nothing for 60 s"
    assert verdict(record).exit_code == 2


def test_a_twin_that_ends_by_itself_ends_the_soak_and_is_said(
    soaked: Callable[[SoakPlan, str], SoakRecord],
) -> None:
    with pytest.raises(TwinError, match="exit code 3"):
        soaked(LONG, "dies")
