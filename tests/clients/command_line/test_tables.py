"""How answers are written, for people and for programs."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

from clients.batch_server import (
    Comparison,
    Freshness,
    Minutes,
    ReadProgress,
    Rising,
    Segment,
    TopArticles,
    TopList,
    TrendingArticle,
)
from clients.batch_server.text import age_text
from clients.command_line import answer_tables, tables
from clients.command_line.command import app
from clients.command_line.tables import span_text

NINE = datetime(2026, 1, 31, 9, tzinfo=UTC)
MINUTES = Minutes(NINE, NINE + timedelta(minutes=11))
ANSWER: dict[str, Any] = {
    "minutes": MINUTES,
    "freshness": Freshness(
        asked_at=NINE, since=NINE, newest_minute=None, newest_published_at=None, delivered_until=None
    ),
    "searches": 1,
    "segment": Segment(gender="femal"),
}


def top(*article_ids: str) -> TopArticles:
    articles = tuple(TrendingArticle(article_id, 2) for article_id in article_ids)
    return TopArticles(top=TopList(articles=articles, clicks=2 * len(articles), cut=False), **ANSWER)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2026-11-01 05:30 to 06:30 UTC"),
        ("Asia/Tokyo", "2026-11-01 14:30 to 15:30 JST"),
        ("America/New_York", "2026-11-01 01:30 EDT to 01:30 EST"),
        ("Pacific/Auckland", "2026-11-01 18:30 to 19:30 NZDT"),
    ],
)
def test_a_span_over_a_change_of_the_clock_names_both_zones(zone: str, text: str) -> None:
    since = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert span_text(Minutes(since, since + timedelta(hours=1)), ZoneInfo(zone)) == text


@pytest.mark.parametrize(("form", "article"), [("--csv", "記事-1"), ("--json", "記事-1"), ("", "??-1")])
def test_a_locale_without_the_characters_of_an_id_costs_no_answer(form: str, article: str) -> None:
    written = io.BytesIO()
    with (
        mock.patch("clients.command_line.command.connect") as connect,
        mock.patch("sys.stdout", io.TextIOWrapper(written, encoding="ascii")) as locale,
    ):
        connect.return_value.top.return_value = top("記事-1")
        options = ["--last", "10m", "--endpoint", "https://domain.example", *([form] if form else [])]
        app(["top", *options], standalone_mode=False)
        locale.flush()
        assert article in written.getvalue().decode()


def test_an_id_with_a_line_end_is_one_field_of_csv() -> None:
    text = tables.as_csv(answer_tables.top(top("a\rb", "c\nd", "e")))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[1] for row in rows] == ["article_id", "a\rb", "c\nd", "e"]
    assert text.endswith("3,e,2\n")


def test_a_comparison_with_nothing_says_so() -> None:
    looked_at: dict[str, Any] = {"found": 0, "compared": 2, "all_from": 10}
    compared = Comparison(segment_clicks=0, others_clicks=9, more=(), less=(), **looked_at, **ANSWER)
    assert answer_tables.compare(compared).remarks[-1] == "Nothing can be compared: no clicks (segment)."

    def remarks(before: int) -> tuple[str, ...]:
        rising = Rising(
            recent=MINUTES, recent_clicks=9, before_clicks=before, articles=(), **looked_at, **ANSWER
        )
        return answer_tables.rising(rising).remarks

    assert remarks(before=0)[-1] == "Nothing can be compared: no clicks (before)."
    assert len(remarks(before=5)) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-5, "0 s"), (0.4, "0 s"), (3.6, "4 s"), (99.4, "99 s"), (99.5, "2 min"), (150, "3 min")),
        *(
            (3569, "59 min"),
            (3570, "1 h"),
            (7500, "2 h 5 min"),
            (172_740, "47 h 59 min"),
            (300_000, "3 days"),
        ),
    ],
)
def test_an_age_is_as_exact_as_its_reader_needs(seconds: float, text: str) -> None:
    assert age_text(timedelta(seconds=seconds)) == text


def test_it_is_said_when_no_one_knows_which_minutes_are_complete() -> None:
    unknown = replace(ANSWER["freshness"], progress=ReadProgress(problem="CloudWatch is away"))
    table = answer_tables.top(replace(top("a"), freshness=unknown))
    assert any("is not known: CloudWatch is away." in remark for remark in tables.remarks(table, UTC))
    told = json.loads(tables.as_json(table))["freshness"]
    assert (told["complete_until"], told["not_known"]) == (None, "CloudWatch is away")


def test_an_application_that_is_behind_is_said_to_be() -> None:
    for seconds, said in ((60, False), (600, True)):
        behind = ReadProgress(read_until=NINE, behind=timedelta(seconds=seconds))
        text = tables.freshness_text(replace(ANSWER["freshness"], progress=behind), UTC)
        assert ("the application is 10 min behind" in text) == said
