"""A drill in which a part ends that cannot be started again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from tests.twin.drills.made_up_run import SETTLED, MadeUpRun, NoRecovery, asked
from twin.drills.asking import SOCKET, ask
from twin.drills.control import Control, controlled
from twin.drills.faults import FAULTS
from twin.drills.run import DrilledRun
from twin.ended import TwinPart
from twin.processes import TwinError


def test_a_run_that_is_ended_tells_no_drill_that_a_part_has_died(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a run ends its parts too."""
    run, begun, said = LosingRun(), threading.Event(), list[str]()

    def cause(_: DrilledRun) -> Any:
        begun.set()
        return lambda: None

    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=cause, lasts_seconds=1000.0))
    control = Control(run.drilled, NoRecovery())  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as asking:
        with controlled(control, folder):
            answer = asking.submit(ask, folder / SOCKET, {"drill": "a-fault"}, said.append)
            assert begun.wait(30)
        run.lost = True
        assert answer.result(30) == 1
    assert said[-1] == "the run ended before the answer; the outcome is unknown"
    assert not [line for line in said if "ministack" in line]


class LosingRun(MadeUpRun):
    """The emulated AWS ends at the call of `lose`."""

    def __init__(self) -> None:
        super().__init__(SETTLED)
        self.lost = False
        part = TwinPart(name="ministack", check=self._check, start=None)
        twin: Any = self.drilled.twin
        twin.parts = lambda: [part]

    def lose(self, _: Any = None) -> bool:
        self.lost = True
        raise URLError("refused")

    def _check(self) -> None:
        if self.lost:
            raise TwinError("MiniStack ended with exit code -9")


@pytest.mark.parametrize("lost_at", ["cause", "lasts", "undo", "command", "over", "settled"])
def test_a_drill_ends_at_once_when_what_the_twin_held_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lost_at: str
) -> None:
    run = LosingRun()

    def cause(_: DrilledRun) -> Any:
        if lost_at == "cause":
            run.lose()
        if lost_at in ("command", "over"):
            return None
        run.lost = lost_at == "lasts"
        return run.lose if lost_at == "undo" else lambda: None

    def accounted_for(_: Any) -> bool:
        run.lost = True
        return False

    others: dict[str, Any] = {}
    if lost_at in ("command", "over"):
        others["command"] = run.lose if lost_at == "command" else lambda _: "aws mend"
        others["over"] = run.lose
    if lost_at == "settled":
        monkeypatch.setattr("twin.drills.drill._is_accounted_for", accounted_for)
    lasts = 1000.0 if lost_at == "lasts" else 0.0
    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=cause, lasts_seconds=lasts, **others))
    code, said = asked(run, folder, "drill", "a-fault")
    assert (code, "ministack has ended, all it held is lost" in said) == (1, True), said
