"""`click-trends replay`: counts a range of clicks again, from the raw backup."""

import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import ClientError

from clients.command_line.output import tell
from operations.operator import (
    CommandRole,
    Environment,
    Operator,
    OperatorError,
    RefusedError,
    Standing,
    operator,
    settings_of,
    speaking,
)
from settings import Settings

if TYPE_CHECKING:
    from lambdas.replay.click_range import ClickRange

COMMAND = "replay"
_YEARS = range(1970, 9000)
"""Far from those at which a day more, or another zone, is no time."""


def add_to(app: typer.Typer) -> None:
    app.command(COMMAND)(replay)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.year not in _YEARS:
        raise typer.BadParameter(
            f"{text!r} is no time of a click: write it as 2026-01-31T09:15Z or 2026-01-31T18:15+09:00"
        )
    return at


def replay(
    *,
    environment: Environment,
    begin: Annotated[
        datetime,
        typer.Option(
            "--from",
            parser=_time,
            metavar="TIME",
            help="First clicked_at, a whole minute, as 2026-01-31T09:15+09:00.",
        ),
    ],
    end: Annotated[
        datetime,
        typer.Option("--to", parser=_time, metavar="TIME", help="A whole minute, the first after the range."),
    ],
    here: Annotated[bool, typer.Option("--here", help="Count on this machine.")] = False,
    on_aws: Annotated[
        bool, typer.Option("--on-aws", help="Count with an application that exists only for it.")
    ] = False,
    arrived_until: Annotated[
        datetime | None,
        typer.Option(
            parser=_time,
            metavar="TIME",
            help="Read what arrived until then. By default: until a click of the range would be too old.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")] = False,
    command_role_arn: CommandRole = None,
) -> None:
    """Count the clicks of a range again from the raw backup, each distinct one once, late ones too."""
    with speaking() as standing:
        standing.says = "no count was put"
        if here == on_aws:
            raise RefusedError("say where to count: either --here or --on-aws")
        now = datetime.now(UTC)
        asked = _asked(settings_of(environment), begin, end, arrived_until, now)
        own = operator(COMMAND, environment, command_role_arn)
        replayed = _replayed_here if here else _replayed_on_aws
        clicks = replayed(own, asked, standing, yes=yes)
        tell(f"{clicks:,} clicks counted")
        _tell_live_rejects(own, asked)
        if asked.arrived_until + timedelta(hours=1) > now:
            tell("clicks of this range may still arrive: give the command again when none can")


def _tell_live_rejects(own: Operator, asked: "ClickRange") -> None:
    """Raises OperatorError."""
    from operations.replay import here

    try:
        tell(str(here.live_rejects(own, asked)))
    except (OperatorError, ClientError) as error:
        raise OperatorError(
            f"the counts are put, but how many of them the live path had rejected is not known: {error}"
        ) from error


def _asked(
    settings: Settings, begin: datetime, end: datetime, arrived_until: datetime | None, now: datetime
) -> "ClickRange":
    from lambdas.replay.click_range import RangeError, asked_range

    try:
        return asked_range(
            begin,
            end,
            arrived_until=arrived_until,
            lateness=timedelta(hours=settings.analytics.allowed_lateness_hours),
            kept=timedelta(days=settings.delivery.raw_retention_days),
            now=now,
        )
    except RangeError as error:
        raise RefusedError(str(error)) from error


def _confirm(*, yes: bool) -> None:
    if not yes:
        typer.confirm("Count them, and put the counts?", abort=True, err=True)


def _as_served(own: Operator, asked: "ClickRange") -> tuple[dict[str, str], dict[str, int]]:
    """Corrections of the segments to read, and where counts go, as readers see each day."""
    from contract.sink import SINKS
    from lambdas.replay.objects import corrections, needed_versions
    from operations.replay.connecting import connected
    from operations.replay.served import corrections_to_read, other_generations, served_indices

    served = served_indices(connected(own), SINKS[0].index_family)
    s3, bucket = own.client("s3", own.names.oregon), own.names.segments_bucket
    read = corrections_to_read(
        asked,
        needed_versions(s3, bucket, asked),
        corrections(s3, bucket),
        served,
        own.settings.analytics,
        now=datetime.now(UTC),
    )
    counted_into = own.settings.analytics.counts_generation
    return read, other_generations(asked, served, counted_into=counted_into)


def _replayed_here(own: Operator, asked: "ClickRange", standing: Standing, *, yes: bool) -> int:
    from operations.replay.here import look, replay_here

    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # leaves no folder behind
    corrections, generations = _as_served(own, asked)
    found = look(own, asked, corrections)
    tell(f"{asked}: {found}")
    _confirm(yes=yes)
    outcome = replay_here(own, asked, found, generations=generations, tell=tell, standing=standing)
    standing.says = f"all {outcome.put:,} counts are put"
    tell(f"{outcome.put:,} counts put; they are in OpenSearch within minutes")
    return outcome.clicks


def _replayed_on_aws(own: Operator, asked: "ClickRange", standing: Standing, *, yes: bool) -> int:
    from operations.replay.on_aws import ENDS_BY_ITSELF, ask, longest_and_cost, wait_for

    tell(f"{asked}: {longest_and_cost(own.settings)}")
    _confirm(yes=yes)
    corrections, generations = _as_served(own, asked)
    standing.says = f"whether the replay began is not known; {ENDS_BY_ITSELF}"
    begun = ask(own, asked, corrections=corrections, generations=generations)
    tell(f"replay {begun['id']} ends by {begun['ends_by']} at the latest; to stop waiting changes nothing")
    standing.says = f"replay {begun['id']} goes on without this command, and puts its counts"
    outcome = wait_for(
        own, begun["id"], longest=timedelta(hours=own.settings.replay.longest_hours), tell=tell
    )
    standing.says = "all counts are put"
    tell(f"{outcome.get('keys') or 0:,} counts put; they are in OpenSearch within minutes")
    return int(outcome.get("clicks") or 0)
