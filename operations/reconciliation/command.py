"""`click-trends reconcile`: where the clicks of a time went (docs/operate/reconciliation.md)."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from clients.command_line.options import Endpoint, not_empty
from clients.command_line.output import tell, write
from operations.operator import CommandRole, Environment, operator, settings_of, speaking

COMMAND = "reconcile"


def time(text: str) -> datetime:
    """Raises typer.BadParameter unless it is a time with a zone."""
    at: datetime | None = None
    with suppress(ValueError, OverflowError):  # the year 1 in Tokyo is the year 0 in UTC
        given = datetime.fromisoformat(text)
        at = None if given.utcoffset() is None else given.astimezone(UTC)
    if at is None:
        raise typer.BadParameter(f"{text!r} is no time with a zone: write it as 2026-01-31T09:15+09:00")
    return at


def _folder(text: str) -> Path:
    """Raises typer.BadParameter unless files can be written there."""
    folder = Path(not_empty(text))
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise typer.BadParameter(f"{text!r} is no folder in which files can be written")
    return folder


From = Annotated[
    datetime,
    typer.Option("--from", parser=time, metavar="TIME", help="As 2026-01-31T09:15+09:00: of the clicks."),
]
To = Annotated[datetime, typer.Option("--to", parser=time, metavar="TIME", help="The end, not included.")]
ArrivedUntil = Annotated[
    datetime | None,
    typer.Option(
        "--arrived-until",
        parser=time,
        metavar="TIME",
        help="Read what arrived by then, after a replay of later arrivals; by default the allowed lateness.",
    ),
]


def add_to(app: typer.Typer) -> None:
    app.command(COMMAND)(reconcile)


def reconcile(
    *,
    since: From,
    until: To,
    environment: Environment,
    endpoint: Endpoint,
    arrived_until: ArrivedUntil = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, with each minute.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(parser=_folder, metavar="DIR", help="For temporary files: 25 bytes a click."),
    ] = None,
    command_role_arn: CommandRole = None,
) -> None:
    """Compare, by the minute, the clicks received with those counted, rejected and set aside.

    Ends with 1 if clicks of a final minute are missing, or counted too often, and nothing explains it; also
    if it is unknown whether the minute is final.
    """
    from operations.reconciliation.reconciling import checked, reconciled
    from operations.reconciliation.report import as_json as json_of
    from operations.reconciliation.report import as_text, needs_action, not_known

    with speaking():
        now = datetime.now(UTC)
        first, end = checked(since, until, settings_of(environment), now=now, arrived_until=arrived_until)
        given = operator(COMMAND, environment, command_role_arn)
        days = list(
            reconciled(
                given,
                endpoint,
                first,
                end,
                now=now,
                arrived_until=arrived_until,
                folder=folder,
                progress=lambda _key, _clicks: None,
            )
        )
        write(json.dumps(json_of(days), ensure_ascii=False) + "\n" if as_json else as_text(days))
        if unexplained := needs_action(days):
            tell(f"click-trends: {unexplained:,} clicks of final minutes are not explained")
            raise typer.Exit(1)
        if unknown := not_known(days):
            tell(
                f"click-trends: whether {unknown:,} clicks are only not read yet is unknown: "
                f"{days[-1].reading.problem}"
            )
            raise typer.Exit(1)
