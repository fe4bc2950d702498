"""Tables for people, where they are wider than the terminal."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.batch_server import Freshness, HeatMap, Minutes, Segment, Series, Trend, TrendingArticle
from clients.command_line import answer_tables, tables
from clients.command_line.output import show

NINE = datetime(2026, 1, 31, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANSWER: dict[str, Any] = {
    "minutes": Minutes(NINE, NINE + 60 * MINUTE),
    "freshness": Freshness(
        asked_at=NINE, since=NINE, newest_minute=None, newest_published_at=None, delivered_until=None
    ),
    "searches": 1,
}
NUMBERS = tuple(range(10_000, 10_060))
WIDE = HeatMap(
    articles=(TrendingArticle("article-1", sum(NUMBERS)),),
    cut=False,
    segments=tuple(Segment(region=f"region-{number}") for number in NUMBERS),
    segment_clicks=NUMBERS,
    cells=(NUMBERS,),
    **ANSWER,
)


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_one_that_goes_into_a_file_is_as_wide_as_it_needs_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    show(tables.for_people(answer_tables.heat_map(WIDE, Segment()), UTC))
    out, err = capsys.readouterr()
    [row] = [line for line in out.splitlines() if "article-1" in line]
    assert [f"{number:,}" in row for number in NUMBERS] == [True] * len(NUMBERS)
    assert err == ""


def test_a_terminal_that_is_too_narrow_is_told_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal
    show(tables.for_people(answer_tables.heat_map(WIDE, Segment()), UTC))
    assert re.search(
        r"needs \d{3,} characters in a line and this terminal has 80.*--json", capsys.readouterr().err
    )


def test_the_bars_of_a_series_stay_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    clicks = tuple(range(60))
    series = Series(article_id="a" * 60, segment=Segment(), clicks=clicks)
    starts = tuple(NINE + number * MINUTE for number in clicks)
    trend = Trend(step=MINUTE, starts=starts, series=(series,), **ANSWER)
    show(tables.for_people(answer_tables.trend(trend, Segment()), UTC))
    [bars] = [line for line in capsys.readouterr().out.splitlines() if "▁" in line]
    assert bars.count("█") == 8
