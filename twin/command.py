"""The command behind `make run`: `python -m twin [--input FILE --speed N | --rate N --seconds N]`."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from clients.batch_server import TrendsError
from settings import SettingsError
from twin.demonstration import demonstrate
from twin.logs import what_to_do
from twin.make_command import MadeCommand
from twin.processes import TwinError
from twin.traffic.replay import AS_FAST_AS_POSSIBLE, ReplayError
from twin.traffic.send import TrafficError

DEFAULT_RATE = 200.0
MAX_RATE = 100_000.0
"""Several times what the whole path holds on one machine: docs/reference/benchmarks.md."""
MAX_ERROR_CHARACTERS = 500
"""Of an error that nobody foresaw: a full disk is told for each file."""


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=MadeCommand)
def run(
    *,
    input_file: Annotated[
        Path | None, typer.Option("--input", help="Replay this click file: NDJSON, plain or .gz.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Times as fast as the file happened; 0, the default: as fast as possible.",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=0.1, max=MAX_RATE, help=f"Simulated clicks a second; default {DEFAULT_RATE:g}."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=1, help="End simulated traffic after this many seconds; default: at Ctrl-C."),
    ] = None,
) -> None:
    """The whole path in the local twin, shown in the terminal."""
    if input_file is None and speed is not None:
        raise typer.BadParameter("--speed needs a file to replay: name it (INPUT=FILE), or give --rate")
    if input_file is not None and (rate is not None or seconds is not None):
        raise typer.BadParameter("--rate and --seconds are for simulated clicks: for a file give --speed")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing is left running
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under `nohup`
        signal.signal(signal.SIGHUP, _terminal_is_closed)
    try:
        balanced = demonstrate(
            Console(),
            input_file=input_file,
            speed=AS_FAST_AS_POSSIBLE if speed is None else speed,
            rate=DEFAULT_RATE if rate is None else rate,
            seconds=seconds,
        )
    except KeyboardInterrupt:
        raise typer.Exit from None
    except (SettingsError, TwinError, TrafficError, TrendsError, ReplayError) as error:
        print("\n".join([f"make run: {error}", *getattr(error, "__notes__", [])]), file=sys.stderr)
        raise typer.Exit(1) from error
    except Exception as error:
        print("\n".join([f"make run: {_told(error)}", *getattr(error, "__notes__", [])]), file=sys.stderr)
        raise typer.Exit(1) from error
    if not balanced:
        raise typer.Exit(1)


def _told(error: Exception) -> str:
    """Of an error that nobody foresaw."""
    text = f"{type(error).__name__}: {error}"
    advice = what_to_do(text)
    return f"{f'{advice}; ' if advice else 'unforeseen: '}{text[:MAX_ERROR_CHARACTERS]}"


def _terminal_is_closed(_number: int, _frame: object) -> NoReturn:
    """Ends like Ctrl-C; output after it would fail, because the terminal is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (sys.stdout, sys.stderr):
        os.dup2(nowhere, output.fileno())
    raise KeyboardInterrupt
