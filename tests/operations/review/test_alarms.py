"""Alarms that notify later, of something else, or nobody."""

import itertools
from typing import Any

import pytest

from operations.review.alarms import alarm_findings, notifies_later
from operations.review.differences import differences
from operations.review.findings import Finding, Kind
from tests.operations.review.small_assemblies import one, resource

ALARM: dict[str, Any] = {
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
def test_an_alarm_that_notifies_sooner_is_a_note(change: dict[str, Any]) -> None:
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


def first_breach(series: tuple[int, ...], datapoints: int, periods: int) -> float:
    """The period in which an alarm enters ALARM, if a period is 1 where it is over the threshold."""
    over = (sum(series[max(0, now - periods + 1) : now + 1]) for now in range(len(series)))
    return next((now for now, count in enumerate(over) if count >= datapoints), float("inf"))


def test_m_of_n_is_weaker_just_where_some_series_of_periods_notifies_later() -> None:
    every = list(itertools.product((0, 1), repeat=9))
    alarms = [(datapoints, periods) for periods in range(1, 5) for datapoints in range(1, periods + 1)]
    breaches = {alarm: [first_breach(series, *alarm) for series in every] for alarm in alarms}
    for old, new in itertools.product(alarms, repeat=2):
        later = any(after > before for before, after in zip(breaches[old], breaches[new], strict=True))
        assert notifies_later(old, new) == later, (old, new)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ((3, 60), (3, 3), Kind.ALARM_LOST),
        ((3, 5), (3, 10), Kind.NOTE),
        ((3, 5), (4, 10), Kind.ALARM_LOST),
        ((3, 3), (2, 2), Kind.NOTE),
        ((None, 3), (None, 5), Kind.ALARM_LOST),
        ((3, 5), ("three", 5), Kind.ALARM_LOST),
    ],
)
def test_both_numbers_of_m_of_n_are_assessed_together(
    old: tuple[Any, int], new: tuple[Any, int], kind: Kind
) -> None:
    before, after = (
        {**ALARM, "DatapointsToAlarm": datapoints, "EvaluationPeriods": periods}
        for datapoints, periods in (old, new)
    )
    (finding,) = found(before, after)
    assert finding.kind is kind


def test_a_topic_that_goes_is_one_line_for_all_its_alarms() -> None:
    def alarms(actions: list[str]) -> Any:
        return one(
            {
                f"A{number}": resource(
                    "AWS::CloudWatch::Alarm", **dict(ALARM, AlarmName=f"alarm-{number}", AlarmActions=actions)
                )
                for number in range(39)
            }
        )

    (finding,) = alarm_findings(
        differences(alarms(["arn:aws:sns:us-west-2:111111111111:on-call"]), alarms([]))
    )
    assert finding.kind is Kind.ALARM_LOST
    assert finding.text.startswith("**39 alarms notify others than before, or nobody**")
    assert "alarm-38" in finding.details[0]


def test_a_property_that_no_rule_of_alarms_knows_is_not_covered() -> None:
    (finding,) = found(ALARM, {**ALARM, "EvaluationInterval": 7})
    assert finding.covers == ()
