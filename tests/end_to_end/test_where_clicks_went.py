"""After all that the tests before did to the twin: each minute closes, by the command and by the function.

Last by its name, as files run in their order.
"""

import json
import os
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from contract.count import start_of_count
from contract.event_time import format_time
from lambdas.reconciliation.configuration import ReconciliationConfiguration
from lambdas.reconciliation.differences import MISSING
from lambdas.reconciliation.final import NOT_KNOWN, NOT_READ
from lambdas.reconciliation.metrics import OPEN_HOURS, UNEXPLAINED
from names import OREGON, RAW_PREFIX
from tests.end_to_end.conftest import INDICES, Pipeline, as_record, click
from twin.alarms.evaluator import Dimensions, Sent, evaluate, read_alarm
from twin.alarms.missing_data import State
from twin.processes import wait_for
from twin.traffic.record import EntryPoint

ARTICLE = "where-it-went"
GOOD, BAD = 40, 5
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
HALF_AN_HOUR = timedelta(minutes=30)
LOGGED_SECONDS = 120
PROGRESS_KNOWN_SECONDS = 300
"""From the start of a twin that ran no other test: whole minutes of metrics, a minute after they end."""


def reconciled(pipeline: Pipeline, since: datetime, until: datetime) -> dict[str, Any]:
    file = pipeline.twin.write_reader_environment()
    span = f"--from {format_time(since)} --to {format_time(until)}"
    given = subprocess.run(
        ["bash", "-c", f'. "{file}" && exec click-trends reconcile {span} --json'],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert given.returncode == 0, given.stderr
    found: dict[str, Any] = json.loads(given.stdout)
    return found


def test_each_minute_of_all_that_was_sent_before_closes(pipeline: Pipeline) -> None:
    now = datetime.now(UTC)
    clicks = [click(number, article_id=ARTICLE, clicked_at=now) for number in range(GOOD)]
    bad = [click(GOOD + number, article_id=ARTICLE, clicked_at=now, user_id="") for number in range(BAD)]
    pipeline.send(EntryPoint.WEB, [b"".join(map(as_record, [*clicks, *bad]))])
    pipeline.wait_until(lambda: pipeline.clicks_counted(ARTICLE) == GOOD, "the clicks counted")
    pipeline.wait_until(lambda: pipeline.twin.reconciliation().unexplained == 0, "all delivered")

    found = reconciled(pipeline, now - DAY + MINUTE, now + MINUTE)
    assert found["differences"] == []
    assert sum(minute["counted"] for minute in found["minutes"]) >= GOOD
    [minute] = [each for each in found["minutes"] if each["start"] == format_time(start_of_count(now))]
    assert Counter(minute["rejected"])["missing_user_id"] >= BAD
    least, most = minute["received"]
    assert least <= minute["counted"] + sum(minute["rejected"].values()) <= most


def test_the_role_of_the_command_changes_nothing(pipeline: Pipeline) -> None:
    names = pipeline.twin.names
    s3 = pipeline.twin.emulator.client_as(names.role_arn(names.operator_role("reconcile")), "s3", OREGON)
    s3.list_objects_v2(Bucket=names.raw_bucket, Prefix=RAW_PREFIX)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=names.raw_bucket, Key=f"{RAW_PREFIX}made-up", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=names.raw_bucket, Key=f"{RAW_PREFIX}made-up")


@dataclass(frozen=True, kw_only=True)
class Told:
    """By an invocation: its line about the hour, and the metrics that it embedded in its log. at: when it
    began, in whole seconds of the clock."""

    line: dict[str, Any]
    metrics: dict[str, float]
    at: float


class Function:
    """The deployed function, in its own role and environment."""

    def __init__(self, pipeline: Pipeline) -> None:
        emulator, self._name = pipeline.twin.emulator, pipeline.twin.names.reconciliation
        self._lambda, self._logs = emulator.client("lambda", OREGON), emulator.client("logs", OREGON)
        self._cloudwatch = emulator.client("cloudwatch", OREGON)
        deployed = self._lambda.get_function_configuration(FunctionName=self._name)["Environment"]
        of_lambda = {"AWS_REGION": OREGON, "AWS_LAMBDA_FUNCTION_NAME": self._name}
        read = ReconciliationConfiguration.read({**deployed["Variables"], **of_lambda})
        self._log_group, self._until_final = read.log_group, read.delays.until_final

    def told(self, hour: datetime, *, after: timedelta) -> Told:
        """Invoke it as its schedule does, at a time that is so long after the hour is due."""
        before = int(time.time())
        wait_for(lambda: int(time.time()) > before, what="a second of its own", timeout_seconds=10)
        began = int(time.time())
        event = {"time": (hour + HOUR + self._until_final + after).isoformat()}
        answer = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(event).encode())
        assert "FunctionError" not in answer, answer["Payload"].read()
        lines: list[dict[str, Any]] = []

        def about_it() -> list[dict[str, Any]]:
            nonlocal lines
            lines = self._lines(began)
            return [line for line in lines if line.get("hour") == hour.isoformat()]

        wait_for(lambda: bool(about_it()), what="its line about the hour", timeout_seconds=LOGGED_SECONDS)
        [line] = about_it()
        metrics = {
            metric["Name"]: embedded[metric["Name"]][0]
            for embedded in lines
            if "_aws" in embedded
            for metric in embedded["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        }
        return Told(line=line, metrics=metrics, at=began)

    def _lines(self, since: float) -> list[dict[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._log_group, startTime=round(since * 1000)
        )
        messages = [event["message"] for page in pages for event in page["events"]]
        return [json.loads(message) for message in messages if message.startswith("{")]

    def alarm(self, metric: str, told: Told) -> State:
        """What the deployed alarm on a metric is by what CloudWatch got from this invocation on, which is the
        last of its hour. The twin evaluates alarms itself, in up to a minute; an hour there takes an hour."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=self._name)
        [deployed] = [
            each for page in pages for each in page["MetricAlarms"] if each.get("MetricName") == metric
        ]
        return evaluate(read_alarm(deployed), self, told.at + HOUR.total_seconds(), State.OK).state

    def sent(self, namespace: str, name: str, since: float) -> Iterator[tuple[Dimensions, Sequence[Sent]]]:
        """As twin.alarms.evaluator.Metrics."""
        for found in self._cloudwatch.list_metrics(Namespace=namespace, MetricName=name)["Metrics"]:
            points = self._cloudwatch.get_metric_statistics(
                **found,
                StartTime=datetime.fromtimestamp(since, UTC),
                EndTime=datetime.now(UTC) + MINUTE,
                Period=1,
                Statistics=["SampleCount", "Sum", "Minimum", "Maximum"],
            )["Datapoints"]
            yield (
                frozenset((each["Name"], each["Value"]) for each in found["Dimensions"]),
                [
                    Sent(
                        each["Timestamp"].timestamp(),
                        *(each[statistic] for statistic in ("SampleCount", "Sum", "Minimum", "Maximum")),
                    )
                    for each in points
                ],
            )


class LostCount:
    """A document of counts, which OpenSearch has lost."""

    def __init__(self, pipeline: Pipeline, article: str, at: datetime) -> None:
        self._endpoint = pipeline.twin.opensearch_endpoint
        terms = [{"term": {"article_id": article}}, {"term": {"minute": format_time(at)}}]
        query = {"version": True, "query": {"bool": {"filter": terms}}}
        [found] = self._ask("POST", f"/{INDICES}/_search", query)["hits"]["hits"]
        # With its version, by which the largest count wins.
        self._path = (
            f"/{found['_index']}/_doc/{quote(found['_id'], safe='')}"
            f"?refresh=true&version_type=external_gte&version={found['_version']}"
        )
        self._count = found["_source"]
        self._ask("DELETE", self._path)

    def comes_back(self) -> None:
        self._ask("PUT", self._path, self._count)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._endpoint + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


def test_the_deployed_function_tells_that_an_hour_adds_up_and_what_is_lost(pipeline: Pipeline) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 12 * HOUR
    article, clicks, lost_at = f"{ARTICLE}-on-aws", 60, hour + 42 * MINUTE
    sent = [click(number, article_id=article, clicked_at=hour + number * MINUTE) for number in range(clicks)]
    pipeline.send(EntryPoint.WEB, [b"".join(map(as_record, sent))])
    pipeline.wait_until(lambda: pipeline.clicks_counted(article) == clicks, "the clicks of the hour counted")
    pipeline.wait_until(lambda: pipeline.twin.reconciliation().unexplained == 0, "all delivered")

    function = Function(pipeline)
    found = function.told(hour, after=timedelta(0))
    assert found.line["message"] == "an hour is not final", "nobody has read that far"
    assert found.line["pending"] in ([NOT_READ], [NOT_KNOWN])
    assert found.metrics == {OPEN_HOURS: 1}

    def adds_up() -> bool:
        nonlocal found
        found = function.told(hour, after=HALF_AN_HOUR)
        return bool(found.line["message"] == "an hour adds up")

    wait_for(
        adds_up,
        what="an hour that adds up, once it is known how far the application has read",
        timeout_seconds=PROGRESS_KNOWN_SECONDS,
        seen=lambda: str(found),
    )
    assert (found.line["level"], found.line["differences"]) == ("INFO", [])
    assert (found.metrics[UNEXPLAINED], found.metrics[OPEN_HOURS]) == (0, 0)
    assert found.metrics["Received"] >= found.metrics["Counted"] >= clicks
    assert function.alarm(UNEXPLAINED, found) is State.OK

    lost = LostCount(pipeline, article, lost_at)
    try:
        assert not adds_up()
    finally:
        lost.comes_back()
    assert (found.line["message"], found.line["level"]) == ("an hour does not add up", "WARNING")
    [difference] = found.line["differences"]
    assert (difference["since"], difference["until"]) == (
        lost_at.isoformat(),
        (lost_at + MINUTE).isoformat(),
    )
    assert (difference["clicks"], difference["cause"], difference["needs_action"]) == (-1, MISSING, True)
    assert difference["objects"]
    assert all(key.startswith(RAW_PREFIX) for key in difference["objects"])
    assert (found.metrics[UNEXPLAINED], found.metrics[OPEN_HOURS]) == (1, 0)
    assert function.alarm(UNEXPLAINED, found) is State.ALARM

    assert adds_up()
    assert found.metrics[UNEXPLAINED] == 0
    assert function.alarm(UNEXPLAINED, found) is State.OK
    assert function.alarm(OPEN_HOURS, found) is State.OK
