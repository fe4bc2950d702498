"""What a command writes: its answer to standard output, all else to standard error."""

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clients.batch_server.errors import QuestionError, TrendsError
from clients.batch_server.text import printable

MAX_WIDTH = 100_000
"""Of a table: more than any has."""

UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF})


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
    _check_open()
    if sys.stdout.isatty():
        text = "\n".join(printable(line) for line in text.split("\n"))
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    _put(text)


def _check_open() -> None:
    if sys.stdout is None:  # closed before the start, as by >&-
        _end_unwritten(OSError(errno.EBADF, os.strerror(errno.EBADF)))


def _put(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _end_unwritten(error)


@contextmanager
def written_in_full() -> Iterator[None]:
    """Around a command: where its output, such as that of --help, cannot be written, it ends with 1."""
    output = sys.stdout  # typer puts another in its place when a pipe is closed
    try:
        try:
            yield
        finally:
            if output is not None:
                output.flush()
            if sys.stdout is not output:
                _end_unwritten(OSError(errno.EPIPE, os.strerror(errno.EPIPE)))
    except OSError as error:
        if error.errno not in UNWRITTEN or error.filename is not None:
            raise
        _end_unwritten(error)


def _end_unwritten(error: OSError) -> NoReturn:
    """With a sentence. What is left unwritten goes nowhere: Python would try again at its exit."""
    if sys.__stdout__ is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno())
        os.close(nowhere)
    tell(f"click-trends: standard output cannot be written: {error.strerror}")
    raise SystemExit(1) from None


def show(table: RenderableType) -> None:
    """In a file or a pipe as wide as it needs to be. A narrower terminal is told what that does to it."""
    _check_open()
    console = Console()
    needed = console.measure(table, options=console.options.update(width=MAX_WIDTH)).minimum
    if needed > console.width and not console.is_terminal:
        console = Console(width=needed)
    with console.capture() as shown:  # rich itself would end without a word where a pipe is closed
        console.print(table)
    _put(shown.get())
    if needed > console.width:
        tell(
            f"click-trends: the table needs {needed} characters in a line and this terminal has "
            f"{console.width}, so ids and numbers are broken or missing: make it wider, ask for fewer "
            "columns, or take --json"
        )


@contextmanager
def progress_told(what: str) -> Iterator[Callable[[int, int], None]]:
    """told(done, of) draws a bar on a terminal's standard error, which is gone after the block; elsewhere
    nothing."""
    console, on_terminal = Console(stderr=True), sys.stderr is not None and sys.stderr.isatty()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not on_terminal) as progress:
        task = progress.add_task(what, total=None, visible=False)

        def told(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of, visible=True)

        yield told


def tell(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, markup=False, highlight=False)
