"""The command line, up to the question and from the answer on."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from clients.batch_server import (
    EACH_COMBINATION,
    EACH_VALUE,
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
    TrendsError,
)
from clients.command_line import command
from clients.command_line.command import app
from contract.count import SEGMENT_COLUMNS
from tests.conftest import PROJECT

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


def _run(*arguments: str, **environment: str) -> tuple[int, str, str]:
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


@every_question
@pytest.mark.usefixtures("reader")
def test_json_holds_the_rows_the_time_in_utc_and_the_freshness(name: str) -> None:
    options, rows = QUESTIONS[name]
    code, out, _ = _run(name, "--last", "10m", *options, "--json", "--time-zone", "Asia/Tokyo")
    assert code == 0
    answer = json.loads(out)
    assert answer["rows"] == rows
    assert (answer["since"], answer["until"]) == ("2026-01-31T09:00:00.000Z", "2026-01-31T09:11:00.000Z")
    assert answer["freshness"] == {
        "asked_at": "2026-01-31T09:10:30.000Z",
        "newest_minute": "2026-01-31T09:10:00.000Z",
        "newest_published_at": "2026-01-31T09:10:26.000Z",
        "age_seconds": 4.0,
        "complete_until": "2026-01-31T09:05:00.000Z",
        "read_until": "2026-01-31T09:05:35.000Z",
        "behind_seconds": 120.0,
        "not_known": None,
    }


@every_question
@pytest.mark.usefixtures("reader")
def test_csv_holds_the_same_rows_and_the_freshness_goes_to_standard_error(name: str) -> None:
    options, rows = QUESTIONS[name]
    code, out, err = _run(name, "--last", "10m", *options, "--csv")
    assert code == 0
    text = [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]
    assert list(csv.DictReader(io.StringIO(out, newline=""))) == text
    assert "Counted until 2026-01-31 09:10:26 UTC (4 s ago)" in err


@every_question
@pytest.mark.usefixtures("reader")
def test_a_table_shows_ids_as_plain_text_its_time_zone_and_the_freshness(name: str) -> None:
    options, _ = QUESTIONS[name]
    code, out, _ = _run(name, "--last", "10m", *options, "--time-zone", "Asia/Tokyo")
    assert code == 0
    assert "2026-01-31 18:00 to 18:11 JST" in out
    assert "[bold]a[/bold]\N{REPLACEMENT CHARACTER}[2J" in out
    assert "\x1b[2J" not in out
    assert "Counted until 2026-01-31 18:10:26 JST (4 s ago)" in out
    assert "complete until 2026-01-31 18:05 JST but for late clicks" in " ".join(out.split())


def test_the_options_of_a_segment_are_the_columns_of_the_contract(
    connect: mock.Mock, reader: mock.Mock
) -> None:
    role = "arn:aws:iam::000000000000:role/batch-server"
    options = [
        text for column in SEGMENT_COLUMNS for text in (f"--{column.replace('_', '-')}", f"a {column}")
    ]
    environment = {"CLICK_TRENDS_ROLE_ARN": role, "CLICK_TRENDS_ENVIRONMENT": "production"}
    code, _, err = _run("top", "--last", "10m", *options, "--limit", "5", **environment)
    assert (code, err) == (0, "")
    connect.assert_called_once_with(ENDPOINT, role_arn=role, region="us-west-2", environment="production")
    segment = Segment(**{column: f"a {column}" for column in SEGMENT_COLUMNS})
    reader.top.assert_called_once_with(timedelta(minutes=10), segment, 5, min_clicks=1, until=None)


def test_the_end_of_the_time_asked_for_has_a_zone(reader: mock.Mock) -> None:
    code, _, _ = _run("top", "--last", "10m", "--until", "2026-01-31T18:15+09:00")
    assert code == 0
    assert reader.top.call_args.kwargs["until"] == datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
    code, _, err = _run("top", "--last", "10m", "--until", "2026-01-31T18:15")
    assert code == 2
    assert "+09:00" in err


def test_lists_of_many_segments_are_one_question(reader: mock.Mock) -> None:
    code, out, _ = _run("top", "--last", "10m", "--by", "region,gender", "--by", "age_band", "--csv")
    assert code == 0
    assert reader.top_of_segments.call_args.args == (
        timedelta(minutes=10),
        [("region", "gender"), ("age_band",)],
        20,
    )
    first = next(csv.DictReader(io.StringIO(out)))
    assert first == {**dict.fromkeys(SEGMENT_COLUMNS, ""), "gender": "female"} | {
        "place": "1",
        "article_id": "記事-1",
        "clicks": "1234",
    }
    _run("top", "--last", "10m", "--all-segments")
    assert reader.top_of_segments.call_args.args[1] == [*EACH_VALUE, *EACH_COMBINATION]


def test_the_options_of_each_question_reach_the_reader(reader: mock.Mock) -> None:
    hour = timedelta(hours=1)
    _run(
        "trend",
        "--last",
        "1h",
        "--article",
        "a",
        "--article",
        "b",
        "--by",
        "region",
        "--step",
        "5m",
        "--time-zone",
        "Asia/Tokyo",
    )
    asked = {"articles": ["a", "b"], "by": ("region",), "segment": Segment(), "until": None}
    reader.trend.assert_called_once_with(hour, **asked, step=5 * MINUTE, time_zone=ZoneInfo("Asia/Tokyo"))
    _run("heat-map", "--last", "1h", "--by", "age_band", "--limit", "7")
    reader.heat_map.assert_called_once_with(hour, ("age_band",), 7, segment=Segment(), until=None)
    _run("compare", "--last", "1h", "--gender", "female", "--limit", "3", "--min-clicks", "5")
    reader.compare.assert_called_once_with(hour, FEMALE, 3, min_clicks=5, until=None)
    _run("rising", "--last", "1h", "--before", "2h", "--limit", "3")
    reader.rising.assert_called_once_with(hour, 2 * hour, Segment(), 3, min_clicks=10, until=None)


def test_the_freshness_alone_is_a_sentence_or_json(reader: mock.Mock) -> None:
    assert _run("freshness")[1].startswith("Counted until 2026-01-31 09:10:26 UTC (4 s ago)")
    assert json.loads(_run("freshness", "--json")[1])["age_seconds"] == 4.0
    reader.freshness.return_value = replace(FRESHNESS, asked_at=NINE + 10 * MINUTE)
    assert "(26 s ahead of this machine's clock)" in _run("freshness")[1]
    reader.freshness.side_effect = TrendsError("away")
    assert _run("freshness")[::2] == (1, "click-trends: away\n")


def test_a_terminal_gets_no_control_characters_from_csv_or_json(reader: mock.Mock) -> None:
    with mock.patch.object(command, "sys", stdout=mock.Mock()) as system:
        for form in ("--csv", "--json"):
            _run("top", "--last", "10m", form)
            written = system.stdout.write.call_args.args[0]
            assert "[bold]a[/bold]" in written
            assert "\x1b" not in written
            assert "\n" in written
    assert reader.top.call_count == 2


def test_nothing_counted_is_said_in_words(reader: mock.Mock) -> None:
    nothing = Freshness(
        asked_at=NINE,
        since=NINE - 15 * MINUTE,
        newest_minute=None,
        newest_published_at=None,
        delivered_until=None,
        progress=ReadProgress(read_until=NINE),
    )
    reader.top.return_value = TopArticles(
        segment=FEMALE,
        top=TopList(articles=(), clicks=0, cut=False),
        **{**ANSWER, "freshness": nothing},
    )
    _, out, _ = _run("top", "--last", "10m")
    assert "nothing to list" in out
    assert "No count of any reader since 2026-01-31 08:45:00 UTC; nothing is complete yet." in out


def test_a_cut_list_says_so(reader: mock.Mock) -> None:
    for name in ("top", "heat-map"):
        options, _ = QUESTIONS[name]
        asked = (name, "--last", "10m", *options)
        told = "1,237 of 2,000 clicks are listed; more articles qualify."
        assert told in _run(*asked)[1]
        assert told in _run(*asked, "--csv")[2]
        assert json.loads(_run(*asked, "--json")[1])["cut"] is True
    for name in ("compare", "rising"):
        options, _ = QUESTIONS[name]
        asked = (name, "--last", "10m", *options)
        assert "listed" not in _run(*asked)[1]
        ask = getattr(reader, name)
        ask.return_value = replace(ask.return_value, found=9)
        _, out, _ = _run(*asked)
        assert re.search(r"9 sure.* \(all with 10 clicks or more\); [12] of them are listed\.", out)


def test_an_error_is_one_sentence_on_standard_error_and_a_failing_exit_code(connect: mock.Mock) -> None:
    connect.side_effect = TrendsError("OpenSearch at [x] cannot be reached: check it")
    code, out, err = _run("top", "--last", "1d")
    assert (code, out) == (1, "")
    assert err == "click-trends: OpenSearch at [x] cannot be reached: check it\n"


@every_question
@pytest.mark.usefixtures("reader")
def test_a_terminal_of_eighty_columns_shows_the_heading_of_each_column_whole(name: str) -> None:
    options, _ = QUESTIONS[name]
    _, out, _ = _run(name, "--last", "10m", *options, COLUMNS="80")
    heads = [line for line in out.splitlines() if line.startswith("┃")]
    assert len(heads) == 1


def test_the_library_needs_nothing_that_only_the_command_line_needs() -> None:
    """So that a Lambda function can use it with little more than opensearch-py and boto3."""
    loaded = "import sys, clients.batch_server; print(*{name.split('.')[0] for name in sys.modules})"
    found = subprocess.run(
        [sys.executable, "-c", loaded], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    heavy = {"typer", "rich", "pydantic", "numpy", "pandas", "aws_cdk", "settings", "grpc"}
    assert not heavy & set(found.stdout.split())
