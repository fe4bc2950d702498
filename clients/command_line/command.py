"""The command line: `click-trends top --last 10m --gender female`."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from clients import __version__
from clients.batch_server import differences
from clients.batch_server.duration import duration_text
from clients.batch_server.errors import QuestionError, TrendsError
from clients.batch_server.reader import DEFAULT_LIMIT, TrendingReader, UnconnectedReader, connect
from clients.batch_server.segment import EACH_COMBINATION, EACH_VALUE, Segment
from clients.batch_server.served_rankings import connect_table
from clients.command_line import answer_tables, rankings, saved_objects_commands, tables
from clients.command_line.operator_commands import add_operator_commands
from clients.command_line.options import (
    CONNECTION,
    OUTPUT,
    SEGMENT,
    SPAN,
    TABLE_OPTION,
    TITLES,
    AlsoUnlimited,
    ArticleLink,
    Asked,
    By,
    Form,
    Limit,
    MinClicks,
    OnceCommand,
    RoleArn,
    TableRegion,
    TimeZone,
    Titles,
    duration,
    end_of_span,
    form_asked,
    grouping,
    not_empty,
    own_options,
    segment_asked,
    with_options,
)
from clients.command_line.output import fail, progress_told, set_up_streams, show, tell, write
from clients.command_line.tables import AnswerTable
from contract.count import SEGMENT_COLUMNS, WINDOW
from names import TOKYO

DEFAULT_STEP = duration_text(WINDOW)

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
    set_up_streams()


def question(ask: Callable[..., AnswerTable]) -> Callable[..., AnswerTable]:
    """Makes `ask(asked, own options)` a command of its name, with the options that every question has."""

    def run(**options: Any) -> None:
        form = form_asked(options)
        segment = segment_asked(options)
        time_zone, titles = options.pop("time_zone"), options.pop("titles")
        last, until = options.pop("last"), end_of_span(options.pop("until"), time_zone)
        zone = time_zone or UTC
        try:
            asked = Asked(
                reader=_reader(options),
                last=last,
                until=until,
                segment=segment,
                time_zone=zone,
                titles=titles,
            )
            table = ask(asked, **options)
            if segment.fields and not table.clicks:
                table = _with_known_values(table, asked)
        except TrendsError as error:
            fail(error)
        if asked.titles is not None:
            table = tables.with_titles(table, asked.titles)
        match form:
            case Form.JSON:
                write(tables.as_json(table) + "\n")
            case Form.CSV:
                write(tables.as_csv(table))
                tell("\n".join(tables.remarks(table, zone)))
            case Form.TABLE:
                show(tables.for_people(table, zone))

    options = (*SPAN, *own_options(ask), *SEGMENT, *TITLES, *OUTPUT, *CONNECTION)
    name = ask.__name__.replace("_", "-")
    app.command(name, cls=OnceCommand, help=ask.__doc__)(with_options(run, *options))
    return ask


def _add(run: Callable[..., None], *shared: inspect.Parameter) -> None:
    """Makes `run(shared options, own options)` a command of its name."""
    own = own_options(run)

    def split(**options: Any) -> None:
        named = {each.name: options.pop(each.name) for each in own}
        run(options, **named)

    app.command(run.__name__, cls=OnceCommand, help=run.__doc__)(with_options(split, *own, *shared))


def _reader(options: dict[str, Any]) -> TrendingReader:
    """One that refuses wrong questions also where nothing can be asked. Raises QuestionError."""
    try:
        return _connected(options)
    except QuestionError:
        raise
    except TrendsError as problem:
        return UnconnectedReader(problem)


def _connected(options: dict[str, Any], **more: Any) -> TrendingReader:
    """Takes the options of CONNECTION out of `options`. Raises TrendsError."""
    return connect(
        options.pop("endpoint"),
        role_arn=options.pop("role_arn"),
        region=options.pop("domain_region"),
        environment=options.pop("environment"),
        **more,
    )


def _with_known_values(table: AnswerTable, asked: Asked) -> AnswerTable:
    """The table, which no click is in: because no reader clicked, or because a value is a slip of the pen.
    Raises QuestionError for the latter."""
    if not _are_known(asked.reader, asked.segment):
        return table
    return replace(table, answer=replace(table.answer, searches=table.answer.searches + 1))


def _are_known(reader: TrendingReader, segment: Segment) -> bool:
    """False where that is not known either. Raises QuestionError for a value that was never counted."""
    try:
        reader.check_values(segment)
    except QuestionError:
        raise
    except TrendsError:
        return False
    return True


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
        return answer_tables.top(
            asked.reader.top(asked.last, asked.segment, limit, min_clicks=min_clicks, until=asked.until)
        )
    with progress_told("asking in parts") as told:
        answer = asked.reader.top_of_segments(
            asked.last,
            groupings,
            limit,
            segment=asked.segment,
            min_clicks=min_clicks,
            until=asked.until,
            told=told,
        )
    return answer_tables.top_of_segments(answer, asked.segment)


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
    return answer_tables.trend(
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
        asked.titles,
    )


@question
def heat_map(asked: Asked, *, by: By = SEGMENT_COLUMNS[0], limit: Limit = DEFAULT_LIMIT) -> AnswerTable:
    """The most clicked articles against the segments of some columns."""
    answer = asked.reader.heat_map(asked.last, by, limit, segment=asked.segment, until=asked.until)
    return answer_tables.heat_map(answer, asked.segment)


@question
def compare(
    asked: Asked, *, limit: Limit = DEFAULT_LIMIT, min_clicks: MinClicks = differences.MIN_CLICKS
) -> AnswerTable:
    """The articles that a segment reads significantly more, or less, than everyone else."""
    return answer_tables.compare(
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
    """The articles whose share of the clicks grew significantly against the time before."""
    return answer_tables.rising(
        asked.reader.rising(
            asked.last, before, asked.segment, limit, min_clicks=min_clicks, until=asked.until
        )
    )


def freshness(**options: Any) -> None:
    """How fresh the counts are, and which minutes are complete."""
    form = form_asked(options)
    zone = options.pop("time_zone") or UTC
    try:
        found = _connected(options).freshness()
    except TrendsError as error:
        fail(error)
    match form:
        case Form.JSON:
            write(tables.freshness_as_json(found) + "\n")
        case Form.CSV:
            write(tables.freshness_as_csv(found))
        case Form.TABLE:
            write(tables.freshness_text(found, zone) + "\n")


app.command("freshness")(with_options(freshness, *OUTPUT, *CONNECTION))


def served(
    options: dict[str, Any],
    *,
    limit: AlsoUnlimited = None,
    titles: Titles = None,
    table: Annotated[str, TABLE_OPTION],
    table_region: TableRegion = TOKYO,
    role_arn: RoleArn = None,
) -> None:
    """What the service sees now: the ranking of a segment in DynamoDB, and its age."""
    form, segment = form_asked(options), segment_asked(options)
    zone = options.pop("time_zone") or UTC
    try:
        found = connect_table(table, region=table_region, role_arn=role_arn).read(segment)
    except TrendsError as error:
        fail(error)
    found = rankings.first(found, limit)
    match form:
        case Form.JSON:
            write(rankings.as_json(found, titles) + "\n")
        case Form.CSV:
            write(rankings.as_csv(found, titles))
            tell("\n".join(rankings.remarks(found, zone)))
        case Form.TABLE:
            show(rankings.for_people(found, zone, titles))


_add(served, *SEGMENT, *OUTPUT)


def board(
    options: dict[str, Any],
    *,
    time_zone: TimeZone = None,
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
    titles: Titles = None,
    article_link: ArticleLink = None,
    table: Annotated[str | None, TABLE_OPTION] = None,
    table_region: TableRegion = TOKYO,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=0, max=65535, help="8642 if absent, or a free one where it is taken; 0: a free one."
        ),
    ] = None,
) -> None:
    """One live page for a browser, on 127.0.0.1. A segment is the one that it compares at first."""
    from clients.board import server  # the web server, which no question needs

    segment, role_arn = segment_asked(options), options["role_arn"]
    environment, domain_region = options["environment"], options["domain_region"]
    try:
        alarms, refused = server.connect_environment(environment, role_arn, domain_region, table_region)
        reader = _connected(options, max_attempts=server.ATTEMPTS)
        if segment.fields:
            _are_known(reader, segment)
        shown = server.Board(
            reader=reader,
            spans=server.Spans(last=last, before=before),
            time_zone=time_zone.key if time_zone else "UTC",
            titles=titles or {},
            article_link=article_link,
            served=connect_table(table, region=table_region, role_arn=role_arn).read if table else None,
            alarms=alarms,
            refused=refused,
        )
        listening = server.bind_where_free() if port is None else server.bind(port)
    except TrendsError as error:
        fail(error)
    chosen = urlencode({f"compare.{column}": value for column, value in segment.fields})
    tell(f"the board is at {server.address(listening)}{f'/?{chosen}' if chosen else ''}; Ctrl-C ends it")
    server.serve(shown, listening)


_add(board, *SEGMENT, *CONNECTION)


saved_objects_commands.add_to(app)
add_operator_commands(app)
