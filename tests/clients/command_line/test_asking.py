"""The command line, up to the question."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

from clients.batch_server import (
    EACH_COMBINATION,
    EACH_VALUE,
    Segment,
    TopArticles,
    TopList,
    TrendsError,
)
from clients.batch_server.errors import QuestionError
from contract.count import SEGMENT_COLUMNS
from tests.clients.command_line.conftest import (
    ANSWER,
    ENDPOINT,
    FEMALE,
    HOSTILE,
    MINUTE,
    QUESTIONS,
    every_question,
    run,
)


def test_the_options_of_a_segment_are_the_columns_of_the_contract(
    connect: mock.Mock, reader: mock.Mock
) -> None:
    role = "arn:aws:iam::000000000000:role/batch-server"
    options = [
        text for column in SEGMENT_COLUMNS for text in (f"--{column.replace('_', '-')}", f"a {column}")
    ]
    environment = {"CLICK_TRENDS_ROLE_ARN": role, "CLICK_TRENDS_ENVIRONMENT": "production"}
    code, _, err = run("top", "--last", "10m", *options, "--limit", "5", **environment)
    assert (code, err) == (0, "")
    connect.assert_called_once_with(ENDPOINT, role_arn=role, region="us-west-2", environment="production")
    segment = Segment(**{column: f"a {column}" for column in SEGMENT_COLUMNS})
    reader.top.assert_called_once_with(timedelta(minutes=10), segment, 5, min_clicks=1, until=None)


@pytest.mark.parametrize("name", ["top", "trend", "heat-map", "compare", "rising"])
def test_a_segment_is_given_by_columns_or_by_parts(reader: mock.Mock, name: str) -> None:
    asked = {
        json.dumps([str(call) for call in getattr(reader, name.replace("-", "_")).call_args_list])
        for options in (
            ("--age-band", "20s", "--gender", "female"),
            ("--segment", "age_band=20s", "--segment", "gender=female"),
            ("--gender", "female", "--segment", "age_band=20s"),
        )
        if not getattr(reader, name.replace("-", "_")).reset_mock() and run(name, *options)[0] == 0
    }
    assert len(asked) == 1
    assert "20s" in asked.pop()


def test_a_value_that_no_count_has_is_wrong_usage(reader: mock.Mock) -> None:
    nothing = TopList(articles=(), clicks=0, cut=False)
    reader.top.return_value = TopArticles(segment=FEMALE, top=nothing, **ANSWER)
    assert run("top")[0] == 0
    reader.check_values.assert_not_called()  # nothing can be wrong with all readers
    assert json.loads(run("top", "--gender", "femal", "--json")[1])["searches"] == 2
    reader.check_values.assert_called_once_with(Segment(gender="femal"))
    reader.check_values.side_effect = TrendsError("away")
    assert json.loads(run("top", "--gender", "femal", "--json")[1])["searches"] == 1
    reader.check_values.side_effect = QuestionError("no reader is femal: there are female")
    assert run("top", "--gender", "femal") == (
        2, "", "click-trends: no reader is femal: there are female\n",
    )  # fmt: skip


def test_a_segment_with_clicks_costs_no_search_more(reader: mock.Mock) -> None:
    for name in QUESTIONS:
        assert run(name, "--gender", "female")[0] == 0
    reader.check_values.assert_not_called()


@every_question
@pytest.mark.usefixtures("reader")
def test_titles_stand_for_ids_in_tables_and_beside_them_for_programs(name: str, tmp_path: Path) -> None:
    options, rows = QUESTIONS[name]
    file = tmp_path / "titles.csv"
    file.write_text(f'article_id,title\n"{HOSTILE.replace(chr(34), chr(34) * 2)}",The \x1b title\n')
    asked = (name, *options, "--titles", str(file))
    shown = run(*asked)[1]
    assert "The \N{REPLACEMENT CHARACTER} title" in shown
    assert "[bold]" not in shown
    titles = {HOSTILE: "The \x1b title"}
    expected = [row | {"title": titles.get(str(row["article_id"]))} for row in rows]
    assert json.loads(run(*asked, "--json")[1])["rows"] == expected
    first = next(csv.DictReader(io.StringIO(run(*asked, "--csv")[1], newline="")))
    assert [*first][[*first].index("article_id") + 1] == "title"


def test_a_heat_map_is_by_the_first_column_and_every_time_is_ten_minutes(reader: mock.Mock) -> None:
    run("heat-map")
    ten = timedelta(minutes=10)
    reader.heat_map.assert_called_once_with(ten, SEGMENT_COLUMNS[:1], 20, segment=Segment(), until=None)


def test_the_end_of_the_time_asked_for_has_a_zone(reader: mock.Mock) -> None:
    code, _, _ = run("top", "--last", "10m", "--until", "2026-01-31T18:15+09:00")
    assert code == 0
    assert reader.top.call_args.kwargs["until"] == datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "time_zone", "end"),
    [
        ("2026-02-01", "Asia/Tokyo", "2026-01-31T15:00Z"),
        ("2026-01-31T18:15", "Asia/Tokyo", "2026-01-31T09:15Z"),
        ("2026-02-01", "UTC", "2026-02-01T00:00Z"),
        ("2026-01-31T18:15+09:00", "America/New_York", "2026-01-31T09:15Z"),
    ],
)
def test_an_end_without_a_zone_is_of_the_time_zone(
    reader: mock.Mock, until: str, time_zone: str, end: str
) -> None:
    asked = ("top", "--last", "1d", "--until", until)
    for ended in (run(*asked, "--time-zone", time_zone), run(*asked, CLICK_TRENDS_TIME_ZONE=time_zone)):
        assert ended[::2] == (0, "")
        assert reader.top.call_args.kwargs["until"] == datetime.fromisoformat(end)


def test_lists_of_many_segments_are_one_question(reader: mock.Mock) -> None:
    code, out, _ = run("top", "--last", "10m", "--by", "region,gender", "--by", "age_band", "--csv")
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
    run("top", "--last", "10m", "--all-segments")
    assert reader.top_of_segments.call_args.args[1] == [*EACH_VALUE, *EACH_COMBINATION]


def test_the_options_of_each_question_reach_the_reader(reader: mock.Mock) -> None:
    hour = timedelta(hours=1)
    run(
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
    run("heat-map", "--last", "1h", "--by", "age_band", "--limit", "7")
    reader.heat_map.assert_called_once_with(hour, ("age_band",), 7, segment=Segment(), until=None)
    run("compare", "--last", "1h", "--gender", "female", "--limit", "3", "--min-clicks", "5")
    reader.compare.assert_called_once_with(hour, FEMALE, 3, min_clicks=5, until=None)
    run("rising", "--last", "1h", "--before", "2h", "--limit", "3")
    reader.rising.assert_called_once_with(hour, 2 * hour, Segment(), 3, min_clicks=10, until=None)
