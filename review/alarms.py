"""Alarms that are new, gone, or ring at another time."""

from collections.abc import Iterator, Mapping
from typing import Any

from review.differences import Differences, ResourceChange, ValueChange
from review.findings import Finding, Kind
from review.naming import shown

TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_LATER_WHEN_MORE = {"EvaluationPeriods", "DatapointsToAlarm", "Period"}
_TELLING = {"AlarmActions", "ActionsEnabled"}
_NAMING = {"AlarmName", "AlarmDescription"}
_OPERATORS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": "≥",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
}


def alarm_findings(changes: Differences) -> Iterator[Finding]:
    for change in changes.of_type(*TYPES):
        covers = ((change.stack.name, change.logical_id, ""),)
        if change.gone:
            yield Finding(
                kind=Kind.ALARM_LOST,
                text=f"**The {change.title} is gone**: nobody is told any more when {condition(change.old)}.",
                covers=covers,
            )
        elif change.old is None:
            yield Finding(
                kind=Kind.NOTE,
                text=f"New: the {change.title} rings when {condition(change.new)}.",
                covers=covers,
            )
        else:
            yield from _changed(change)


def _changed(change: ResourceChange) -> Iterator[Finding]:
    weaker = [value for value in change.values if _weaker(change, value)]
    covers = tuple((change.stack.name, change.logical_id, value.path) for value in change.values)
    if {value.property for value in change.values} <= _NAMING:
        name = change.value("Properties.AlarmName")
        text = f"is renamed to `{name.new}`" if name else "is described anew"
        yield Finding(kind=Kind.NOTE, text=f"The {change.title} {text}.", covers=covers)
        return
    values = ", ".join(
        f"`{value.path.removeprefix('Properties.')}` {shown(value.old)} → {shown(value.new)}"
        for value in change.values
    )
    yield Finding(
        kind=Kind.ALARM_LOST if weaker else Kind.NOTE,
        text=f"**The {change.title} rings later or tells nobody**: {values}."
        if weaker
        else f"The {change.title} changes: {values}.",
        details=(f"It rings when {condition(change.new)}.",),
        covers=covers,
    )


def _weaker(change: ResourceChange, value: ValueChange) -> bool:
    """Whether the alarm rings later, or for fewer people, by this value."""
    if value.property in _TELLING:
        return value.new in (None, False, []) or (
            isinstance(value.old, list) and isinstance(value.new, list) and len(value.new) < len(value.old)
        )
    if value.property == "TreatMissingData":
        return bool(value.old == "breaching")
    if not isinstance(value.old, int | float) or not isinstance(value.new, int | float):
        return False
    if value.property in _LATER_WHEN_MORE:
        return value.new > value.old
    operator = str(_properties(change.new).get("ComparisonOperator", ""))
    return value.property == "Threshold" and (value.new > value.old) == operator.startswith("Greater")


def condition(alarm: Mapping[str, Any] | None) -> str:
    """`AWS/Kinesis WriteProvisionedThroughputExceeded > 0 in 3 of 5 periods of 60 s`."""
    properties = _properties(alarm)
    if rule := properties.get("AlarmRule"):
        return shown(rule)
    operator = _OPERATORS.get(properties.get("ComparisonOperator", ""), "against")
    periods = properties.get("EvaluationPeriods", "?")
    seconds = f" of {properties['Period']} s" if "Period" in properties else ""
    return (
        f"{_watched(properties)} is {operator} {properties.get('Threshold', '?')} in "
        f"{properties.get('DatapointsToAlarm', periods)} of {periods} periods{seconds}"
    )


def _watched(properties: Mapping[str, Any]) -> str:
    """`Sum of `AWS/Kinesis PutRecords.Success``, or the expression that is compared."""
    for metric in properties.get("Metrics") or ():
        if isinstance(metric, Mapping) and "Expression" in metric and metric.get("ReturnData") is not False:
            return shown(metric["Expression"])
    name = " ".join(str(properties.get(key, "?")) for key in ("Namespace", "MetricName"))
    return f"{properties.get('Statistic', properties.get('ExtendedStatistic', 'a value'))} of `{name}`"


def _properties(alarm: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (alarm or {}).get("Properties") or {}
