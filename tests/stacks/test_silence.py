"""Who tells when a part dies: most alarms take silence for good, and a dead part reports nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from math import inf
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from contract.sink import SINKS
from names import TOKYO, Names
from stacks.constructs.retention import Retention
from stacks.producers.click_stream import ClickStream

Alarm = dict[str, Any]
Reported = tuple[str, str, str]
"""Of a metric: its namespace, its name, and the value of the dimension that is not the account."""

NAMES = Names(environment="production", account="111111111111")
COUNTS = [NAMES.delivery_stream(sink.name) for sink in SINKS]
FLOWS = 1000.0
"""What every metric of a part that lives is taken to be."""
NO_CLICKS = "that nobody clicks is no fault, unless alarms.*_quiet_minutes say that it is"
DEPLOYMENT = "it runs in a deployment only, which fails with it"


@dataclass(frozen=True)
class Part:
    """emits: patterns of the metrics that are missing once it is dead; told_by: the alarms that ring then,
    or why none has to; grows: the metrics of others that grow then."""

    emits: tuple[Reported, ...]
    told_by: tuple[str, ...] | str
    grows: tuple[str, ...] = field(default=())


PARTS = {
    "apps": Part((("AWS/Kinesis", "[IW]*", NAMES.mobile_stream),), NO_CLICKS),
    "producers of the source stream": Part((("AWS/Kinesis", "[IW]*", NAMES.source_stream),), NO_CLICKS),
    "forwarder and its event source mapping": Part(
        (
            ("AWS/Lambda", "*", "<mapping>"),
            ("AWS/Lambda", "*", NAMES.forwarder),
            ("ClickTrends", "*", NAMES.forwarder),
            ("AWS/Kinesis", "GetRecords.*", NAMES.mobile_stream),
        ),
        ("forwarder-NothingRead",),
    ),
    "raw backup": Part(
        (("AWS/Firehose", "*", NAMES.raw_backup_delivery_stream),), ("raw-backup-NothingWritten",)
    ),
    "analytics application": Part(
        (
            ("AWS/KinesisAnalytics", "*", NAMES.application),
            ("AWS/Kinesis", "GetRecords.*", NAMES.source_stream),
            *(("AWS/Firehose", "[IT]*", put) for put in (*COUNTS, NAMES.rejects_delivery_stream)),
        ),
        ("analytics-runningTime", "analytics-NothingPut"),
    ),
    "delivery of counts": Part(
        tuple(("AWS/Firehose", "DeliveryTo*", each) for each in COUNTS),
        ("feedback-RankingAge",),
        grows=("RankingAge",),
    ),
    "delivery of rejects": Part(
        (("AWS/Firehose", "DeliveryTo*", NAMES.rejects_delivery_stream),), ("rejects-NothingWritten",)
    ),
    "domain": Part((("AWS/ES", "*", NAMES.search_domain),), ("ClusterStatus.red",)),
    "redelivery": Part(
        (("AWS/Lambda", "*", NAMES.redelivery), ("ClickTrends", "*", NAMES.redelivery)),
        ("redelivery-Invocations",),
    ),
    "feedback": Part(
        (
            ("AWS/Lambda", "*", NAMES.feedback),
            ("ClickTrends", "*", NAMES.feedback),
            ("AWS/SQS", "*", NAMES.feedback_dead_letters),
        ),
        ("feedback-RankingAge",),
    ),
    "functions of a deployment": Part(
        (
            ("AWS/Lambda", "*", NAMES.application_lifecycle),
            ("AWS/Lambda", "*", NAMES.search_bootstrap),
        ),
        DEPLOYMENT,
    ),
}


@pytest.fixture(scope="module")
def alarms(resources: Callable[[str], list[dict[str, Any]]]) -> dict[str, Alarm]:
    """By name without the environment's prefix."""
    found = resources("AWS::CloudWatch::Alarm")
    return {alarm["AlarmName"].removeprefix(f"{NAMES.prefix}-"): alarm for alarm in found}


def reported(alarm: Alarm) -> Iterator[tuple[str, Reported]]:
    """Each metric on which the alarm rests, by its id in the expression, which a plain metric lacks."""
    if "MetricName" in alarm:
        yield "", _named(alarm)
    for one in alarm.get("Metrics", []):
        if "MetricStat" in one:
            yield one["Id"], _named(one["MetricStat"]["Metric"])
        elif query := re.fullmatch(
            r"SELECT \w+\((.+)\) FROM \"(.+)\" WHERE \w+ = '(.+)'", one.get("Expression", "")
        ):
            name, namespace, value = query.groups()
            yield "", (namespace, name, value)


def _named(metric: Mapping[str, Any]) -> Reported:
    [value] = [one["Value"] for one in metric["Dimensions"] if one["Name"] != "ClientId"]
    return metric["Namespace"], metric["MetricName"], value if isinstance(value, str) else "<mapping>"


def emits(part: Part, metric: Reported) -> bool:
    return any(all(map(fnmatch, metric, pattern)) for pattern in part.emits)


def rings(alarm: Alarm, values: Mapping[str, float | None]) -> bool:
    """Whether a period with these values is beyond the threshold. Missing values as CloudWatch takes them."""
    [expression] = [
        one["Expression"] for one in alarm.get("Metrics", []) if one.get("ReturnData", True) is True
    ] or ["SELECT"]
    value = values.get("") if expression.startswith("SELECT") else _calculated(expression, values)
    if value is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    above = alarm["ComparisonOperator"] == "GreaterThanThreshold"
    return bool(value > alarm["Threshold"] if above else value < alarm["Threshold"])


def _calculated(expression: str, values: Mapping[str, float | None]) -> float:
    functions: dict[str, Any] = {
        "IF": lambda test, then, otherwise: then if test else otherwise,
        "FILL": lambda value, default: default if value is None else value,
    }
    found: float = eval(expression.replace(" AND ", " and "), {**functions, **values})
    return found


def test_each_metric_on_which_an_alarm_rests_comes_from_one_part(alarms: dict[str, Alarm]) -> None:
    for name, alarm in alarms.items():
        for _, metric in reported(alarm):
            emitting = [title for title, part in PARTS.items() if emits(part, metric)]
            assert len(emitting) == 1, f"{name}: {metric} comes from {emitting}. Say in PARTS who tells."


@pytest.mark.parametrize(
    "title", [title for title, part in PARTS.items() if not isinstance(part.told_by, str)]
)
def test_a_part_that_reports_nothing_any_more_is_told_by_an_alarm(
    alarms: dict[str, Alarm], title: str
) -> None:
    part = PARTS[title]
    for name in part.told_by:
        alarm = alarms[name]
        values = {
            identifier: inf if metric[1] in part.grows else None if emits(part, metric) else FLOWS
            for identifier, metric in reported(alarm)
        }
        assert rings(alarm, values), f"{title} is dead, and {name} stays silent"


@pytest.mark.parametrize("name", ["NothingRead", "NothingPut", "NothingWritten"])
def test_where_nothing_was_sent_nothing_has_to_be_taken(alarms: dict[str, Alarm], name: str) -> None:
    for alarm in [alarm for found, alarm in alarms.items() if found.endswith(f"-{name}")]:
        ids = [identifier for identifier, _ in reported(alarm)]
        taken = {identifier: 3.0 for identifier in ids if identifier != "sent"}
        assert not rings(alarm, dict.fromkeys(ids))
        assert not rings(alarm, {"sent": 7.0, **taken})
        assert not rings(alarm, {"sent": None, **taken})
        assert rings(alarm, {"sent": 7.0, **dict.fromkeys(taken, 0.0)})


def test_a_part_that_takes_what_was_sent_in_time_never_rings(alarms: dict[str, Alarm]) -> None:
    """Few clicks, each at the very end of a period: what they become is counted in the next."""
    waits = {"NothingRead": 2, "NothingPut": 5, "NothingWritten": 300}
    found = {name: alarm for name, alarm in alarms.items() if name.rpartition("-")[2] in waits}
    assert len(found) == 4
    for name, alarm in found.items():
        [period] = {one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one}
        assert period >= waits[name.rpartition("-")[2]] + 60
        assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == 2


def silence_alarms(quiet_minutes: int | None) -> list[Alarm]:
    """Those of a stream that take silence for bad."""
    stack = Stack(App(), "Trial", env=Environment(account=NAMES.account, region=TOKYO))
    ClickStream(
        stack,
        "Stream",
        stream_name=NAMES.mobile_stream,
        shards=1,
        retention_hours=24,
        quiet_minutes=quiet_minutes,
        retention=Retention(allowed=False, asked=False),
    )
    found = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values()
    return [one["Properties"] for one in found if one["Properties"]["TreatMissingData"] == "breaching"]


def test_a_stream_without_clicks_rings_after_the_minutes_of_the_settings_only() -> None:
    assert silence_alarms(None) == []
    [alarm] = silence_alarms(90)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (90 * 60, 1)
    assert rings(alarm, {"": None})
    assert rings(alarm, {"": 0.0})
    assert not rings(alarm, {"": 1.0})
    assert emits(PARTS["apps"], _named(alarm))
