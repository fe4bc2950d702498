"""What click-trends correct leaves when it is interrupted, and that it can be given again."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clients.command_line.command import app
from contract.sink import SINKS, Sink
from operations.correction import correcting
from operations.correction.correcting import Plan
from operations.correction.generations import Generations, Switched
from operations.operator import RefusedError

DAY = date(2026, 1, 31)
OTHER = SimpleNamespace(index_family="other-counts")
ALL_DAYS = Switched(days={}, live=False)


def interrupted(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _operator(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SimpleNamespace(analytics=SimpleNamespace(counts_generation=1))
    monkeypatch.setattr("operations.operator.operator", lambda *_: SimpleNamespace(settings=settings))
    monkeypatch.setattr("operations.replay.connecting.connected", lambda _: None)
    monkeypatch.setattr("operations.operator.settings_of", lambda _: settings)
    monkeypatch.setattr(correcting, "check_days", lambda *_, **__: None)
    monkeypatch.setattr(correcting, "plan", lambda *_, **__: Plan(days=(DAY,), generation=2, live=False))
    counted = "operations.correction.counting.counted_from_raw"
    monkeypatch.setattr(counted, lambda *_, **__: lambda *_: "counted")
    monkeypatch.setattr(correcting, "_load", lambda *_: None)
    monkeypatch.setattr(Generations, "switch", lambda *_, **__: ALL_DAYS)


def correct(*words: str) -> Result:
    return CliRunner().invoke(app, ["correct", "--environment", "local", *words])


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("operations.replay.connecting.connected", "nothing was changed"),
        ("operations.correction.counting.counted_from_raw", "nothing was changed"),
        ("operations.correction.correcting._load", "readers see the former counts: give the command again"),
        (
            "operations.correction.generations.Generations.switch",
            "readers may see new counts, of some tables perhaps the former: give the command again",
        ),
    ],
)
def test_an_interrupted_correction_says_what_readers_see(
    monkeypatch: pytest.MonkeyPatch, stage: str, told: str
) -> None:
    assert correct("--from", f"{DAY}", "--to", f"{DAY}").exit_code == 0
    monkeypatch.setattr(stage, interrupted)
    done = correct("--from", f"{DAY}", "--to", f"{DAY}")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (130, f"click-trends: interrupted: {told}")


@pytest.mark.parametrize(("option", "method"), [("--undo", "undo"), ("--delete-old", "delete_old")])
def test_an_undo_that_was_interrupted_between_two_tables_goes_on_with_the_second(
    monkeypatch: pytest.MonkeyPatch, option: str, method: str
) -> None:
    monkeypatch.setattr("contract.sink.SINKS", (*SINKS, OTHER))
    done_of: list[str] = []
    second = [interrupted, lambda: None]

    def act(generations: Generations, *_: Any, **__: Any) -> Any:
        family = generations._family
        if family in done_of:
            raise RefusedError("nothing to do")
        if family == OTHER.index_family:
            second.pop(0)()
        done_of.append(family)
        return ALL_DAYS if method == "undo" else ["an-index"]

    monkeypatch.setattr(Generations, method, act)
    broken = correct(option, "2")
    assert broken.exit_code == 130
    assert "interrupted: how far it got is not known: give the command again" in broken.stderr
    assert correct(option, "2").exit_code == 0
    first: Sink = SINKS[0]
    assert done_of == [first.index_family, OTHER.index_family]
    refused = correct(option, "2")
    assert (refused.exit_code, "nothing to do" in refused.stderr) == (2, True)
