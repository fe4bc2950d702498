"""The command line: `python -m batch_server top --last 10m --gender female`."""

import json
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from batch_server.duration import parse_duration
from batch_server.errors import TrendsError
from batch_server.queries import Segment, TrendingArticle
from batch_server.reader import DEFAULT_LIMIT, connect
from names import OREGON

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would print credentials
    help="Ask the click counts in OpenSearch which articles are trending.",
)


@app.callback()
def commands() -> None:
    """Keeps `top` a command of its own: typer drops the name of a single command otherwise."""


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@app.command()
def top(
    *,
    last: Annotated[
        timedelta, typer.Option(parser=_duration, metavar="DURATION", help="Until now: 90s, 10m, 2h, 1d.")
    ],
    endpoint: Annotated[
        str, typer.Option(envvar="CLICK_TRENDS_ENDPOINT", help="https://host of the OpenSearch domain.")
    ],
    gender: Annotated[str | None, typer.Option(help="Only readers of this gender.")] = None,
    age_band: Annotated[str | None, typer.Option(help="Only readers of this age band, e.g. 20s.")] = None,
    region: Annotated[str | None, typer.Option(help="Only readers of this region, e.g. tokyo.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many articles.")] = DEFAULT_LIMIT,
    role_arn: Annotated[
        str | None,
        typer.Option(envvar="CLICK_TRENDS_ROLE_ARN", help="Sign with this role, assumed through STS."),
    ] = None,
    domain_region: Annotated[
        str, typer.Option(envvar="CLICK_TRENDS_REGION", help="AWS region of the domain.")
    ] = OREGON,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """The articles with most clicks, for every reader or for one segment."""
    segment = Segment(gender=gender, age_band=age_band, region=region)
    try:
        articles = connect(endpoint, role_arn=role_arn, region=domain_region).top(last, segment, limit)
    except TrendsError as error:
        Console(stderr=True, soft_wrap=True).print(f"batch_server: {error}", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(_as_json(last, segment, articles))
    else:
        Console().print(_as_table(last, segment, articles))


def _as_json(last: timedelta, segment: Segment, articles: list[TrendingArticle]) -> str:
    answer = {
        "last_seconds": round(last.total_seconds()),
        "segment": segment.fields(),
        "articles": [{"article_id": article.article_id, "clicks": article.clicks} for article in articles],
    }
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _as_table(last: timedelta, segment: Segment, articles: list[TrendingArticle]) -> Table:
    whom = ", ".join(segment.fields().values()) or "all readers"
    table = Table(title=Text(f"Trending in the last {last}: {whom}"), title_justify="left")
    table.add_column("#", justify="right", style="dim")
    table.add_column("article", overflow="fold")
    table.add_column("clicks", justify="right")
    for place, article in enumerate(articles, start=1):
        table.add_row(str(place), Text(article.label), f"{article.clicks:,}")
    if not articles:
        table.caption = "no clicks counted in that time"
    return table
