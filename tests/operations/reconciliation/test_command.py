"""`click-trends reconcile`, beside AWS."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clients.command_line.command import app
from lambdas.reconciliation.final import UP_TO_DATE, Reading
from operations.operator import RefusedError
from operations.reconciliation.reconciling import checked
from operations.reconciliation.report import as_json, as_text, needs_action
from settings import load
from tests.lambdas.reconciliation.world import MINUTE, NOON, World, click, record

SETTINGS = load("production")
ENVIRONMENT = ["--environment", "production", "--endpoint", "https://search.example"]
TO = ["--to", "2026-01-31T13:00Z"]


def given(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["reconcile", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "yesterday", *TO, *ENVIRONMENT], "is no time with a zone"),
        (["--from", "2026-01-31T12:00", *TO, *ENVIRONMENT], "is no time with a zone"),
        (["--from", "2026-01-31T13:00Z", *TO, *ENVIRONMENT], "must be later than"),
        (["--from", "2020-01-31T12:00Z", *TO, *ENVIRONMENT], "is too early"),
        (["--from", "2026-01-31T12:00Z", *TO, "--environment", "nowhere", *ENVIRONMENT[2:]], "nowhere"),
    ],
)
def test_a_wrong_time_or_environment_is_refused_in_a_sentence(arguments: Sequence[str], said: str) -> None:
    result = given(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())
    assert "Traceback" not in result.output


def test_a_time_is_widened_to_whole_minutes_and_not_of_the_future() -> None:
    now = NOON + timedelta(days=1)
    seconds = timedelta(seconds=20)
    asked = checked(NOON + seconds, NOON + MINUTE + seconds, SETTINGS, now=now)
    assert asked == (NOON, NOON + 2 * MINUTE)
    with pytest.raises(RefusedError, match="in the future"):
        checked(now + MINUTE, now + 2 * MINUTE, SETTINGS, now=now)


def world_with_a_loss() -> World:
    world = World()
    world.send(
        *(record(click(number, NOON + number % 3 * MINUTE)) for number in range(30)), at=NOON + 3 * MINUTE
    )
    world.send(b"no json", at=NOON + 3 * MINUTE)
    world.lost.add((4, 0))
    world.back_up(an_object=40)
    world.analyse()
    return world


def test_the_text_gives_numbers_the_minutes_that_differ_and_where_to_look() -> None:
    found = world_with_a_loss().reconcile()
    assert needs_action([found]) == 1
    text = as_text([found])
    assert "received                    31" in text
    assert "counted                     29" in text
    assert "2026-01-31T12:01Z to 2026-01-31T12:02Z: 1 missing: neither counted nor rejected" in text
    assert "    raw/2026/01/31/12/000001.json.gz" in text
    assert "Provisional" not in text
    early = world_with_a_loss().reconcile(now=NOON + timedelta(hours=3))
    assert needs_action([early]) == 0
    assert "Provisional from 2026-01-31T12:00Z on" in as_text([early])


def test_the_json_has_each_minute_and_each_difference() -> None:
    found = json.loads(json.dumps(as_json([world_with_a_loss().reconcile()])))
    assert found["unexplained"] == 1
    assert [minute["counted"] for minute in found["minutes"]] == [10, 9, 10]
    [difference] = found["differences"]
    assert (difference["clicks"], difference["explained"], difference["final"]) == (-1, False, True)


@pytest.mark.parametrize(
    ("reading", "code", "said"),
    [
        (UP_TO_DATE, 1, "1 clicks of final minutes are not explained"),
        (Reading(behind=timedelta(days=9)), 0, "the application is behind"),
        (Reading(behind=None, problem="it does not run"), 1, "not read yet is unknown: it does not run"),
    ],
)
def test_a_loss_ends_the_command_with_1_unless_its_clicks_are_not_read_yet(
    monkeypatch: pytest.MonkeyPatch, reading: Reading, code: int, said: str
) -> None:
    found = world_with_a_loss().reconcile(reading=reading)
    operator: Any = SimpleNamespace(settings=SETTINGS)
    monkeypatch.setattr("operations.reconciliation.command.operator", lambda *_: operator)
    monkeypatch.setattr("operations.reconciliation.reconciling.reconciled", lambda *_, **__: iter([found]))
    since = datetime.now(UTC) - timedelta(days=2)
    span = ["--from", since.isoformat(), "--to", (since + MINUTE).isoformat()]
    result = given(*span, *ENVIRONMENT)
    assert result.exit_code == code
    assert said in result.output
