"""The command: `python -m operations.review --base origin/main --environment production`."""

import json
import re
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from operations.review.errors import ReviewError
from operations.review.findings import MEANINGS, Kind
from operations.review.json_report import as_json
from operations.review.page import page
from operations.review.report import review
from operations.review.revisions import ROOT, commits_ahead, read_revision, worktree
from operations.review.verdict import failing, verdict

PAGE, DATA = "review.md", "review.json"
FAILED = 3
"""Exit code when a kind of `--fail-on` was found; 1 is an error, 2 a wrong option."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def run(
    base: Annotated[str, typer.Option(help="The revision that is deployed, as origin/main.")] = "origin/main",
    environment: Annotated[str, typer.Option(help="environments/<NAME>.toml")] = "production",
    into: Annotated[Path, typer.Option(help="Folder for review.md and review.json.")] = Path(),
    fail_on: Annotated[
        str,
        typer.Option(
            help="End with exit code 3 if one of these is found, separated by commas: "
            + "; ".join(f"{kind} ({MEANINGS[kind]})" for kind in Kind)
        ),
    ] = "",
) -> None:
    """Write what deploying this tree does to an environment that BASE deployed: review.md and review.json."""
    into.mkdir(parents=True, exist_ok=True)
    for name in (PAGE, DATA):
        (into / name).unlink(missing_ok=True)  # of the run before
    try:
        kinds = _kinds(fail_on)
        with worktree(base) as tree:
            report = review(
                environment,
                replace(read_revision(base, tree, environment), ahead=commits_ahead(base)),
                read_revision("this tree", ROOT, environment),
            )
            texts = {PAGE: page(report), DATA: as_json(report)}
    except ReviewError as error:
        _not_reviewed(into, str(error), str(error))
    except Exception as error:
        why = f"the review met an unforeseen error ({type(error).__name__}: {error})"
        _not_reviewed(into, why, traceback.format_exc())
    _write(into, texts)
    typer.echo(f"{verdict(report)} — see {into / PAGE}")
    if found := failing(report, kinds):
        typer.echo(f"--fail-on: found {', '.join(found)}", err=True)
        raise typer.Exit(FAILED)


def _not_reviewed(into: Path, why: str, details: str) -> NoReturn:
    """Ends with a page all the same: whoever reads only that must not take silence for consent."""
    text = "# Not reviewed\n\nAn error stopped the review, so what this change does is not known:"
    verdict_only = {"verdict": "Not reviewed", "kinds": [Kind.NOT_UNDERSTOOD], "error": why}
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", details))])
    _write(
        into,
        {PAGE: f"{text}\n\n{fence}\n{details.strip()}\n{fence}\n", DATA: json.dumps(verdict_only) + "\n"},
    )
    typer.echo(f"{why}\nNot reviewed — see {into / PAGE}", err=True)
    raise typer.Exit(1)


def _write(into: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (into / name).write_text(text, encoding="utf-8")


def _kinds(text: str) -> tuple[Kind, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {kind.value for kind in Kind}
    if unknown := [name for name in names if name not in known]:
        raise ReviewError(
            f"--fail-on: there is no kind {', '.join(unknown)}; the kinds are {', '.join(sorted(known))}"
        )
    return tuple(Kind(name) for name in names)


def tidy_when_terminated() -> None:
    """A job that is cancelled leaves no worktree behind: SIGTERM ends the process as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


def main() -> None:
    tidy_when_terminated()
    app()
