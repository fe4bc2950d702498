"""The command line, from the answer on."""

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from unittest import mock

import pytest

from clients.batch_server import (
    Freshness,
    ReadProgress,
    TopArticles,
    TopList,
    TrendsError,
)
from clients.command_line import output
from tests.clients.command_line.conftest import (
    ANSWER,
    FEMALE,
    FRESHNESS,
    MINUTE,
    NINE,
    QUESTIONS,
    every_question,
    run,
)
from tests.conftest import PROJECT


@every_question
@pytest.mark.usefixtures("reader")
def test_json_holds_the_rows_the_time_in_utc_and_the_freshness(name: str) -> None:
    options, rows = QUESTIONS[name]
    code, out, _ = run(name, "--last", "10m", *options, "--json", "--time-zone", "Asia/Tokyo")
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
    code, out, err = run(name, "--last", "10m", *options, "--csv")
    assert code == 0
    text = [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]
    assert list(csv.DictReader(io.StringIO(out, newline=""))) == text
    assert "Counted until 2026-01-31 09:10:26 UTC (4 s ago)" in err


@every_question
@pytest.mark.usefixtures("reader")
def test_a_table_shows_ids_as_plain_text_its_time_zone_and_the_freshness(name: str) -> None:
    options, _ = QUESTIONS[name]
    code, out, _ = run(name, "--last", "10m", *options, "--time-zone", "Asia/Tokyo")
    assert code == 0
    assert "2026-01-31 18:00 to 18:11 JST" in out
    assert "[bold]a[/bold]\N{REPLACEMENT CHARACTER}[2J" in out
    assert "\x1b[2J" not in out
    assert "Counted until 2026-01-31 18:10:26 JST (4 s ago)" in out
    assert "complete until 2026-01-31 18:05 JST but for late clicks" in " ".join(out.split())


def test_the_freshness_is_a_row_of_csv(reader: mock.Mock) -> None:
    assert reader.freshness.return_value is FRESHNESS
    [row] = csv.DictReader(io.StringIO(run("freshness", "--csv")[1]))
    assert (row["age_seconds"], row["not_known"]) == ("4.0", "")


def test_the_freshness_alone_is_a_sentence_or_json(reader: mock.Mock) -> None:
    assert run("freshness")[1].startswith("Counted until 2026-01-31 09:10:26 UTC (4 s ago)")
    assert json.loads(run("freshness", "--json")[1])["age_seconds"] == 4.0
    reader.freshness.return_value = replace(FRESHNESS, asked_at=NINE + 10 * MINUTE)
    assert "(26 s ahead of this machine's clock)" in run("freshness")[1]
    reader.freshness.side_effect = TrendsError("away")
    assert run("freshness")[::2] == (1, "click-trends: away\n")


def test_a_terminal_gets_no_control_characters_from_csv_or_json(reader: mock.Mock) -> None:
    with mock.patch.object(output, "sys", stdout=mock.Mock()) as system:
        for form in ("--csv", "--json"):
            run("top", "--last", "10m", form)
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
    _, out, _ = run("top", "--last", "10m")
    assert "nothing to list" in out
    assert "No count of any reader since 2026-01-31 08:45:00 UTC; nothing is complete yet." in out


def test_a_cut_list_says_so(reader: mock.Mock) -> None:
    for name in ("top", "heat-map"):
        options, _ = QUESTIONS[name]
        asked = (name, "--last", "10m", *options)
        told = "1,237 of 2,000 clicks are listed; more articles qualify."
        assert told in run(*asked)[1]
        assert told in run(*asked, "--csv")[2]
        assert json.loads(run(*asked, "--json")[1])["cut"] is True
    for name in ("compare", "rising"):
        options, _ = QUESTIONS[name]
        asked = (name, "--last", "10m", *options)
        assert "listed" not in run(*asked)[1]
        ask = getattr(reader, name)
        ask.return_value = replace(ask.return_value, found=9)
        _, out, _ = run(*asked)
        assert re.search(
            r"9 significant.* \(all with 10 clicks or more\); [12] of them are listed\.",
            out,
        )


def test_an_error_is_one_sentence_on_standard_error_and_a_failing_exit_code(connect: mock.Mock) -> None:
    connect.side_effect = TrendsError("OpenSearch at [x] cannot be reached: check it")
    code, out, err = run("top", "--last", "1d")
    assert (code, out) == (1, "")
    assert err == "click-trends: OpenSearch at [x] cannot be reached: check it\n"


@every_question
@pytest.mark.usefixtures("reader")
def test_a_terminal_of_eighty_columns_shows_the_heading_of_each_column_whole(name: str) -> None:
    options, _ = QUESTIONS[name]
    _, out, _ = run(name, "--last", "10m", *options, COLUMNS="80")
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
