"""The command line: `click-trends top --last 10m --gender female`."""

import io
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import boto3
import typer
from rich.console import Console, RenderableType

from clients import __version__
from clients.batch_server import differences
from clients.batch_server.credentials import signing_credentials
from clients.batch_server.duration import duration_text
from clients.batch_server.errors import QuestionError, TrendsError
from clients.batch_server.rankings import connect_table, segment_of, served_as_json, served_for_people
from clients.batch_server.reader import DEFAULT_LIMIT, connect
from clients.batch_server.segment import EACH_COMBINATION, EACH_VALUE
from clients.batch_server.text import printable
from clients.command_line import tables
from clients.command_line.options import (
    CONNECTION,
    CSV,
    SEGMENT,
    SPAN,
    TABLE_OPTION,
    AsJson,
    Asked,
    By,
    DomainRegion,
    Endpoint,
    Limit,
    MinClicks,
    RoleArn,
    TableRegion,
    TimeZone,
    duration,
    grouping,
    not_empty,
    own_options,
    segment_asked,
    with_options,
)
from clients.command_line.tables import AnswerTable
from clients.dashboards.dashboards import Dashboards
from clients.dashboards.saved_objects import DASHBOARD_TITLE, as_ndjson, saved_objects
from contract.count import WINDOW
from names import OREGON, TOKYO

DEFAULT_STEP = duration_text(WINDOW)
MAX_WIDTH = 100_000
"""Of a table: more than any has."""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help, in which a flag has no `<bool>` beside it
    pretty_exceptions_show_locals=False,  # they would print credentials
    help="Ask the click counts in OpenSearch what each kind of reader clicks.",
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"click-trends {__version__}")
        raise typer.Exit


@app.callback()
def _before_any_command(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    # A locale such as ja_JP.eucJP has not every character of an id: better one replaced than no answer.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def question(ask: Callable[..., AnswerTable]) -> Callable[..., AnswerTable]:
    """Makes `ask(asked, own options)` a command of its name, with the options that every question has."""

    def run(**options: Any) -> None:
        segment = segment_asked(options)
        shared = {
            name: options.pop(name)
            for name in ("endpoint", "role_arn", "domain_region", "environment", "last", "until")
        }
        time_zone, as_json, as_csv = (options.pop(name) for name in ("time_zone", "as_json", "as_csv"))
        if as_json and as_csv:
            raise typer.BadParameter("choose one of --json and --csv")
        try:
            reader = connect(
                shared["endpoint"],
                role_arn=shared["role_arn"],
                region=shared["domain_region"],
                environment=shared["environment"],
            )
            asked = Asked(
                reader=reader,
                last=shared["last"],
                until=shared["until"],
                segment=segment,
                time_zone=time_zone,
            )
            table = ask(asked, **options)
        except TrendsError as error:
            _fail(error)
        if as_json:
            _write(tables.as_json(table) + "\n")
        elif as_csv:
            _write(tables.as_csv(table))
            _tell("\n".join(tables.remarks(table, time_zone)))
        else:
            _show(tables.for_people(table, time_zone))

    options = (*SPAN, *own_options(ask), *SEGMENT, *CONNECTION, *CSV)
    app.command(ask.__name__.replace("_", "-"), help=ask.__doc__)(with_options(run, *options))
    return ask


def _fail(error: TrendsError) -> NoReturn:
    _tell(f"click-trends: {error}")
    raise typer.Exit(2 if isinstance(error, QuestionError) else 1) from error


def _write(text: str) -> None:
    """For programs as it is (typer.echo would take terminal codes out of ids), in UTF-8 whatever the locale;
    for a terminal printable."""
    if sys.stdout.isatty():
        text = "\n".join(printable(line) for line in text.split("\n"))
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(text)


def _show(table: RenderableType) -> None:
    """In a file or a pipe as wide as it needs to be. A narrower terminal is told what that does to it."""
    console = Console()
    needed = console.measure(table, options=console.options.update(width=MAX_WIDTH)).minimum
    if needed > console.width and not console.is_terminal:
        console = Console(width=needed)
    console.print(table)
    if needed > console.width:
        _tell(
            f"click-trends: the table needs {needed} characters in a line and this terminal has "
            f"{console.width}, so ids and numbers are broken or missing: make it wider, ask for fewer "
            "columns, or take --json"
        )


def _tell(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, markup=False, highlight=False)


@question
def top(
    asked: Asked,
    *,
    by: Annotated[
        list[Any] | None,
        typer.Option(
            "--by",
            parser=grouping,
            metavar="COLUMNS",
            help="A list for each segment of these columns; repeatable.",
        ),
    ] = None,
    all_segments: Annotated[
        bool, typer.Option("--all-segments", help="A list for each value and for each combination of all.")
    ] = False,
    limit: Limit = DEFAULT_LIMIT,
    min_clicks: MinClicks = 1,
) -> AnswerTable:
    """The articles with most clicks: of every reader, of one segment, or of many segments at once."""
    groupings = [*(by or []), *(EACH_VALUE + EACH_COMBINATION if all_segments else ())]
    if not groupings:
        return tables.top(
            asked.reader.top(asked.last, asked.segment, limit, min_clicks=min_clicks, until=asked.until)
        )
    return tables.top_of_segments(
        asked.reader.top_of_segments(
            asked.last,
            groupings,
            limit,
            segment=asked.segment,
            min_clicks=min_clicks,
            until=asked.until,
        ),
        asked.segment,
    )


@question
def trend(
    asked: Asked,
    *,
    article: Annotated[
        list[str] | None,
        typer.Option(
            "--article", parser=not_empty, metavar="ID", help="A series for this article; repeatable."
        ),
    ] = None,
    by: By = None,
    step: Annotated[
        timedelta,
        typer.Option("--step", parser=duration, metavar="DURATION", help="1m, 5m, 1h, ..."),
    ] = DEFAULT_STEP,  # type: ignore[assignment]  # typer parses it
) -> AnswerTable:
    """Clicks over time, of all articles or some, of all readers or each segment; gaps are zeros."""
    return tables.trend(
        asked.reader.trend(
            asked.last,
            articles=article or (),
            by=by or (),
            segment=asked.segment,
            step=step,
            time_zone=asked.time_zone,
            until=asked.until,
        ),
        asked.segment,
    )


@question
def heat_map(asked: Asked, *, by: By, limit: Limit = DEFAULT_LIMIT) -> AnswerTable:
    """The most clicked articles against the segments of some columns."""
    answer = asked.reader.heat_map(asked.last, by, limit, segment=asked.segment, until=asked.until)
    return tables.heat_map(answer, asked.segment)


@question
def compare(
    asked: Asked, *, limit: Limit = DEFAULT_LIMIT, min_clicks: MinClicks = differences.MIN_CLICKS
) -> AnswerTable:
    """The articles that a segment surely reads more, or less, than everyone else."""
    return tables.compare(
        asked.reader.compare(asked.last, asked.segment, limit, min_clicks=min_clicks, until=asked.until)
    )


@question
def rising(
    asked: Asked,
    *,
    before: Annotated[
        timedelta,
        typer.Option(
            "--before",
            parser=duration,
            metavar="DURATION",
            help="The time it is held against.",
        ),
    ] = "1h",  # type: ignore[assignment]  # typer parses it
    limit: Limit = DEFAULT_LIMIT,
    min_clicks: MinClicks = differences.MIN_CLICKS,
) -> AnswerTable:
    """The articles whose share of the clicks surely grew, against the time before."""
    return tables.rising(
        asked.reader.rising(
            asked.last, before, asked.segment, limit, min_clicks=min_clicks, until=asked.until
        )
    )


def freshness(
    *,
    endpoint: str,
    role_arn: str | None,
    domain_region: str,
    environment: str | None,
    time_zone: ZoneInfo,
    as_json: bool,
) -> None:
    """How fresh the counts are, and which minutes are complete."""
    try:
        found = connect(
            endpoint, role_arn=role_arn, region=domain_region, environment=environment
        ).freshness()
    except TrendsError as error:
        _fail(error)
    text = tables.freshness_as_json(found) if as_json else tables.freshness_text(found, time_zone)
    _write(text + "\n")


app.command("freshness")(with_options(freshness, *CONNECTION))


@app.command()
def served(
    *,
    segment: Annotated[
        list[str] | None,
        typer.Option("--segment", metavar="COLUMN=VALUE", help="Repeatable; without it, all readers."),
    ] = None,
    table: Annotated[str, TABLE_OPTION],
    table_region: TableRegion = TOKYO,
    role_arn: RoleArn = None,
    time_zone: TimeZone = "UTC",  # type: ignore[assignment]  # typer parses it
    as_json: AsJson = False,
) -> None:
    """What the service sees now: the ranking of a segment in DynamoDB, and its age."""
    try:
        asked = segment_of(segment or ())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    try:
        found = connect_table(table, region=table_region, role_arn=role_arn).read(asked)
    except TrendsError as error:
        _fail(error)
    if as_json:
        _write(served_as_json(found) + "\n")
    else:
        _show(served_for_people(found, time_zone))


def board(
    *,
    endpoint: str,
    role_arn: str | None,
    domain_region: str,
    environment: str | None,
    time_zone: ZoneInfo,
    last: Annotated[
        timedelta,
        typer.Option(
            "--last",
            parser=duration,
            metavar="DURATION",
            help="Of the heat map and what rises.",
        ),
    ] = "10m",  # type: ignore[assignment]  # typer parses it
    before: Annotated[
        timedelta,
        typer.Option(
            "--before",
            parser=duration,
            metavar="DURATION",
            help="Of series and compare, and what rising is held against.",
        ),
    ] = "1h",  # type: ignore[assignment]  # typer parses it
    titles: Annotated[
        Path | None, typer.Option("--titles", help="CSV file with the header article_id,title.")
    ] = None,
    table: Annotated[str | None, TABLE_OPTION] = None,
    table_region: TableRegion = TOKYO,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: a free one.")] = 8642,
) -> None:
    """One live page for a browser, on 127.0.0.1."""
    from clients.board import server  # the web server, which no question needs

    try:
        reader = connect(
            endpoint,
            role_arn=role_arn,
            region=domain_region,
            max_attempts=server.ATTEMPTS,
            environment=environment,
        )
        shown = server.Board(
            reader=reader,
            spans=server.Spans(last=last, before=before),
            time_zone=time_zone.key,
            titles=server.read_titles(titles) if titles else {},
            served=connect_table(table, region=table_region, role_arn=role_arn).read if table else None,
        )
        listening = server.bind(port)
    except TrendsError as error:
        _fail(error)
    _tell(f"the board is at {server.address(listening)}; Ctrl-C ends it")
    server.serve(shown, listening)


_CONNECTION_OF_BOARD = tuple(each for each in CONNECTION if each.name != "as_json")
app.command("board")(
    with_options(board, *_CONNECTION_OF_BOARD, *own_options(board)[len(_CONNECTION_OF_BOARD) - 1 :])
)


@app.command("saved-objects")
def print_saved_objects() -> None:
    """The board's pictures for OpenSearch Dashboards, as NDJSON."""
    _write(as_ndjson(saved_objects()))


@app.command("import-saved-objects")
def import_saved_objects(
    *, endpoint: Endpoint, role_arn: RoleArn = None, domain_region: DomainRegion = OREGON
) -> None:
    """Put the same into the OpenSearch Dashboards of the domain, over those of an earlier import."""
    try:
        credentials = signing_credentials(boto3.Session(), role_arn, domain_region)
        put = Dashboards(endpoint, credentials, domain_region).put(saved_objects())
    except TrendsError as error:
        _fail(error)
    _tell(f"{put} saved objects are in OpenSearch Dashboards: open the dashboard {DASHBOARD_TITLE!r}")
