"""Alarms that ring later, at something else, or for nobody."""

from typing import Any

import pytest

from review.alarms import alarm_findings
from review.differences import differences
from review.findings import Finding, Kind
from tests.review.handmade import one, resource

ALARM = {
    "AlarmActions": ["arn:aws:sns:us-west-2:111111111111:on-call"],
    "AlarmName": "clicks-behind",
    "ComparisonOperator": "GreaterThanThreshold",
    "DatapointsToAlarm": 3,
    "Dimensions": [{"Name": "StreamName", "Value": "clicks"}],
    "EvaluationPeriods": 5,
    "MetricName": "Age",
    "Namespace": "AWS/Kinesis",
    "Threshold": 60,
}


def found(
    old: dict[str, Any], new: dict[str, Any], *, streams: tuple[str, str] = ("s", "s")
) -> list[Finding]:
    sides = [
        one(
            {
                "A": resource("AWS::CloudWatch::Alarm", **{k: v for k, v in alarm.items() if v is not None}),
                "S": resource("AWS::Kinesis::Stream", Name=stream),
            }
        )
        for alarm, stream in zip((old, new), streams, strict=True)
    ]
    return list(alarm_findings(differences(*sides)))


@pytest.mark.parametrize(
    "change",
    [
        {"Threshold": 6000},
        {"DatapointsToAlarm": None},
        {"ComparisonOperator": "LessThanThreshold"},
        {"MetricName": "Nothing"},
        {"Dimensions": [{"Name": "StreamName", "Value": "another"}]},
        {"AlarmActions": ["arn:aws:sns:us-west-2:111111111111:nobody"]},
        {"ActionsEnabled": False},
    ],
    ids=str,
)
def test_an_alarm_that_may_not_ring_any_more_is_an_alarm_lost(change: dict[str, Any]) -> None:
    (finding,) = found(ALARM, {**ALARM, **change})
    assert finding.kind is Kind.ALARM_LOST


@pytest.mark.parametrize("change", [{"Threshold": 30}, {"DatapointsToAlarm": 1}], ids=str)
def test_an_alarm_that_rings_sooner_is_a_note(change: dict[str, Any]) -> None:
    (finding,) = found(ALARM, {**ALARM, **change})
    assert finding.kind is Kind.NOTE


def test_actions_that_are_enabled_again_are_a_note() -> None:
    (finding,) = found({**ALARM, "ActionsEnabled": False}, ALARM)
    assert finding.kind is Kind.NOTE


def test_an_alarm_that_follows_a_renamed_stream_watches_what_it_did() -> None:
    renamed = {**ALARM, "Dimensions": [{"Name": "StreamName", "Value": "taps"}]}
    (finding,) = found(ALARM, renamed, streams=("clicks", "taps"))
    assert finding.kind is Kind.NOTE
    referred = {**ALARM, "Dimensions": [{"Name": "StreamName", "Value": {"Ref": "S"}}]}
    (finding,) = found(ALARM, referred, streams=("clicks", "clicks"))
    assert finding.kind is Kind.NOTE
