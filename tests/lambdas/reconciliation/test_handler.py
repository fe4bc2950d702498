"""The function: which hours it reconciles, what it publishes, and that a failure is told."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clients.batch_server.errors import TrendsError
from lambdas.reconciliation import handler as module
from lambdas.reconciliation.cells import Cell
from lambdas.reconciliation.configuration import ReconciliationConfiguration
from lambdas.reconciliation.differences import MISSING
from lambdas.reconciliation.final import COUNTS_WAIT, NOT_KNOWN, NOT_READ, UP_TO_DATE, Reading
from lambdas.reconciliation.handler import ReconciliationError
from lambdas.reconciliation.told_hours import HOUR, MAX_OPEN, ToldHours, open_hours
from tests.conftest import PROJECT
from tests.lambdas.reconciliation.test_final import failed
from tests.lambdas.reconciliation.world import DELAYS, MINUTE, NOON, World, click, key_of, record

WHEN_FINAL = NOON + HOUR + DELAYS.until_final
CLICKS = 120
EVENT = {"time": WHEN_FINAL.isoformat()}
UNKNOWN = Reading(behind=None, problem="it does not run")


class Lambda:
    """The function, its log, and the time that an invocation has left."""

    def __init__(self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
        self.reading = UP_TO_DATE
        self.refused = False
        self.now = WHEN_FINAL + 100 * HOUR
        self.lasts_ms = 0
        self.left_ms = 900_000
        self.log: list[dict[str, Any]] = []
        self._capsys, self._caplog = capsys, caplog

    def get_remaining_time_in_millis(self) -> int:
        self.left_ms -= self.lasts_ms
        return self.left_ms

    def get_paginator(self, name: str) -> "Lambda":
        if self.refused:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "FilterLogEvents")
        assert name == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        assert asked["logGroupName"] == "/aws/lambda/reconciliation"
        others = ("START RequestId", "[1]", '{"hour": 1}', '{"hour": "2026-01-31", "is_final": true}')
        yield {"events": [{"message": other, "timestamp": 0} for other in others]}
        at = round(self.now.timestamp() * 1000)
        yield {"events": [{"message": json.dumps(line), "timestamp": at} for line in self.log]}

    def client(self, *_: object, **__: object) -> "Lambda":
        return self

    def invoke(self, event: dict[str, Any] = EVENT) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """The metrics by name, and the lines about hours."""
        self._caplog.clear()
        self._capsys.readouterr()
        try:
            module.handler(event, self)
        finally:
            hours = [line.__dict__ for line in self._caplog.records if "hour" in line.__dict__]
            names = ("hour", "is_final", "pending", "differences", "problem")
            told = [{name: line.get(name) for name in names} | {"message": line["msg"]} for line in hours]
            self.log += told
        written = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        metrics: dict[str, float] = {}
        for line in (line for line in written if "_aws" in line):
            for one in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                metrics[one["Name"]] = metrics.get(one["Name"], 0) + line[one["Name"]][0]
        return metrics, told


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    for number in range(CLICKS):
        at = NOON + number % 60 * MINUTE
        world.send(record(click(number, at, f"article-{number % 7}")), at=at)
    world.send(record(click("no-article", NOON, article=None)), b'{"cut', at=NOON)
    configuration = ReconciliationConfiguration(
        environment="production",
        raw_bucket="raw",
        rejected_bucket="rejected",
        dead_letter_bucket="dead-letters",
        dead_letter_region="ap-northeast-1",
        search_endpoint="https://example.com",
        sink="counts",
        index="click-counts.undated",
        delays=DELAYS,
        region="us-west-2",
        log_group="/aws/lambda/reconciliation",
    )
    monkeypatch.setattr(module, "_configuration", lambda: configuration)
    monkeypatch.setattr(module, "_buckets", lambda *_: world.buckets)
    monkeypatch.setattr(module, "_counts", lambda *_: world.counts)
    return world


@pytest.fixture
def function(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Lambda:
    function = Lambda(capsys, caplog)
    monkeypatch.setattr(module, "_reading", lambda *_: function.reading)
    monkeypatch.setattr("boto3.Session", lambda: function)
    return function


def later(hours: int) -> dict[str, Any]:
    return {"time": (WHEN_FINAL + hours * HOUR).isoformat()}


@pytest.mark.parametrize(
    ("late", "since"),
    [
        (timedelta(0), NOON),
        (timedelta(minutes=59), NOON),
        (-timedelta(seconds=1), NOON - HOUR),
        (HOUR, NOON + HOUR),
    ],
)
@pytest.mark.usefixtures("world")
def test_the_newest_hour_whose_last_minute_is_final_is_reconciled(
    function: Lambda, late: timedelta, since: datetime
) -> None:
    _, told = function.invoke({"time": (WHEN_FINAL + late).isoformat()})
    assert [(line["hour"], line["is_final"]) for line in told] == [(since.isoformat(), True)]


def test_what_became_of_an_hours_clicks_is_published(world: World, function: Lambda) -> None:
    world.back_up(repeated=0.5)
    world.analyse()
    metrics, [line] = function.invoke()
    assert metrics == {
        "Received": CLICKS + 2,
        "Counted": CLICKS,
        "Rejected": 1,
        "Unparseable": 1,
        "SetAside": 0,
        "Unexplained": 0,
        "OpenHours": 0,
    }
    assert (line["message"], line["hour"]) == ("an hour adds up", NOON.isoformat())
    assert function.invoke() == ({"OpenHours": 0}, []), "each hour once"


def test_a_click_that_nothing_explains_is_told_with_its_minute_cause_and_objects(
    world: World, function: Lambda
) -> None:
    world.lost.add((42, 0))
    world.back_up()
    world.analyse()
    metrics, [line] = function.invoke()
    assert (metrics["Received"], metrics["Counted"], metrics["Unexplained"]) == (CLICKS + 2, CLICKS - 1, 1)
    assert (line["message"], line["is_final"]) == ("an hour does not add up", True)
    [difference] = line["differences"]
    objects = difference.pop("objects")
    assert difference == {
        "since": (NOON + 42 * MINUTE).isoformat(),
        "until": (NOON + 43 * MINUTE).isoformat(),
        "clicks": -1,
        "cause": MISSING,
        "needs_action": True,
    }
    assert objects
    assert all(key.startswith("raw/") for key in objects)


@pytest.mark.parametrize(("reading", "why"), [(Reading(behind=4 * HOUR), NOT_READ), (UNKNOWN, NOT_KNOWN)])
def test_an_hour_that_may_be_unread_stays_open_and_is_counted_as_open(
    world: World, function: Lambda, reading: Reading, why: str
) -> None:
    world.back_up()
    function.reading = reading
    for hours in range(3):
        metrics, told = function.invoke(later(hours))
        assert metrics == {"OpenHours": hours + 1}
        assert [line["pending"] for line in told] == [[why]] * (hours + 1)
        assert {line["problem"] for line in told} == {reading.problem}
    world.analyse()
    function.reading = UP_TO_DATE
    metrics, told = function.invoke(later(2))
    assert (metrics["OpenHours"], metrics["Counted"], metrics["Unexplained"]) == (0, CLICKS, 0)
    assert [line["message"] for line in told] == ["an hour adds up"] * 3


def test_an_hour_whose_counts_wait_in_redelivery_is_looked_at_until_they_do_not(
    world: World, function: Lambda
) -> None:
    world.back_up()
    world.analyse()
    key = key_of(click(0, NOON, "article-0"))
    clicks = world.counts.documents.pop(key)
    place = ("rejected", "waiting-documents/counts/1.json")
    world.oregon.put(*place, json.dumps(failed(key, clicks)).encode())
    metrics, [line] = function.invoke()
    assert metrics == {"OpenHours": 1}
    assert (line["message"], line["pending"]) == ("an hour is not final", [COUNTS_WAIT])
    del world.oregon.objects[place]
    metrics, [line] = function.invoke()
    assert (metrics["OpenHours"], metrics["Unexplained"]) == (0, clicks), "they were lost after all"


def test_hours_that_were_missed_are_made_up_for_newest_first(world: World, function: Lambda) -> None:
    world.back_up()
    world.analyse()
    function.invoke(later(-1))
    function.lasts_ms, function.left_ms = 100_000, 900_000  # each hour takes 100 s, and looking at the clock
    _, told = function.invoke(later(4))
    assert [line["hour"] for line in told] == [(NOON + hours * HOUR).isoformat() for hours in (4, 0, 1, 2)]
    function.lasts_ms, function.left_ms = 0, 900_000
    metrics, told = function.invoke(later(4))
    assert [line["hour"] for line in told] == [(NOON + 3 * HOUR).isoformat()]
    assert metrics["OpenHours"] == 0


def test_hours_are_made_up_for_within_a_bound_and_from_the_first_told_of() -> None:
    nothing = ToldHours(frozenset(), None)
    assert open_hours(NOON, nothing) == [NOON]
    assert open_hours(NOON, ToldHours(frozenset(), NOON + HOUR)) == [NOON]
    old = open_hours(NOON, ToldHours(frozenset([NOON]), NOON - timedelta(days=30)))
    assert old == [NOON - MAX_OPEN + number * HOUR for number in range(1, 48)]


@pytest.mark.usefixtures("world")
def test_what_was_told_of_an_hour_before_it_was_final_is_no_word_on_it(function: Lambda) -> None:
    function.now = WHEN_FINAL - HOUR
    assert [line["is_final"] for line in function.invoke()[1]] == [True]
    assert [line["is_final"] for line in function.invoke()[1]] == [True], "once more"
    function.now = WHEN_FINAL
    assert function.invoke()[1] == []


@pytest.mark.usefixtures("world")
def test_a_log_that_cannot_be_read_is_told_and_the_newest_hour_reconciled(function: Lambda) -> None:
    function.refused = True
    with pytest.raises(ReconciliationError, match=r"^its log does not tell .*AccessDenied"):
        function.invoke()
    assert [(line["hour"], line["is_final"]) for line in function.log] == [(NOON.isoformat(), True)]


def test_one_hour_is_reconciled_if_asked_for(world: World, function: Lambda) -> None:
    world.lost.add((1, 0))
    world.back_up()
    world.analyse()
    metrics, [line] = function.invoke({"hour": NOON.isoformat()})
    assert (metrics["Unexplained"], line["hour"]) == (1, NOON.isoformat())
    assert "OpenHours" not in metrics


def test_an_hour_that_was_not_reconciled_is_named_and_stays_open(
    world: World, function: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.back_up()
    world.analyse()
    function.invoke(later(-1))

    def away(windows: range) -> dict[Cell, int]:
        if windows[0] * 60 == NOON.timestamp():
            raise TrendsError("the domain does not answer")
        return {}

    with monkeypatch.context() as context:
        context.setattr(world.counts, "of_windows", away)
        with pytest.raises(
            ReconciliationError,
            match=r"^the hour from 2026-01-31T12:00:00\+00:00 was not .* does not answer$",
        ):
            function.invoke(later(1))
    final = {line["hour"]: line["is_final"] for line in function.log}
    assert final[NOON.isoformat()] is False
    assert final[(NOON + HOUR).isoformat()] is True, "another hour is reconciled all the same"
    metrics, told = function.invoke(later(1))
    assert [line["message"] for line in told] == ["an hour adds up"]
    assert metrics["OpenHours"] == 0


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("event", "what"),
    [
        ({}, "time"),
        ({"time": "yesterday"}, "time"),
        ({"time": None}, "time"),
        ({"time": "2026-01-31T09:00"}, "time"),
        ({"hour": "noon"}, "hour"),
    ],
)
def test_an_invocation_without_a_time_is_told_what_to_say(
    function: Lambda, event: dict[str, Any], what: str
) -> None:
    with pytest.raises(ReconciliationError, match=rf'^the event\'s {what} is .*: invoke with {{"hour": "'):
        function.invoke(event)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("hour", ["2026-01-31T09:30:00Z", "2226-01-31T09:00:00Z"])
def test_no_half_hour_and_no_hour_to_come_is_reconciled(function: Lambda, hour: str) -> None:
    with pytest.raises(ReconciliationError, match="is no whole hour that is over"):
        function.invoke({"hour": hour})


def test_the_environment_of_the_template_is_what_the_function_reads() -> None:
    environment = {
        "ENVIRONMENT": "production",
        "RAW_BUCKET": "a",
        "REJECTED_BUCKET": "b",
        "DEAD_LETTER_BUCKET": "c",
        "DEAD_LETTER_REGION": "d",
        "SEARCH_ENDPOINT": "e",
        "SINK": "f",
        "INDEX": "g",
        "ALLOWED_LATENESS_HOURS": "24",
        "ARCHIVE_BUFFER_SECONDS": "300",
        "AWS_REGION": "h",
        "AWS_LAMBDA_FUNCTION_NAME": "i",
    }
    read = ReconciliationConfiguration.read(environment)
    assert read.delays == DELAYS
    assert (read.raw_bucket, read.index, read.region) == ("a", "g", "h")
    assert (read.environment, read.log_group) == ("production", "/aws/lambda/i")


@pytest.mark.parametrize("variable", ["LOG_LEVEL", "POWERTOOLS_LOG_LEVEL"])
def test_an_hour_that_adds_up_is_told_whatever_level_the_environment_sets(variable: str) -> None:
    """The twin's emulator has such a variable: no line was written, so no hour was known to be final."""
    code = (
        "import logging; from lambdas.reconciliation import metrics; "
        "assert metrics._logger.log_level == logging.INFO"
    )
    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, variable: "ERROR"}, cwd=PROJECT, check=True
    )
