"""Alarms that are new, gone, or ring at another time."""

from collections.abc import Iterator, Mapping
from typing import Any

from review.differences import Differences, ResourceChange, ValueChange
from review.findings import Finding, Kind
from review.naming import physical_name, readable, shown

TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_LATER_WHEN_MORE = {"EvaluationPeriods", "Period"}
_WATCHING = {
    *("AlarmRule", "ComparisonOperator", "Dimensions", "ExtendedStatistic", "MetricName", "Metrics"),
    *("Namespace", "Statistic", "ThresholdMetricId", "Unit"),
}
"""What an alarm looks at, and how it compares: whether it still rings when it should is not to be told."""
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
            yield from _changed(changes, change)


def _changed(changes: Differences, change: ResourceChange) -> Iterator[Finding]:
    weaker = [value for value in change.values if _weaker(change, value)]
    watching = [
        value
        for value in change.values
        if value.property in _WATCHING and not _names_the_same(changes, change, value)
    ]
    covers = tuple((change.stack.name, change.logical_id, value.path) for value in change.values)
    name = change.value("Properties.AlarmName")
    if all(value.property in _NAMING or _follows(name, value) for value in change.values):
        text = f"is renamed to `{name.new}`" if name else "is described anew"
        yield Finding(kind=Kind.NOTE, text=f"The {change.title} {text}.", covers=covers)
        return
    values = ", ".join(
        f"`{value.path.removeprefix('Properties.')}` {shown(value.old)} → {shown(value.new)}"
        for value in change.values
    )
    yield Finding(
        kind=Kind.ALARM_LOST if weaker or watching else Kind.NOTE,
        text=f"**The {change.title} rings later or tells nobody**: {values}."
        if weaker
        else f"**The {change.title} watches something else, or compares otherwise**: {values}."
        if watching
        else f"The {change.title} changes: {values}.",
        details=(f"It rings when {condition(change.new)}.",),
        covers=covers,
    )


def _follows(name: ValueChange | None, value: ValueChange) -> bool:
    """Whether a dimension is the name of what is watched, with which the alarm is named too."""
    return (
        name is not None
        and value.path.startswith("Properties.Dimensions")
        and str(name.old).startswith(f"{value.old}-")
        and str(name.new).startswith(f"{value.new}-")
    )


def _weaker(change: ResourceChange, value: ValueChange) -> bool:
    """Whether the alarm rings later, or for fewer people, by this value."""
    match value.property:
        case "ActionsEnabled":
            return value.new is False
        case "AlarmActions":
            return any(action not in (value.new or ()) for action in value.old or ())
        case "TreatMissingData":
            return bool(value.old == "breaching")
        case "DatapointsToAlarm":
            return _datapoints(change.new, value.new) > _datapoints(change.old, value.old)
        case _:
            return _by_numbers(change, value)


def _by_numbers(change: ResourceChange, value: ValueChange) -> bool:
    if not isinstance(value.old, int | float) or not isinstance(value.new, int | float):
        return False
    if value.property in _LATER_WHEN_MORE:
        return value.new > value.old
    operator = str(_properties(change.new).get("ComparisonOperator", ""))
    return value.property == "Threshold" and (value.new > value.old) == operator.startswith("Greater")


def _datapoints(alarm: Mapping[str, Any] | None, given: Any) -> float:
    """How many must be over the threshold: all of them where the template does not say."""
    periods = given if given is not None else _properties(alarm).get("EvaluationPeriods")
    return periods if isinstance(periods, int) else float("inf")


def _names_the_same(changes: Differences, change: ResourceChange, value: ValueChange) -> bool:
    """Whether an alarm watches what it did, under a new name of its own or by another reference to it."""
    stacks = [(side, side.get(change.stack.name)) for side in (changes.old, changes.new)]
    old, new = (
        readable(side, stack)(given) if stack else given
        for (side, stack), given in zip(stacks, (value.old, value.new), strict=True)
    )
    return old == new or any(
        (old, new) == (physical_name(other.old or {}), physical_name(other.new or {}))
        for other in changes.resources
        if other.old and other.new
    )


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
