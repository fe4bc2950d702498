"""A run that a test makes up, asked over the real socket."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from typer.testing import CliRunner

from twin.drills.__main__ import app
from twin.drills.control import Control, controlled
from twin.drills.fault import Fault
from twin.drills.run import DrilledRun
from twin.processes import TwinError
from twin.screen import Picture


def picture(*, sent: int, counted: int | None) -> Picture:
    return Picture(
        uptime_seconds=0,
        rate_in=0,
        sent=sent,
        counted=counted,
        rejected=2,
        unparseable=1,
        age_of_newest_count=None,
        window="",
    )


class MadeUpRun:
    """Its parts are well; pictures come one after the other, the last again and again."""

    def __init__(self, *pictures: Picture) -> None:
        self.pictures = list(pictures)
        self.events: list[str] = []
        twin: Any = SimpleNamespace(parts=list)
        self.drilled = DrilledRun(
            twin=twin, send=lambda _: None, hold_traffic=nullcontext, picture=self.next_picture
        )

    def next_picture(self) -> Picture:
        return self.pictures.pop(0) if len(self.pictures) > 1 else self.pictures[0]

    def fault(self, **others: Any) -> Fault:
        def cause(_: DrilledRun) -> Any:
            self.events.append("caused")
            return lambda: self.events.append("undone")

        given = {"name": "a-fault", "what": "it breaks", "seen": "nothing", "runbook": None, **others}
        return Fault(cause=given.pop("cause", cause), **given)


class NoRecovery:
    def told(self) -> list[str]:
        return ["flink ended with exit code 1"]

    def start(self, name: str) -> Any:
        raise TwinError(f"no part {name!r}")


def asked(run: MadeUpRun, folder: Path, *words: str) -> tuple[int, str]:
    control = Control(run.drilled, NoRecovery())  # type: ignore[arg-type]
    with controlled(control, folder):
        done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


SETTLED = picture(sent=10, counted=7)
