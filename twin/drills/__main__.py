"""The commands behind `make drill`, `make drills` and `make start`."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from twin.drills.asking import answers, ask, running_twins
from twin.drills.faults import FAULTS
from twin.drills.record import DrillRecord, write_records
from twin.drills.rehearsal import Rehearsed, rehearse, table_of
from twin.make_command import MadeGroup
from twin.processes import TwinError
from twin.reader_environment import THIS_TWIN

MAX_LASTS_SECONDS = 6 * 3600.0

app = typer.Typer(cls=MadeGroup, add_completion=False, rich_markup_mode=None)


@app.command()
def drill(
    fault: Annotated[str | None, typer.Argument(help="Which fault; without it they are listed.")] = None,
    *,
    solve: Annotated[
        bool, typer.Option("--solve", help="Give the run-book's command too, instead of waiting for yours.")
    ] = False,
    lasts: Annotated[
        float | None, typer.Option(min=0, max=MAX_LASTS_SECONDS, help="Seconds, where time undoes the fault.")
    ] = None,
) -> None:
    """Cause a fault in the running twin, and wait until all is well."""
    if fault is None:
        width = max(map(len, FAULTS)) + 2
        for one in FAULTS.values():
            ends = "ends by itself" if one.command is None else "ends by a command of the run-book"
            print(f"{one.name:<{width}}{one.what}; {ends}")
        raise typer.Exit
    raise typer.Exit(asked({"drill": fault, "solve": solve, "lasts_seconds": lasts}))


@app.command()
def start(
    part: Annotated[
        str | None, typer.Argument(help="A part; without it, those that ended are listed.")
    ] = None,
) -> None:
    """Start a part of the running twin that has ended."""
    raise typer.Exit(asked({"start": part}))


@app.command("all")
def every_drill(
    faults: Annotated[list[str] | None, typer.Argument(help="Only these.")] = None,
    *,
    rate: Annotated[float, typer.Option(min=1, help="Simulated clicks a second.")] = 50.0,
) -> None:
    """Every drill in a twin of their own, with the run-book's commands given; recorded; minutes."""
    if unknown := set(faults or ()) - FAULTS.keys():
        print(f"no fault {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
        raise typer.Exit(2)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leaves nothing running
    done: list[Rehearsed] = []
    try:
        for one in rehearse(faults or list(FAULTS), rate=rate):
            print("\n".join(one.said), flush=True)
            done.append(one)
            write_records({one.fault: _record_of(one)}, FAULTS)
    except TwinError as error:
        print(f"make drills: {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interrupt:
        print(f"make drills: interrupted after {len(done)} drills; those are recorded")
        raise typer.Exit(130) from interrupt
    Console().print(table_of(done))
    if not all(one.passed for one in done):
        raise typer.Exit(1)


def _record_of(one: Rehearsed) -> DrillRecord:
    today = datetime.now(UTC).date().isoformat()
    return DrillRecord(on=today, passed=one.passed, seconds=round(one.seconds), reconciled=one.said[-1])


def asked(request: dict[str, Any]) -> int:
    """Send a request to the twin of this shell's environment, else to the newest that runs, and print its
    answer. Returns the exit code that it names."""
    running = [path for path in running_twins() if answers(path)]
    if this := os.environ.get(THIS_TWIN):
        running = [path for path in running if path.parent == Path(this)]
        if not running:
            print(f"the twin of this shell has ended, {this}: source the file that another run names")
            return 2
    if not running:
        print("no twin is running, or none to its screen yet: start one with `make run` in another terminal")
        return 2
    newest = running[0]
    if len(running) > 1:
        print(f"{len(running)} twins run, this is the newest; for another, source its file: {newest.parent}")
    try:
        return ask(newest, request, lambda text: print(text, flush=True))
    except KeyboardInterrupt:
        print("not waiting any longer; what was begun goes on in the run")
        return 1


if __name__ == "__main__":
    app()
