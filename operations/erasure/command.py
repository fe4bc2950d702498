"""`click-trends erase --user-id X`: takes a reader's clicks out of what is kept (docs/operate/erasure.md)."""

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from clients.command_line.options import not_empty
from clients.command_line.output import tell, write
from operations.erasure.erasing import Erasure, ErasureReport, places
from operations.erasure.reader import ErasedReader
from operations.erasure.segments import Segments
from operations.erasure.storage import Objects, UnexpectedETagError
from operations.operator import (
    CommandRole,
    Environment,
    Operator,
    OperatorError,
    RefusedError,
    operator,
    speaking,
)
from settings import Settings
from settings.segments import keep_seconds

COMMAND = "erase"
STAYS_ERASED = (
    "what is erased stays so: give the command again soon, as reconciliation may show differences until then"
)


def add_to(app: typer.Typer) -> None:
    app.command(COMMAND)(erase)


def erase(
    *,
    user_id: Annotated[
        str,
        typer.Option(
            "--user-id", parser=not_empty, metavar="ID", help="As it stands in the reader's clicks."
        ),
    ],
    environment: Environment,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before erasing.")] = False,
    command_role_arn: CommandRole = None,
) -> None:
    """Erase a reader: the clicks in the raw backup, rejects and dead letters, the row in the segments."""
    with speaking() as standing:
        reader = reader_of(user_id)
        given = operator(COMMAND, environment, command_role_arn)
        began = time.monotonic()
        erasure = _erasure(given, reader)
        if dry_run:
            _say(seen(erasure.look(), given.settings, time.monotonic() - began))
            segments = _segments(given)
            newest = segments.newest()
            if newest and segments.holds(newest, reader):
                write(f"The segments {newest} hold the reader; a version without would follow.\n")
            return
        if not yes:
            typer.confirm(
                f"Erase this reader's clicks in {environment} for good? No backup brings them back",
                abort=True,
                err=True,
            )
        standing.says = f"not everything is erased; {STAYS_ERASED}"
        try:
            report = erasure.erase()
        except UnexpectedETagError as error:
            raise OperatorError(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise OperatorError(
                f"AWS did not answer as hoped: {error}. {STAYS_ERASED.capitalize()}"
            ) from error
        _say(done(report, time.monotonic() - began))
        version = _segments(given).succeed(reader, erasure.run)
        write(f"{_of_segments(version)}\n")
        _say(by_itself(given.settings, datetime.now(UTC)))
        if report.unreadable or report.unfinished:
            raise OperatorError(_unfinished(report))


def reader_of(user_id: str) -> ErasedReader:
    """Raises RefusedError if no click can have this id."""
    try:
        user_id.encode()
    except UnicodeEncodeError as error:
        raise RefusedError("--user-id is not Unicode text; write it as the reader's clicks do") from error
    return ErasedReader(user_id)


def _erasure(given: Operator, reader: ErasedReader) -> Erasure:
    names = given.names
    oregon, tokyo = given.client("s3", names.oregon), given.client("s3", names.tokyo)
    raw = Objects(oregon, names.raw_bucket)
    now = datetime.now(UTC)
    return Erasure(
        places=places(
            raw=raw,
            rejected=Objects(oregon, names.rejected_bucket),
            dead_letters=Objects(tokyo, names.dead_letter_bucket),
        ),
        tallies=raw,
        reader=reader,
        run=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        retention_days=given.settings.delivery.raw_retention_days,
        today=now.date(),
        tell=tell,
    )


def _segments(given: Operator) -> Segments:
    return Segments(s3=given.client("s3", given.names.oregon), bucket=given.names.segments_bucket)


def _say(lines: Iterator[str]) -> None:
    write("".join(f"{line}\n" for line in lines))


def seen(report: ErasureReport, settings: Settings, seconds: float) -> Iterator[str]:
    """What would go."""
    yield f"Read {_read(report, seconds)}. Nothing was changed in {settings.environment}."
    yield from _taken(report, "would lose")


def done(report: ErasureReport, seconds: float) -> Iterator[str]:
    yield f"Read {_read(report, seconds)}."
    if not report.rewritten:
        yield "No object holds a click of this reader."
    yield from _taken(report, "lost")


def _read(report: ErasureReport, seconds: float) -> str:
    return f"{report.objects:,} objects ({report.bytes / 1e6:,.1f} MB) in {seconds:.1f} s"


def _taken(report: ErasureReport, verb: str) -> Iterator[str]:
    for prefix, objects in sorted(report.rewritten.items()):
        yield f"- {objects:,} objects of {prefix} {verb} {report.taken[prefix]:,} clicks"
    for name, reason in sorted(report.unreadable.items()):
        yield f"- left as it is: {name}: {reason}"


def _of_segments(version: str | None) -> str:
    if version is None:
        return "The newest version of the segments does not hold the reader."
    return f"The segments without the reader are {version}, which holds from the time in its name."


def by_itself(settings: Settings, now: datetime) -> Iterator[str]:
    """What is left, and by when it goes without anybody's doing."""
    hours = settings.streams.retention_hours
    buffers = timedelta(seconds=settings.delivery.archive_buffer_seconds)
    again = now + timedelta(hours=hours) + 2 * buffers
    days = settings.delivery.raw_retention_days
    kept = timedelta(seconds=keep_seconds(settings.analytics, settings.delivery))
    superseded = now + kept + timedelta(days=1)  # the publisher deletes once a day
    yield "What else there is goes by itself:"
    yield f"- Clicks in the streams and on their way, within {hours} h: give this command again after"
    yield f"  {_shown(again)}."
    yield f"- Past versions of the segments and corrections of them, by about {_shown(superseded)},"
    yield "  and former S3 versions of them 30 days later."
    yield f"- Segments that a replay copied, within {days} days."
    yield "- Refused files of segments, within 31 days."
    yield "- Answers to analysts' queries, within 7 days, and the queries, within 45."
    yield "A rollback of the segments to a past version, or a file made before, brings the reader back."
    yield "Counts, rankings, logs and snapshots hold no id. Delete the login where the reader has it."


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _unfinished(report: ErasureReport) -> str:
    if report.unfinished:
        return "new objects kept arriving until the last pass: give the command again"
    return (
        f"{len(report.unreadable)} objects cannot be read, and may hold clicks of the reader: look at them, "
        "and delete or mend them by hand"
    )
