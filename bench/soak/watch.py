"""A soak while it runs.

1. start the twin with a day's traffic, in a process of its own
2. sample memory, disk, lag and the sum of all clicks
3. now and then cause a fault by a drill, with the run-book's command where it takes one
4. at the end, or at Ctrl-C, hold the traffic until every click is accounted for
"""

import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.soak.day_shape import day_shape
from bench.soak.record import RecordFile
from bench.soak.usage_of_parts import disk_of_stores, memory_of_parts
from twin.drills.asking import SOCKET, answers, ask
from twin.drills.faults import FAULTS
from twin.processes import ChildProcess, TwinError, wait_for

SAMPLE_SECONDS = 10.0
START_SECONDS = 900.0
"""Of the twin, on a busy machine."""
STOP_SECONDS = 60.0
DRILLS_AN_HOUR = 3
DRILLS_FROM, DRILLS_UNTIL = 0.1, 0.65
"""Shares of the run: the last third is left alone, for its slopes to be those of a system at work."""
TWIN_COMMAND = (sys.executable, "-m", "bench.soak.shaped_run")
_PROJECT = Path(__file__).parents[2]
Say = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class SoakPlan:
    """rate: clicks a second, on the mean of the day."""

    hours: float
    rate: float
    seed: int

    @property
    def seconds(self) -> float:
        return self.hours * 3600


def planned_drills(plan: SoakPlan) -> list[tuple[float, str]]:
    """When, in seconds, and which: one at a random moment of each equal share of the time for drills, no
    fault again before every other."""
    rng = random.Random(f"drills {plan.seed}")
    number = max(1, round(plan.hours * DRILLS_AN_HOUR))
    first, span = DRILLS_FROM * plan.seconds, (DRILLS_UNTIL - DRILLS_FROM) * plan.seconds / number
    names: list[str] = []
    while len(names) < number:
        names += rng.sample(list(FAULTS), len(FAULTS))
    return [(first + (index + rng.random()) * span, names[index]) for index in range(number)]


def soak(plan: SoakPlan, file: RecordFile, say: Say) -> None:
    """Run it and record it; Ctrl-C ends it early, and closes the sum of clicks first.

    Raises TwinError if the twin does not start, or ends.
    """
    shape = day_shape()
    file.write(
        "start", hours=plan.hours, rate=plan.rate, seed=plan.seed, shape=shape.source, machine=machine()
    )
    say(f"{plan.hours:g} hours with the shape of {shape.source}, {plan.rate:g} clicks a second on the mean")
    say(f"recorded in {file.path}; starting the twin ...")
    with _shaped_twin(plan) as twin:
        say("the twin runs")
        watch = _Watch(plan, file, say, twin)
        interrupted = False
        try:
            watch.until_the_end()
        except KeyboardInterrupt:
            interrupted = True
        say("waiting until every click is accounted for; Ctrl-C: do not wait")
        with suppress(KeyboardInterrupt):
            watch.close()
        file.write("end", interrupted=interrupted, at=watch.seconds)


class _Watch:
    def __init__(self, plan: SoakPlan, file: RecordFile, say: Say, twin: "_ShapedTwin") -> None:
        self._plan = plan
        self._file = file
        self._say = say
        self._twin = twin
        self._began = time.monotonic()
        self._over = threading.Event()
        self._drills = threading.Thread(target=self._drill, name="drills", daemon=True)

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 1)

    def until_the_end(self) -> None:
        """Raises TwinError if the twin ends."""
        self._drills.start()
        number, told = 0, ""
        while self.seconds < self._plan.seconds:
            self._twin.process.check()
            told = self._sample(told)
            number += 1
            time.sleep(max(0.0, number * SAMPLE_SECONDS - self.seconds) or SAMPLE_SECONDS / 10)

    def close(self) -> None:
        """The drill under way comes first: it holds the traffic, too."""
        self._over.set()
        self._drills.join()
        code, said = self._ask({"close": True})
        if code == 0:
            self._file.write("close", at=self.seconds, **said)
        else:
            self._file.write("close", at=self.seconds, problem=said)
        self._sample("")

    def _sample(self, told: str) -> str:
        """told: the problems that were said last. Returns those of now."""
        code, state = self._ask({"state": True})
        problem = None if code == 0 else state
        state = state if code == 0 else None
        memory = memory_of_parts(self._twin.process.pid)
        self._file.write(
            "sample",
            at=self.seconds,
            state=state,
            problem=problem,
            memory={part: used.mib for part, used in memory.items()},
            processes={part: used.process for part, used in memory.items()},
            disk=disk_of_stores(self._twin.folder),
        )
        now = "; ".join(state["ended"]) if state is not None else str(problem)
        if now != told and now:
            self._say(f"{self.seconds:,.0f} s: {now}")
        return now

    def _ask(self, request: dict[str, Any]) -> tuple[int, Any]:
        """The exit code, and what was said: JSON if it is 0, else a text."""
        said: list[str] = []
        code = ask(self._twin.socket, request, said.append)
        return (code, json.loads(said[-1])) if code == 0 else (code, "; ".join(said))

    def _drill(self) -> None:
        for due, fault in planned_drills(self._plan):
            if self._over.wait(max(0.0, due - self.seconds)):
                return
            self._say(f"{self.seconds:,.0f} s: drill {fault}")
            began, said = self.seconds, list[str]()
            code = ask(self._twin.socket, {"drill": fault, "solve": True}, said.append)
            self._file.write(
                "drill", fault=fault, began=began, ended=self.seconds, passed=code == 0, said=said
            )
            outcome = "passed" if code == 0 else "failed"
            self._say(f"{self.seconds:,.0f} s: drill {fault} {outcome}: {' '.join(said[-1:])}")


@dataclass(frozen=True)
class _ShapedTwin:
    """folder: for its temporary files."""

    process: ChildProcess
    socket: Path
    folder: Path


@contextmanager
def _shaped_twin(plan: SoakPlan) -> Iterator[_ShapedTwin]:
    """Root starts OpenSearch as a user who must be able to enter the folder."""
    with tempfile.TemporaryDirectory(prefix="click-trends-soak-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        arguments: Sequence[str] = [str(plan.seconds), str(plan.rate), str(plan.seed)]
        process = ChildProcess(
            "the twin of the soak",
            [*TWIN_COMMAND, *arguments],
            log=folder / "run.log",
            env={**os.environ, "TMPDIR": str(folder)},
            cwd=_PROJECT,
        )
        found: list[Path] = []

        def listens() -> bool:
            found[:] = filter(answers, folder.glob(f"click-trends-twin-*/{SOCKET}"))
            return bool(found)

        try:
            process.wait_until(listens, timeout_seconds=START_SECONDS)
            yield _ShapedTwin(process, found[0], folder)
        finally:
            if process.running:
                os.kill(process.pid, signal.SIGTERM)  # under `nohup` it would be deaf to SIGINT
                try:
                    wait_for(lambda: not process.running, what="its end", timeout_seconds=STOP_SECONDS)
                except TwinError:
                    process.kill()
