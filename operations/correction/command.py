"""click-trends correct: counts of past days may get smaller, or move to other keys."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from operations.operator import CommandRole, Environment, RefusedError

if TYPE_CHECKING:
    from operations.correction.generations import Generations


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day: write it as 2026-01-31") from error


First = Annotated[
    date | None,
    typer.Option("--from", parser=_day, metavar="DAY", help="The first day, in UTC, as 2026-01-31."),
]
Last = Annotated[date | None, typer.Option("--to", parser=_day, metavar="DAY", help="The last day, in UTC.")]
Undo = Annotated[
    int | None, typer.Option("--undo", min=2, metavar="GENERATION", help="Let readers see the former counts.")
]
DeleteOld = Annotated[
    int | None,
    typer.Option(
        "--delete-old", min=2, metavar="GENERATION", help="Delete the counts that this one replaced."
    ),
]


def add_to(app: typer.Typer) -> None:
    app.command("correct")(correct)


def correct(
    *,
    environment: Environment,
    first: First = None,
    last: Last = None,
    undo: Undo = None,
    delete_old: DeleteOld = None,
    role: CommandRole = None,
) -> None:
    """Count days again from the raw backup, with the SQL of this tree, and switch readers to the result.

    Until then they see the former counts; --undo brings those back until --delete-old.
    """
    from contract.sink import SINKS
    from operations.correction.correcting import carry_out, check_days, plan
    from operations.correction.counting import counted_from_raw
    from operations.correction.generations import Generations
    from operations.operator import operator, settings_of, speaking
    from operations.replay.connecting import connected

    with speaking() as standing:
        whole_range = first is not None and last is not None
        if [whole_range, undo is not None, delete_old is not None].count(True) != 1:
            raise RefusedError("give --from DAY with --to DAY, or --undo, or --delete-old: one of them")
        now = datetime.now(UTC)
        if first is not None and last is not None:
            check_days(first, last, settings_of(environment), now=now)
        given = operator("correct", environment, role)
        domain = connected(given)
        families = {sink.index_family: Generations(domain, sink.index_family) for sink in SINKS}
        if undo is not None or delete_old is not None:
            standing.says = "how far it got is not known: give the command again"
        if undo is not None:
            counted_into = given.settings.analytics.counts_generation
            _for_each_that_can(families, lambda each: str(each.undo(undo, counted_into=counted_into)))
        elif delete_old is not None:
            _for_each_that_can(families, lambda each: "deleted: " + ", ".join(each.delete_old(delete_old)))
        else:
            assert first is not None
            assert last is not None
            wanted = plan(first, last, families[SINKS[0].index_family], given.settings, now=now)
            _tell(f"counting {wanted.days[0]} to {wanted.days[-1]} into generation {wanted.generation}")
            count_days = counted_from_raw(given, now=now, tell=_tell, live_since=wanted.live_since)
            for switched in carry_out(wanted, domain, families, count_days, _tell, standing=standing):
                _tell(str(switched))


def _for_each_that_can(families: "Mapping[str, Generations]", act: "Callable[[Generations], str]") -> None:
    """Tell what was done of each; an interrupted command may have done it of some before. Raises RefusedError
    if none can."""
    refused: RefusedError | None = None
    done = 0
    for each in families.values():
        try:
            _tell(act(each))
            done += 1
        except RefusedError as error:
            refused = error
    if refused is not None and not done:
        raise refused


def _tell(text: str) -> None:
    typer.echo(text)
