"""`click-trends publish`, `versions` and `rollback`: the segments' door from a person's side."""

import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from clients.batch_server.text import printable
from clients.command_line.options import duration, not_empty
from clients.command_line.output import show, tell, write
from contract.segments import ALLOWANCES, GONE_VALUES, NEW_VALUES, SHRINK
from contract.segments_receipt import written_time
from names import REFUSED_SEGMENTS_PREFIX, SEGMENTS_CORRECTIONS_PREFIX
from operations.operator import (
    CommandRole,
    Environment,
    Operator,
    OperatorError,
    RefusedError,
    operator,
    speaking,
)
from operations.segments.outcomes import decision_on
from operations.segments.uploads import SentFile, check_upload, metadata_of, upload, upload_again
from operations.segments.versions import (
    ROLLBACK,
    PublishedVersion,
    brings_readers_back,
    is_version_name,
    published_versions,
    version_to_return_to,
)

ROLE = "publish"
"""All three commands work with its permissions."""


class Allowance(StrEnum):
    SHRINK = SHRINK
    NEW_VALUES = NEW_VALUES
    GONE_VALUES = GONE_VALUES


def _version_name(text: str) -> str:
    """Raises typer.BadParameter unless a version can have this name."""
    if not is_version_name(not_empty(text)):
        raise typer.BadParameter(
            f"{text!a} is no valid_from of a version: write it as click-trends versions lists it, such as"
            " 20260131T120000Z"
        )
    return text


Wait = Annotated[
    timedelta,
    typer.Option(
        "--wait",
        parser=duration,
        metavar="DURATION",
        help="How long to wait for the publisher, which looks each minute. The upload waits on.",
    ),
]
WAIT = "15m"
IN_THE_MIDDLE = "the file may be uploaded, and is decided on then: look with click-trends versions"


def add_to(app: typer.Typer) -> None:
    app.command()(publish)
    app.command()(versions)
    app.command()(rollback)


def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .csv.gz, with a new name.")],
    *,
    environment: Environment,
    name: Annotated[
        str | None,
        typer.Option("--name", parser=not_empty, metavar="NAME", help="In place of the file's own."),
    ] = None,
    allow: Annotated[
        list[Allowance] | None,
        typer.Option("--allow", help="What the version may do to the one before it. May be repeated."),
    ] = None,
    corrects: Annotated[
        str | None,
        typer.Option(
            "--corrects",
            parser=_version_name,
            metavar="VALID_FROM",
            help="A past version, as versions lists it: replays and corrections then read FILE in its place.",
        ),
    ] = None,
    wait: Wait = WAIT,  # type: ignore[assignment]
    command_role_arn: CommandRole = None,
) -> None:
    """Publish FILE as a version of the segments, and say from when it holds or why it was refused."""
    with speaking() as standing:
        check_upload(file, name or file.name)
        here = operator(ROLE, environment, command_role_arn)
        allowed = frozenset(each.value for each in allow or ())
        client, bucket = _bucket(here)
        if corrects is not None:
            corrects = version_to_return_to(published_versions(client, bucket), corrects).name
        standing.says = IN_THE_MIDDLE
        uploaded = upload(client, bucket, file, name or file.name, metadata_of(allowed, corrects=corrects))
        standing.says = _without_this_command(uploaded)
        _say(client, bucket, uploaded, wait)


def versions(*, environment: Environment, command_role_arn: CommandRole = None) -> None:
    """List the versions of the segments, and the one in force."""
    with speaking():
        client, bucket = _bucket(operator(ROLE, environment, command_role_arn))
        found = published_versions(client, bucket)
        if not found:
            raise OperatorError(f"no version of the segments is in {bucket}: give click-trends publish one")
        show(_table(found, datetime.now(UTC)))


def rollback(
    valid_from: Annotated[
        str | None,
        typer.Argument(
            parser=_version_name,
            metavar="[VALID_FROM]",
            help="As versions lists it. Default: before the newest.",
        ),
    ] = None,
    *,
    environment: Environment,
    wait: Wait = WAIT,  # type: ignore[assignment]
    command_role_arn: CommandRole = None,
) -> None:
    """Publish an earlier version of the segments again, whatever it does to the newest."""
    with speaking() as standing:
        client, bucket = _bucket(operator(ROLE, environment, command_role_arn))
        published = published_versions(client, bucket)
        earlier = version_to_return_to(published, valid_from)
        now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(1)}"
        standing.says = IN_THE_MIDDLE
        uploaded = upload_again(
            client,
            bucket,
            earlier.key,
            f"{ROLLBACK}{earlier.name}-{now}.csv",
            allow=ALLOWANCES,
            succeeds=None if valid_from else published[-1].name,
        )
        standing.says = _without_this_command(uploaded)
        if brings_readers_back(published, earlier):
            tell(
                "click-trends: readers were erased from the segments since that version, which holds them"
                " again: give click-trends erase for each of them once it is published"
            )
        _say(client, bucket, uploaded, wait)


def _bucket(here: Operator) -> tuple[Any, str]:
    return here.client("s3", here.names.oregon), here.names.segments_bucket


def _without_this_command(sent: SentFile) -> str:
    return (
        f"{sent.name} is uploaded and decided on without this command: click-trends versions lists it if it"
        f" is published, the bucket has the reasons under {REFUSED_SEGMENTS_PREFIX} if not"
    )


def _say(client: Any, bucket: str, sent: SentFile, wait: timedelta) -> None:
    """Raises OperatorError or RefusedError if the file was not published."""
    tell(f"{sent.name} is uploaded; waiting for the publisher")
    decision = decision_on(client, bucket, sent, wait)
    if decision is None:
        raise OperatorError(
            f"{sent.name} waits for longer than {wait.total_seconds():.0f} s, and still does: look with"
            " click-trends versions, and at the publisher's alarms"
        )
    if decision.refused:
        reasons = [printable(str(reason)) for reason in decision.refused.reasons]
        more = decision.refused.number - len(reasons)
        last = [f"and {more:,} reasons more"] if more else []
        raise RefusedError("\n".join([f"{sent.name} is refused, and nothing has changed:", *reasons, *last]))
    receipt = decision.receipt
    assert receipt is not None
    what = "is published" if decision.is_new else "was published before, with the same bytes; nothing is new"
    valid_from = written_time(receipt.valid_from)
    kind = "corrects the version of" if receipt.correction else "valid from"
    name = (receipt.correction or "").removeprefix(SEGMENTS_CORRECTIONS_PREFIX).removesuffix(".csv")
    told = f", as {name}" if name else ""
    write(f"{sent.name} {what}: {receipt.summary.users:,} users, {kind} {valid_from}{told}\n")
    if receipt.late and decision.is_new:
        tell(
            "click-trends: it came too late for every task to read it by then: read of late versions in"
            " docs/reference/contracts.md, Segments"
        )


def _table(found: list[PublishedVersion], now: datetime) -> Table:
    table = Table("valid_from", "users", "MB", "in force", "upload")
    for column in table.columns[1:3]:
        column.justify = "right"
    in_force = max((each.valid_from for each in found if each.valid_from <= now), default=None)
    for each in found:
        table.add_row(
            each.name,
            "" if each.users is None else f"{each.users:,}",
            f"{each.size / 1e6:,.1f}",
            "yes" if each.valid_from == in_force else "later" if each.valid_from > now else "",
            Text(each.upload or ""),
        )
    return table
