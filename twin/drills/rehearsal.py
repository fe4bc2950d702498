"""Every drill in a twin of its own, one after the other: the run of `make drills`."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from twin.drills.asking import SOCKET, answers, ask
from twin.drills.faults import FAULTS
from twin.processes import ChildProcess, TwinError, wait_for

START_SECONDS = 600.0
"""Of the twin, until it sends clicks, on a busy machine."""
STOP_SECONDS = 60.0
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A drill's outcome. seconds: until every click was accounted for; said: the drill's lines."""

    fault: str
    passed: bool
    seconds: float
    said: Sequence[str]


def rehearse(faults: Sequence[str], *, rate: float) -> Iterator[Rehearsed]:
    """Start a twin that sends `rate` clicks a second, and cause these faults in it in turn, each mended by
    the run-book's command where it needs one. After a drill that failed another twin starts.

    Raises TwinError if the twin does not start or ends.
    """
    waiting = list(faults)
    while waiting:
        with _drilled_twin(rate) as (process, socket):
            passed = True
            while waiting and passed:
                process.check()
                one = _rehearsed(waiting.pop(0), socket)
                passed = one.passed
                yield one


def _rehearsed(fault: str, socket: Path) -> Rehearsed:
    said: list[str] = []
    began = time.monotonic()
    code = ask(socket, {"drill": fault, "solve": True}, said.append)
    return Rehearsed(fault=fault, passed=code == 0, seconds=time.monotonic() - began, said=tuple(said))


@contextmanager
def _drilled_twin(rate: float) -> Iterator[tuple[ChildProcess, Path]]:
    """Root starts OpenSearch as a user who must be able to enter the folder."""
    with tempfile.TemporaryDirectory(prefix="click-trends-drills-") as folder:
        Path(folder).chmod(0o755)
        process = ChildProcess(
            "make run",
            [sys.executable, "-m", "twin", "--rate", str(rate)],
            log=Path(folder) / "run.log",
            env={**os.environ, "TMPDIR": folder},
            cwd=_PROJECT,
        )
        found: list[Path] = []

        def listens() -> bool:
            found[:] = filter(answers, Path(folder).glob(f"click-trends-twin-*/{SOCKET}"))
            return bool(found)

        try:
            process.wait_until(listens, timeout_seconds=START_SECONDS)
            yield process, found[0]
        finally:
            if process.running:
                os.kill(process.pid, signal.SIGTERM)  # under `nohup` it would be deaf to SIGINT
                try:
                    wait_for(lambda: not process.running, what="its end", timeout_seconds=STOP_SECONDS)
                except TwinError:
                    process.kill()


def table_of(rehearsed: Sequence[Rehearsed]) -> Table:
    """A row a drill: what readers see, until when, and how it ends."""
    table = Table(title="Drills")
    for column in ("fault", "what is seen", "ends", "s until accounted for", "lost"):
        table.add_column(column)
    for one in rehearsed:
        fault = FAULTS[one.fault]
        ends = "by itself" if fault.command is None else f"by the run-book's command ({fault.runbook})"
        lost = "nothing" if one.passed else "not known: the drill failed"
        table.add_row(one.fault, fault.seen, ends, f"{one.seconds:.0f}", lost)
    return table
