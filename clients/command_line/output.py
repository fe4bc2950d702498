"""What a command writes: its answer to standard output, all else to standard error."""

import io
import sys
from typing import NoReturn

import typer
from rich.console import Console, RenderableType

from clients.batch_server.errors import QuestionError, TrendsError
from clients.batch_server.text import printable

MAX_WIDTH = 100_000
"""Of a table: more than any has."""


def set_up_streams() -> None:
    """A locale such as ja_JP.eucJP has not every character of an id: better one replaced than no answer."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def fail(error: TrendsError) -> NoReturn:
    """Ends the command: 2 for a question that is wrong as it is asked, 1 for one that was not answered."""
    tell(f"click-trends: {error}")
    raise typer.Exit(2 if isinstance(error, QuestionError) else 1) from error


def write(text: str) -> None:
    """For programs as it is (typer.echo would take terminal codes out of ids), in UTF-8 whatever the locale;
    for a terminal printable."""
    if sys.stdout.isatty():
        text = "\n".join(printable(line) for line in text.split("\n"))
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(text)


def show(table: RenderableType) -> None:
    """In a file or a pipe as wide as it needs to be. A narrower terminal is told what that does to it."""
    console = Console()
    needed = console.measure(table, options=console.options.update(width=MAX_WIDTH)).minimum
    if needed > console.width and not console.is_terminal:
        console = Console(width=needed)
    console.print(table)
    if needed > console.width:
        tell(
            f"click-trends: the table needs {needed} characters in a line and this terminal has "
            f"{console.width}, so ids and numbers are broken or missing: make it wider, ask for fewer "
            "columns, or take --json"
        )


def tell(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, markup=False, highlight=False)
