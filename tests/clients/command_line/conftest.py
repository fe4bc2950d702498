"""A reader that answers every question, and what a program sees of its answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

from clients.batch_server import (
    ComparedArticle,
    Comparison,
    Freshness,
    HeatMap,
    Minutes,
    ReadProgress,
    Rising,
    RisingArticle,
    Segment,
    Series,
    TopArticles,
    TopList,
    TopOfSegments,
    Trend,
    TrendingArticle,
)
from clients.command_line.command import app
from contract.count import SEGMENT_COLUMNS

ENDPOINT = "https://search-domain.example"
NINE = datetime(2026, 1, 31, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOSTILE = '[bold]a[/bold]\x1b[2J,"\n'

FRESHNESS = Freshness(
    asked_at=NINE + timedelta(minutes=10, seconds=30),
    since=NINE - 5 * MINUTE,
    newest_minute=NINE + 10 * MINUTE,
    newest_published_at=NINE + timedelta(minutes=10, seconds=26),
    delivered_until=NINE + timedelta(minutes=10, seconds=15),
    progress=ReadProgress(read_until=NINE + timedelta(minutes=5, seconds=35), behind=2 * MINUTE),
)
ANSWER: dict[str, Any] = {
    "minutes": Minutes(NINE, NINE + 11 * MINUTE),
    "freshness": FRESHNESS,
    "searches": 1,
}
FEMALE = Segment(gender="female")
NO_VALUES = dict.fromkeys(SEGMENT_COLUMNS)
TOP = TopList(articles=(TrendingArticle("記事-1", 1234), TrendingArticle(HOSTILE, 3)), clicks=2000, cut=True)


@pytest.fixture
def connect() -> Iterator[mock.Mock]:
    with mock.patch("clients.command_line.command.connect", autospec=True) as connect:
        yield connect


@pytest.fixture
def reader(connect: mock.Mock) -> mock.Mock:
    reader: mock.Mock = connect.return_value
    reader.top.return_value = TopArticles(segment=FEMALE, top=TOP, **ANSWER)
    reader.top_of_segments.return_value = TopOfSegments(lists={FEMALE: TOP}, **ANSWER)
    starts = tuple(NINE + number * MINUTE for number in range(11))
    series = Series(article_id=HOSTILE, segment=FEMALE, clicks=(0, 7, *[1] * 9))
    reader.trend.return_value = Trend(step=MINUTE, starts=starts, series=(series,), **ANSWER)
    reader.heat_map.return_value = HeatMap(
        articles=TOP.articles,
        cut=True,
        segments=(FEMALE, Segment(gender="male")),
        segment_clicks=(900, 1100),
        cells=((1000, 234), (3, 0)),
        **ANSWER,
    )
    more = ComparedArticle(
        HOSTILE, 40, others=100, expected=20.5, times=1.9, times_low=1.4, times_high=2.6, z=3.5
    )
    less = ComparedArticle(
        "b", 4, others=400, expected=31.0, times=0.2, times_low=0.1, times_high=0.4, z=-4.5
    )
    reader.compare.return_value = Comparison(
        **ANSWER,
        segment=FEMALE,
        segment_clicks=900,
        others_clicks=1100,
        more=(more,),
        less=(less,),
        found=2,
        compared=50,
        all_from=10,
    )
    risen = RisingArticle(HOSTILE, 40, before=12, expected=2.5, growth=9.0, growth_low=5.5, growth_high=14.0)
    reader.rising.return_value = Rising(
        **ANSWER,
        segment=FEMALE,
        recent=Minutes(NINE + 5 * MINUTE, NINE + 11 * MINUTE),
        recent_clicks=700,
        before_clicks=1300,
        articles=(risen,),
        found=1,
        compared=50,
        all_from=10,
    )
    reader.freshness.return_value = FRESHNESS
    return reader


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    environment = {"CLICK_TRENDS_ENDPOINT": ENDPOINT, "COLUMNS": "150", **environment}
    result = CliRunner().invoke(app, arguments, env=environment)
    return result.exit_code, result.stdout, result.stderr


# Each question with the options it needs, and what its rows are in a program's eyes.
QUESTIONS: dict[str, tuple[tuple[str, ...], list[dict[str, object]]]] = {
    "top": (
        (),
        [
            {"place": 1, "article_id": "記事-1", "clicks": 1234},
            {"place": 2, "article_id": HOSTILE, "clicks": 3},
        ],
    ),
    "trend": (
        ("--article", "x"),
        [
            {
                "time": f"2026-01-31T09:{number:02}:00.000Z",
                "article_id": HOSTILE,
                **NO_VALUES,
                "gender": "female",
                "clicks": clicks,
            }
            for number, clicks in enumerate((0, 7, *[1] * 9))
        ],
    ),
    "heat-map": (
        ("--by", "gender"),
        [
            {
                "article_id": article,
                **NO_VALUES,
                "gender": gender,
                "clicks": clicks,
                "segment_clicks": of_segment,
            }
            for article, gender, clicks, of_segment in (
                ("記事-1", "female", 1000, 900),
                ("記事-1", "male", 234, 1100),
                (HOSTILE, "female", 3, 900),
                (HOSTILE, "male", 0, 1100),
            )
        ],
    ),
    "compare": (
        ("--gender", "female"),
        [
            {
                "direction": direction,
                "article_id": article,
                **dict(zip(("clicks", "expected", "others"), counts, strict=True)),
                **dict(zip(("times", "times_low", "times_high", "z"), ratio, strict=True)),
            }
            for direction, article, counts, ratio in (
                ("more", HOSTILE, (40, 20.5, 100), (1.9, 1.4, 2.6, 3.5)),
                ("less", "b", (4, 31.0, 400), (0.2, 0.1, 0.4, -4.5)),
            )
        ],
    ),
    "rising": (
        (),
        [
            {
                "article_id": HOSTILE,
                **{"clicks": 40, "before": 12, "expected": 2.5},
                **{"growth": 9.0, "growth_low": 5.5, "growth_high": 14.0},
            }
        ],
    ),
}
every_question = pytest.mark.parametrize("name", QUESTIONS)
