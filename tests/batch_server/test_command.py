"""The command line, up to the request and from the answer on."""

import json
from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
from typer.testing import CliRunner

from batch_server import Segment, TrendingArticle, TrendsError
from batch_server.command import app
from batch_server.duration import parse_duration

ENDPOINT = "https://search-domain.example"


@pytest.fixture
def connect() -> Iterator[mock.Mock]:
    with mock.patch("batch_server.command.connect", autospec=True) as connect:
        yield connect


def _run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments, env=environment)
    return result.exit_code, result.stdout, result.stderr


def test_the_options_become_the_question(connect: mock.Mock) -> None:
    connect.return_value.top.return_value = []
    role = "arn:aws:iam::000000000000:role/batch-server"
    options = ("--gender", "female", "--age-band", "20s", "--region", "tokyo", "--limit", "5")
    environment = {"CLICK_TRENDS_ENDPOINT": ENDPOINT, "CLICK_TRENDS_ROLE_ARN": role}
    code, out, _ = _run("top", "--last", "10m", *options, **environment)
    assert code == 0
    assert "no clicks counted" in out
    connect.assert_called_once_with(ENDPOINT, role_arn=role, region="us-west-2")
    segment = Segment(gender="female", age_band="20s", region="tokyo")
    connect.return_value.top.assert_called_once_with(timedelta(minutes=10), segment, 5)


def test_json_holds_the_articles_and_what_was_asked(connect: mock.Mock) -> None:
    connect.return_value.top.return_value = [TrendingArticle("記事-1", 12), TrendingArticle("b", 3)]
    code, out, _ = _run("top", "--last", "2h", "--region", "osaka", "--endpoint", ENDPOINT, "--json")
    assert code == 0
    assert json.loads(out) == {
        "last_seconds": 7200,
        "segment": {"region": "osaka"},
        "articles": [{"article_id": "記事-1", "clicks": 12}, {"article_id": "b", "clicks": 3}],
    }


def test_a_table_lists_the_articles_in_order_and_their_ids_as_plain_text(connect: mock.Mock) -> None:
    connect.return_value.top.return_value = [
        TrendingArticle("[bold]a[/bold]", 1234),
        TrendingArticle("\x1b[2Jb", 3),
    ]
    code, out, _ = _run("top", "--last", "1d", "--endpoint", ENDPOINT)
    assert code == 0
    assert out.index("[bold]a[/bold]") < out.index("1,234") < out.index("\N{REPLACEMENT CHARACTER}[2Jb")
    assert "\x1b[2J" not in out


def test_an_error_is_one_sentence_on_standard_error_and_a_failing_exit_code(connect: mock.Mock) -> None:
    connect.side_effect = TrendsError("OpenSearch at [x] cannot be reached: check it")
    code, out, err = _run("top", "--last", "1d", "--endpoint", ENDPOINT)
    assert (code, out) == (1, "")
    assert err == "batch_server: OpenSearch at [x] cannot be reached: check it\n"


def test_a_duration_in_another_form_is_a_usage_error(connect: mock.Mock) -> None:
    code, _, err = _run("top", "--last", "ten minutes", "--endpoint", ENDPOINT)
    assert code == 2
    assert "10m" in err
    connect.assert_not_called()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400), (" 5m ", 300), ("366d", 366 * 86_400)],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "m",
        "0m",
        "-5m",
        "1.5h",
        "10 m",
        "5w",
        "\N{ARABIC-INDIC DIGIT FIVE}m",
        "9999999d",
        "1" * 5000 + "s",
    ],
)
def test_a_bad_duration_is_answered_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write .*d"):
        parse_duration(text)
