"""The commands behind `make soak`: python -m bench.soak run | verdict RECORD | keep RECORD."""

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.soak.day_shape import ShapeError
from bench.soak.page import keep
from bench.soak.picture import draw
from bench.soak.record import RecordFile, SoakError, SoakRecord, read_record
from bench.soak.series import WatchedSeries
from bench.soak.slope import CONFIDENCE
from bench.soak.verdict import SeriesVerdict, SoakVerdict, verdict
from bench.soak.watch import SoakPlan, soak
from bench.subprocesses import BenchmarkError
from twin.make_command import MadeGroup
from twin.processes import TwinError

FOLDER = Path(__file__).parents[2] / ".cache" / "soak"
MAX_HOURS = 11.0
"""The twin's credentials hold for twelve: twin/emulator.py."""
DEFAULT_RATE = 40.0

app = typer.Typer(cls=MadeGroup, add_completion=False, rich_markup_mode=None)


@app.command()
def run(
    *,
    hours: Annotated[float, typer.Option(help=f"How long a day takes, at most {MAX_HOURS:g}.")],
    rate: Annotated[
        float, typer.Option(min=1, max=1000, help="Clicks a second, on the mean.")
    ] = DEFAULT_RATE,
    seed: Annotated[int, typer.Option(help="Of the drills and the clicks.")] = 1,
) -> None:
    """A day in a few hours, with drills; ends with the verdict, also at Ctrl-C."""
    if not 0 < hours <= MAX_HOURS:
        raise typer.BadParameter(f"HOURS is {hours:g}: give more than 0 and at most {MAX_HOURS:g}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    file = RecordFile(FOLDER / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.jsonl")
    problem = None
    try:
        soak(SoakPlan(hours=hours, rate=rate, seed=seed), file, console.print)
    except KeyboardInterrupt:
        problem = "interrupted before traffic began"
    except (TwinError, BenchmarkError, ShapeError) as error:
        problem = str(error)
    code = _tell(file.path, console) if file.path.exists() else 1
    if problem is not None:
        print(f"make soak: {problem}", file=sys.stderr)
        code = 1
    raise typer.Exit(code)


@app.command("verdict")
def verdict_of(record: Annotated[Path, typer.Argument(help="What an earlier run recorded.")]) -> None:
    """The verdict and the picture of a record."""
    raise typer.Exit(_tell(record, Console(highlight=False, soft_wrap=True, markup=False)))


@app.command("keep")
def keep_record(
    record: Annotated[Path, typer.Argument(help="What a run recorded.")],
    *,
    remark: Annotated[str, typer.Option(help="What was found out about it, for its page.")] = "",
) -> None:
    """Keep a record with the project: docs/reference/soak.json, .md and .png."""
    try:
        keep(read_record(record), remark=remark)
    except SoakError as error:
        print(f"make soak: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


def _tell(path: Path, console: Console) -> int:
    try:
        record = read_record(path)
    except SoakError as error:
        print(f"make soak: {error}", file=sys.stderr)
        return 2
    found = verdict(record)
    _print(found, record, console)
    picture = path.with_suffix(".png")
    draw(record, picture)
    console.print(f"record {path}, picture {picture}")
    return found.exit_code


def _print(found: SoakVerdict, record: SoakRecord, console: Console) -> None:
    table = Table(title=f"Growth after warming up, with its {CONFIDENCE:.0%} interval")
    for column in ("series", "largest", "growth", "interval", "bound", "verdict"):
        table.add_column(column, justify="left" if column in {"series", "verdict"} else "right")
    for each in found.series:
        table.add_row(*_cells(each))
    Console(width=150, highlight=False, markup=False).print(table)
    for sentence in (*found.deaths, *found.failed_drills):
        console.print(f"FAILED: {sentence}")
    console.print(f"{len(record.drills)} drills, {len(record.samples)} samples")
    console.print(found.clicks)
    if record.end is None:
        console.print("the run did not come to its end: this is the verdict of what it recorded")
    elif record.end["interrupted"]:
        console.print(f"interrupted after {record.end['at']:,.0f} s: this is the verdict so far")


def _cells(each: SeriesVerdict) -> tuple[str, ...]:
    series, slope = each.series, each.slope
    largest = "-" if each.largest is None else f"{each.largest:,.1f} {series.unit}"
    growth = "-" if slope is None else _number(slope.middle)
    interval = "-" if slope is None else f"{_number(slope.low)} to {_number(slope.high)}"
    reason = f": {each.reason}" if each.reason else ""
    return series.name, largest, growth, interval, _bound(series), f"{each.growth}{reason}"


def _bound(series: WatchedSeries) -> str:
    return f"{series.bound:,.0f} {series.unit} per {series.per}"


def _number(value: float) -> str:
    return f"{value:+,.1f}"


if __name__ == "__main__":
    app(prog_name="python -m bench.soak")
