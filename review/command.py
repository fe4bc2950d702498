"""The command: `python -m review --base origin/main --environment production`."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from review.as_json import as_json
from review.errors import ReviewError
from review.findings import MEANINGS, Kind
from review.page import page
from review.report import review
from review.revisions import ROOT, commits_ahead, read_revision, worktree
from review.verdict import failing, verdict

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
    try:
        kinds = _kinds(fail_on)
        with worktree(base) as tree:
            report = review(
                environment,
                replace(read_revision(base, tree, environment), ahead=commits_ahead(base)),
                read_revision("this tree", ROOT, environment),
            )
            texts = {"review.md": page(report), "review.json": as_json(report)}
    except ReviewError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    into.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (into / name).write_text(text, encoding="utf-8")
    typer.echo(f"{verdict(report)} — see {into / 'review.md'}")
    if found := failing(report, kinds):
        typer.echo(f"--fail-on: found {', '.join(found)}", err=True)
        raise typer.Exit(FAILED)


def _kinds(text: str) -> tuple[Kind, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {kind.value for kind in Kind}
    if unknown := [name for name in names if name not in known]:
        raise ReviewError(
            f"--fail-on: there is no kind {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        )
    return tuple(Kind(name) for name in names)


def tidy_when_terminated() -> None:
    """A job that is cancelled leaves no worktree behind: SIGTERM ends the process as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


def main() -> None:
    tidy_when_terminated()
    app()
