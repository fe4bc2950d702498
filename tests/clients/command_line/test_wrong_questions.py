"""Questions that no one can answer as they are asked: exit code 2, before OpenSearch is asked."""

from unittest import mock

import pytest
from typer.testing import CliRunner

from clients.command_line import command

ENVIRONMENT = {
    "CLICK_TRENDS_ENDPOINT": "https://search-domain.example",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "--last", "1h"),
        ("trend", "--last", "1h", "--step", "7m"),
        ("trend", "--last", "366d", "--step", "1m"),
        ("top", "--last", "1h", "--until", "0099-01-01T00:00Z"),
        ("top", "--last", "1h", "--endpoint", "no-address"),
    ],
)
def test_a_question_that_no_one_can_answer_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(command.app, arguments, env=ENVIRONMENT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("click-trends: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("top", "--last", "ten minutes"), "10m"),
        (("top", "--last", "1h", "--by", "shoe_size"), "age_band"),
        (("top", "--last", "1h", "--time-zone", "Tokyo"), "Asia/Tokyo"),
        (("top", "--last", "1h", "--time-zone", "../../etc/passwd"), "Asia/Tokyo"),
        (("top", "--last", "1h", "--limit", "0"), "--limit"),
        (("top", "--last", "1h", "--json", "--csv"), "choose one"),
        (("heat-map", "--last", "1h"), "--by"),
        (("top", "--last", "1h", "--age-band", ""), "'--age-band': is empty"),
        (("trend", "--last", "1h", "--article", ""), "'--article': is empty"),
    ],
)
def test_wrong_usage_is_told_with_what_to_write(arguments: tuple[str, ...], told: str) -> None:
    with mock.patch.object(command, "connect") as connect:
        result = CliRunner().invoke(command.app, arguments, env=ENVIRONMENT)
    assert result.exit_code == 2
    assert told in result.stderr
    connect.assert_not_called()
