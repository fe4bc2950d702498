"""The options that several commands have; a segment's are the contract's columns."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from botocore.exceptions import InvalidRegionError
from botocore.utils import validate_region_name
from typer.core import TyperCommand

from clients.batch_server.duration import parse_duration
from clients.batch_server.endpoint import endpoint_parts
from clients.batch_server.errors import QuestionError
from clients.batch_server.reader import TrendingReader
from clients.batch_server.segment import Grouping, Segment
from clients.board.links import checked_template
from clients.board.titles import read_titles
from contract.count import SEGMENT_COLUMNS
from names import OREGON


class Form(StrEnum):
    """Of an answer."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the options in common say."""

    reader: TrendingReader
    last: timedelta
    until: datetime | None
    segment: Segment
    time_zone: tzinfo
    titles: Mapping[str, str] | None


def duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _time(text: str) -> datetime:
    time: datetime | None = None
    with suppress(ValueError):
        time = datetime.fromisoformat(text)
    if time is None:
        raise typer.BadParameter(
            f"{text!r} is no time: write it as 2026-01-31T09:15+09:00, or as 2026-01-31 for the beginning of "
            "that day in --time-zone"
        )
    return time


def end_of_span(until: datetime | None, time_zone: ZoneInfo | None) -> datetime | None:
    """until: from the option; one without a zone is of --time-zone. Raises typer.BadParameter."""
    if until is None or until.utcoffset() is not None:
        return until
    if time_zone is None:
        raise typer.BadParameter(
            f"{until.isoformat()} has no time zone: write one, such as +09:00 or Z, or give --time-zone",
            param_hint="--until",
        )
    return until.replace(tzinfo=time_zone)


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # KeyError: ZoneInfoNotFoundError
        raise typer.BadParameter(f"{text!r} is no time zone: write one such as UTC or Asia/Tokyo") from None


def grouping(text: str) -> Grouping:
    columns = tuple(text.split(","))
    if not set(columns) <= set(SEGMENT_COLUMNS):
        raise typer.BadParameter(
            f"{text!r} are no columns of a segment: write one or more of {', '.join(SEGMENT_COLUMNS)}, "
            "with commas between them"
        )
    return columns


def not_empty(text: str) -> str:
    """An empty one comes from a shell variable that is not set, and no reader and no article is called so."""
    if not text:
        raise typer.BadParameter("is empty: leave the option out, or write a value")
    return text


def _titles(file: str) -> dict[str, str]:
    try:
        return read_titles(Path(not_empty(file)))
    except QuestionError as error:
        raise typer.BadParameter(str(error)) from error


def _article_link(template: str) -> str:
    try:
        return checked_template(template)
    except QuestionError as error:
        raise typer.BadParameter(str(error)) from error


def _region(text: str) -> str:
    try:
        validate_region_name(not_empty(text))
    except InvalidRegionError as error:
        raise typer.BadParameter(f"{text!r} is no AWS region: write one such as {OREGON}") from error
    return text


def _endpoint(text: str) -> str:
    try:
        endpoint_parts(not_empty(text))
    except QuestionError as error:
        raise typer.BadParameter(str(error)) from error
    return text


By = Annotated[
    Any,
    typer.Option(
        "--by",
        parser=grouping,
        metavar="COLUMNS",
        help=f"Columns, with commas between them: {', '.join(SEGMENT_COLUMNS)}.",
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most this many articles.")]
AlsoUnlimited = Annotated[
    int | None, typer.Option("--limit", min=1, max=1000, help="At most this many articles; all if absent.")
]
Titles = Annotated[
    Any,
    typer.Option(
        "--titles",
        parser=_titles,
        metavar="FILE",
        help="CSV with the header article_id,title: what to call articles.",
    ),
]
ArticleLink = Annotated[
    Any,
    typer.Option(
        "--article-link",
        parser=_article_link,
        metavar="URL",
        help="Where an article is, with {article_id} in place of its id.",
    ),
]
MinClicks = Annotated[int, typer.Option("--min-clicks", min=1, help="Only articles with as many clicks.")]
Last = Annotated[
    timedelta, typer.Option("--last", parser=duration, metavar="DURATION", help="90s, 10m, 2h or 1d.")
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        parser=_time,
        metavar="TIME",
        help="End of the time asked for, as 2026-01-31T09:15+09:00, or without zone as --time-zone has it; "
        "now if absent.",
    ),
]
Endpoint = Annotated[
    str,
    typer.Option(
        "--endpoint",
        parser=_endpoint,
        envvar="CLICK_TRENDS_ENDPOINT",
        metavar="URL",
        help="https://host of the OpenSearch domain.",
    ),
]
RoleArn = Annotated[
    str | None,
    typer.Option(
        "--role-arn",
        parser=not_empty,
        envvar="CLICK_TRENDS_ROLE_ARN",
        metavar="ARN",
        help="Sign with this role, assumed through STS.",
    ),
]
DomainRegion = Annotated[
    str,
    typer.Option(
        "--domain-region",
        parser=_region,
        envvar="CLICK_TRENDS_REGION",
        metavar="REGION",
        help="AWS region of the domain.",
    ),
]
OfEnvironment = Annotated[
    str | None,
    typer.Option(
        "--environment",
        parser=not_empty,
        envvar="CLICK_TRENDS_ENVIRONMENT",
        metavar="NAME",
        help="Such as production: its metrics tell which minutes are complete.",
    ),
]
TimeZone = Annotated[
    ZoneInfo | None,
    typer.Option(
        "--time-zone",
        parser=_zone,
        envvar="CLICK_TRENDS_TIME_ZONE",
        metavar="ZONE",
        help="Of the times in tables, and where days begin, such as Asia/Tokyo; UTC if absent. "
        "JSON and CSV hold UTC.",
    ),
]
TABLE_OPTION = typer.Option(
    "--table",
    parser=not_empty,
    envvar="CLICK_TRENDS_TABLE",
    metavar="NAME",
    help="DynamoDB table of the rankings that the service has.",
)
TableRegion = Annotated[
    str,
    typer.Option(
        "--table-region",
        parser=_region,
        envvar="CLICK_TRENDS_TABLE_REGION",
        metavar="REGION",
        help="AWS region of the table.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
AsCsv = Annotated[
    bool, typer.Option("--csv", help="Print CSV; what stands below a table goes to standard error.")
]


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


CONNECTION = (
    _keyword("endpoint", Endpoint),
    _keyword("role_arn", RoleArn, None),
    _keyword("domain_region", DomainRegion, OREGON),
    _keyword("environment", OfEnvironment, None),
)
OUTPUT = (
    _keyword("time_zone", TimeZone, None),
    _keyword("as_json", AsJson, False),
    _keyword("as_csv", AsCsv, False),
)
SPAN = (_keyword("last", Last, "10m"), _keyword("until", Until, None))
TITLES = (_keyword("titles", Titles, None),)
_OF_A_COLUMN = tuple(
    _keyword(
        column,
        Annotated[
            str | None,
            typer.Option(
                f"--{column.replace('_', '-')}",
                parser=not_empty,
                metavar="VALUE",
                help=f"Only readers with this {column}.",
            ),
        ],
        None,
    )
    for column in SEGMENT_COLUMNS
)
_PARTS = Annotated[
    list[str] | None,
    typer.Option("--segment", metavar="COLUMN=VALUE", help="The same, such as age_band=20s; repeatable."),
]
SEGMENT = (*_OF_A_COLUMN, _keyword("segment", _PARTS, None))


def segment_asked(options: dict[str, Any]) -> Segment:
    """Takes the options of SEGMENT out of `options`. Raises typer.BadParameter."""
    columns = {column: options.pop(column) for column in SEGMENT_COLUMNS}
    values = {column: value for column, value in columns.items() if value is not None}
    for part in options.pop("segment") or ():
        column, equals, value = part.partition("=")
        if column not in SEGMENT_COLUMNS or not equals or not value:
            raise typer.BadParameter(
                f"{part!r} is no part of a segment: write column=value, with a column of "
                f"{', '.join(SEGMENT_COLUMNS)}",
                param_hint="--segment",
            )
        if column in values:
            raise typer.BadParameter(f"{column} is given twice: write it once", param_hint="--segment")
        values[column] = value
    return Segment(**values)


def form_asked(options: dict[str, Any]) -> Form:
    """Takes --json and --csv out of `options`. Raises typer.BadParameter for both."""
    as_json, as_csv = options.pop("as_json"), options.pop("as_csv")
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    return Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE


class OnceCommand(TyperCommand):
    """A command that refuses a second value where the last would silently replace the first, and the question
    would become another."""

    ONCE = frozenset({"by", *SEGMENT_COLUMNS})

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        option: Any
        for option in given:
            if option.name in self.ONCE and not vars(option)["multiple"] and given.count(option) > 1:
                raise typer.BadParameter("is given twice: write it once", ctx=ctx, param=option)
        return super().parse_args(ctx, args)


def own_options(ask: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """All parameters of `ask` but its first."""
    return tuple(inspect.signature(ask).parameters.values())[1:]


def with_options(run: Callable[..., None], *options: inspect.Parameter) -> Callable[..., None]:
    """`run(**options)`, with these options as the signature that typer reads."""
    run.__signature__ = inspect.Signature(list(options))  # type: ignore[attr-defined]
    return run
