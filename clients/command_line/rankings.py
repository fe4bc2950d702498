"""The ranking of a segment that the service has, as text for people, as JSON and as CSV for programs."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from clients.batch_server.segment import Segment
from clients.batch_server.served_rankings import Served
from clients.batch_server.text import age_text, printable
from clients.command_line.tables import csv_text
from contract.event_time import format_time

Titles = Mapping[str, str]
"""Article ids to what people call them."""


def first(served: Served, limit: int | None) -> Served:
    """With at most so many articles."""
    ranking = served.ranking
    if ranking is None or limit is None:
        return served
    shorter = replace(ranking, articles=ranking.articles[:limit], clicks=ranking.clicks[:limit])
    return replace(served, ranking=shorter)


def as_json(served: Served, titles: Titles | None) -> str:
    ranking, age = served.ranking, served.age
    called = {} if ranking is None or titles is None else {"titles": [*map(titles.get, ranking.articles)]}
    return json.dumps(
        {
            "segment": served.segment.as_dict(),
            "read_at": format_time(served.at),
            "served": ranking is not None,
            "fresh": served.is_fresh,
            "age_seconds": None if age is None else round(age.total_seconds(), 3),
            **({} if ranking is None else ranking.as_item() | {"segment": served.segment.as_dict()}),
            **called,
        },
        ensure_ascii=False,
        indent=2,
    )


def as_csv(served: Served, titles: Titles | None) -> str:
    columns = ("place", "article_id", *(() if titles is None else ("title",)), "clicks")
    rows = [
        (place, article_id, *(() if titles is None else (titles.get(article_id),)), clicks)
        for place, article_id, clicks in _places(served)
    ]
    return csv_text([columns, *rows])


def _places(served: Served) -> list[tuple[int, str, int]]:
    ranking = served.ranking
    if ranking is None:
        return []
    return [
        (place, article_id, clicks)
        for place, (article_id, clicks) in enumerate(
            zip(ranking.articles, ranking.clicks, strict=True), start=1
        )
    ]


def _nothing_served(segment: Segment) -> str:
    few = (
        "no article has enough clicks in this segment or no reader is in it, as with a misspelt value "
        "(the service then shows what all readers click), or "
        if segment.fields
        else ""
    )
    return (
        f"The table has no ranking of {segment.label}. In the first six minutes after the first clicks it "
        f"has none yet: ask again then. If it still has none, {few}nothing is counted "
        "(`click-trends freshness` tells), or the feedback function fails (its alarms notify, and its log "
        "says why)."
    )


COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("place", "right"),
    ("article", "left"),
    ("clicks", "right"),
)


def for_people(served: Served, zone: tzinfo, titles: Titles | None) -> RenderableType:
    title = Text(f"Served to {served.segment.label}", style="bold")
    if served.ranking is None:
        return Group(title, *map(Text, remarks(served, zone)))
    table = Table()
    for column, justify in COLUMNS:
        table.add_column(column, justify=justify)
    for place, article_id, clicks in _places(served):
        name = (titles or {}).get(article_id, article_id)
        table.add_row(str(place), Text(printable(name)), f"{clicks:,}")
    counted, fresh = remarks(served, zone)
    return Group(title, table, Text(counted), Text(fresh, style="" if served.is_fresh else "bold"))


def remarks(served: Served, zone: tzinfo) -> list[str]:
    """Why there is no ranking; or how old it is, and whether it is out of date."""
    ranking, age = served.ranking, served.age
    if ranking is None or age is None:
        return [_nothing_served(served.segment)]
    counted = ranking.counted_until.astimezone(zone)
    fresh_until = datetime.fromtimestamp(ranking.fresh_until, zone)
    complete = ranking.complete_until.astimezone(zone)
    fresh = "Fresh until" if served.is_fresh else "OUT OF DATE since"
    return [
        f"Counted until {counted:%Y-%m-%d %H:%M:%S %Z} ({age_text(age)} ago); complete until "
        f"{complete:%Y-%m-%d %H:%M %Z} but for late clicks.",
        f"{fresh} {fresh_until:%Y-%m-%d %H:%M:%S %Z}: an unchanged ranking is written again before.",
    ]
