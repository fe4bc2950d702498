"""The command that shows what web servers see."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from clients.command_line.command import app
from names import TOKYO
from tests.lambdas.feedback.conftest import FEMALE, Service, counted


def ask(service: Service, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["served", "--table", service.name, *options], terminal_width=120)
    return result.exit_code, result.output


@pytest.mark.usefixtures("as_root")
def test_it_shows_a_segments_ranking_and_age(service: Service) -> None:
    service.run(counted({FEMALE: {"記事-1": 9, "[bold]\x1b[2J": 5}}, datetime.now(UTC)))
    code, text = ask(service, "--segment", "gender=female", "--time-zone", "Asia/Tokyo")
    assert code == 0
    assert "Served to female" in text
    assert "記事-1" in text
    assert "[bold]" in text
    assert "\x1b[2J" not in text
    assert "Fresh until" in text
    assert re.search(r"complete until [\d: -]+ JST but for late clicks", " ".join(text.split()))
    assert re.search(r"JST \(\d+ s ago\)", text)


@pytest.mark.usefixtures("as_root")
def test_a_ranking_no_longer_written_is_called_out_of_date(service: Service) -> None:
    service.run(counted({FEMALE: {"a": 9}}, datetime.now(UTC) - timedelta(minutes=9)))
    assert "OUT OF DATE since" in ask(service, "--segment", "gender=female")[1]
    _, text = ask(service, "--segment", "gender=female", "--json")
    found = json.loads(text)
    assert (found["fresh"], found["articles"], found["segment"]) == (False, ["a"], {"gender": "female"})
    assert 540 <= found["age_seconds"] < 700


@pytest.mark.usefixtures("as_root")
def test_a_segment_without_a_ranking_is_no_error(service: Service) -> None:
    code, text = ask(service)
    told = " ".join(text.split())
    assert code == 0
    assert "no ranking of all readers. In the first six minutes after the first clicks it has none" in told
    assert "If it still has none, nothing is counted (`click-trends freshness` tells), or" in told
    _, text = ask(service, "--segment", "gender=female")
    assert "(the service then shows what all readers click), or nothing is counted" in " ".join(text.split())
    assert json.loads(ask(service, "--json")[1])["served"] is False


@pytest.mark.usefixtures("as_root")
def test_a_missing_table_is_an_error_with_advice(service: Service) -> None:
    result = CliRunner().invoke(app, ["served", "--table", "no-such-table"])
    assert result.exit_code == 1
    assert f"the table no-such-table in {TOKYO} cannot be read" in result.output
    assert service


@pytest.mark.usefixtures("as_root")
def test_an_item_that_is_no_ranking_is_an_error_with_two_remedies(service: Service) -> None:
    service.client.put_item(TableName=service.name, Item={"segment": {"S": "gender=female"}})
    code, text = ask(service, "--segment", "gender=female")
    assert code == 1
    told = " ".join(text.split())
    assert "the item 'gender=female' is no ranking" in told
    assert "replaces it when the segment is clicked; else delete it" in told


@pytest.mark.parametrize("part", ["sex=female", "gender", "gender=", "=female", ""])
def test_an_unknown_column_or_value_is_wrong_usage(part: str) -> None:
    result = CliRunner().invoke(app, ["served", "--table", "t", "--segment", part])
    assert result.exit_code == 2
