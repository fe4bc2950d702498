"""What notifies when a part dies: most alarms take silence for good, and a dead part reports nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from math import inf
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from contract.sink import SINKS
from names import TOKYO, Names
from stacks.constructs.retention import Retention
from stacks.monitoring.alarm import AlarmDefinition
from stacks.monitoring.hops import MOBILE_STREAM
from stacks.monitoring.silence import NOTHING_READ
from stacks.producers.click_stream import ClickStream

Alarm = dict[str, Any]
Definitions = dict[str, AlarmDefinition]
Reported = tuple[str, str, str]
"""Of a metric: its namespace, its name, and the value of the dimension that is not the account."""

NAMES = Names(environment="production", account="111111111111")
COUNTS = [NAMES.delivery_stream(sink.name) for sink in SINKS]
FLOWS = 1000.0
"""What every metric of a part that lives is taken to be."""


@dataclass(frozen=True)
class Part:
    """emits: patterns of the metrics that are missing once it is dead; grows: the metrics of others that grow
    then; may_be_silent: whether its silence is no fault, or is noticed without an alarm."""

    emits: tuple[Reported, ...]
    grows: tuple[str, ...] = ()
    may_be_silent: bool = False


PARTS = {
    "apps": Part((("AWS/Kinesis", "[IW]*", NAMES.mobile_stream),), may_be_silent=True),
    "producers of the source stream": Part(
        (("AWS/Kinesis", "[IW]*", NAMES.source_stream),), may_be_silent=True
    ),
    "forwarder and its event source mapping": Part(
        (
            ("AWS/Lambda", "*", "<mapping>"),
            ("AWS/Lambda", "*", NAMES.forwarder),
            ("ClickTrends", "*", NAMES.forwarder),
            ("AWS/Kinesis", "GetRecords.*", NAMES.mobile_stream),
        ),
    ),
    "raw backup": Part((("AWS/Firehose", "*", NAMES.raw_backup_delivery_stream),)),
    "analytics application": Part(
        (
            ("AWS/KinesisAnalytics", "*", NAMES.application),
            ("AWS/Kinesis", "GetRecords.*", NAMES.source_stream),
            *(("AWS/Firehose", "[IT]*", put) for put in (*COUNTS, NAMES.rejects_delivery_stream)),
        ),
    ),
    "delivery of counts": Part(
        tuple(("AWS/Firehose", "DeliveryTo*", each) for each in COUNTS), grows=("RankingAge",)
    ),
    "delivery of rejects": Part((("AWS/Firehose", "DeliveryTo*", NAMES.rejects_delivery_stream),)),
    "domain": Part((("AWS/ES", "*", NAMES.search_domain),)),
    "redelivery": Part((("AWS/Lambda", "*", NAMES.redelivery), ("ClickTrends", "*", NAMES.redelivery))),
    "segments publisher": Part(
        (("AWS/Lambda", "*", NAMES.segments_publisher), ("ClickTrends", "*", NAMES.segments_publisher))
    ),
    "reconciliation": Part(
        (("AWS/Lambda", "*", NAMES.reconciliation), ("ClickTrends", "*", NAMES.reconciliation))
    ),
    "replays": Part((("AWS/Lambda", "*", NAMES.replay), ("ClickTrends", "*", NAMES.replay))),
    "feedback": Part((("AWS/Lambda", "*", NAMES.feedback), ("ClickTrends", "*", NAMES.feedback))),
    "functions of a deployment": Part(
        (
            ("AWS/Lambda", "*", NAMES.application_lifecycle),
            ("AWS/Lambda", "*", NAMES.search_bootstrap),
        ),
        may_be_silent=True,
    ),
}


@pytest.fixture(scope="module")
def alarms(resources: Callable[[str], list[dict[str, Any]]]) -> dict[str, Alarm]:
    return {alarm["AlarmName"]: alarm for alarm in resources("AWS::CloudWatch::Alarm")}


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


def enters_alarm(alarm: Alarm, values: Mapping[str, float | None]) -> bool:
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


def enters_alarm_without(title: str, alarm: Alarm) -> bool:
    """Whether it does once this part is dead and all others live."""
    part = PARTS[title]
    values = {
        identifier: inf if metric[1] in part.grows else None if emits(part, metric) else FLOWS
        for identifier, metric in reported(alarm)
    }
    return enters_alarm(alarm, values)


def parts_of(alarm: Alarm) -> set[str]:
    """Those whose death leaves the alarm without a metric. What was sent to a part comes from another, whose
    death is for other alarms."""
    metrics = [metric for identifier, metric in reported(alarm) if identifier != "sent"]
    return {title for title, part in PARTS.items() if any(emits(part, metric) for metric in metrics)}


def notifier(definition: AlarmDefinition, definitions: Definitions) -> AlarmDefinition:
    """The alarm that notifies when the part dies that reports this alarm's metric."""
    if definition.silence.notified_by is None:
        return definition
    named = [one for one in definitions.values() if one.measure.name == definition.silence.notified_by]
    of_the_same = [one for one in named if one.watches == definition.watches]
    [found] = of_the_same or named
    return found


def test_each_metric_on_which_an_alarm_rests_comes_from_one_part(alarms: dict[str, Alarm]) -> None:
    for name, alarm in alarms.items():
        for _, metric in reported(alarm):
            emitting = [title for title, part in PARTS.items() if emits(part, metric)]
            assert len(emitting) == 1, f"{name}: {metric} comes from {emitting}. Say in PARTS what emits it."
    assert {title for alarm in alarms.values() for title in parts_of(alarm)} == PARTS.keys()


def test_the_alarm_that_is_named_notifies_when_a_part_dies(
    alarms: dict[str, Alarm], definitions: Definitions
) -> None:
    for name, definition in definitions.items():
        mortal = {title for title in parts_of(alarms[name]) if not PARTS[title].may_be_silent}
        if definition.silence.exempt:
            assert not mortal, f"{name}: {mortal} may not be silent, whatever the definition says"
            continue
        notifying = notifier(definition, definitions)
        assert mortal, f"{name}: its definition must say why silence is no fault"
        for title in mortal:
            assert enters_alarm_without(title, alarms[notifying.name]), (
                f"{title} is dead, its metrics are missing for {name}, and {notifying.name} stays silent"
            )


@pytest.mark.parametrize("name", ["NothingRead", "NothingPut", "NothingWritten"])
def test_where_nothing_was_sent_nothing_has_to_be_taken(alarms: dict[str, Alarm], name: str) -> None:
    for alarm in [alarm for found, alarm in alarms.items() if found.endswith(f"-{name}")]:
        ids = [identifier for identifier, _ in reported(alarm)]
        taken = {identifier: 3.0 for identifier in ids if identifier != "sent"}
        assert not enters_alarm(alarm, dict.fromkeys(ids))
        assert not enters_alarm(alarm, {"sent": 7.0, **taken})
        assert not enters_alarm(alarm, {"sent": None, **taken})
        assert enters_alarm(alarm, {"sent": 7.0, **dict.fromkeys(taken, 0.0)})


def test_a_part_that_takes_what_was_sent_in_time_never_enters_alarm(alarms: dict[str, Alarm]) -> None:
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
        hop=MOBILE_STREAM,
        consumer_stops=NOTHING_READ,
        retention=Retention(allowed=False, asked=False),
    )
    found = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values()
    return [one["Properties"] for one in found if one["Properties"]["TreatMissingData"] == "breaching"]


def test_a_stream_without_clicks_enters_alarm_after_the_minutes_of_the_settings() -> None:
    assert silence_alarms(None) == []
    [alarm] = silence_alarms(90)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (90 * 60, 1)
    assert enters_alarm(alarm, {"": None})
    assert enters_alarm(alarm, {"": 0.0})
    assert not enters_alarm(alarm, {"": 1.0})
    assert emits(PARTS["apps"], _named(alarm))
