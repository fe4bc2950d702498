"""Alarms that are new, gone, or enter ALARM at another time."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloudformation import as_mapping, at, physical_name, resolver
from operations.review.differences import Differences, ResourceChange, ValueChange
from operations.review.display_names import shown
from operations.review.findings import Finding, Kind

TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_WHEN = {"DatapointsToAlarm", "EvaluationPeriods"}
_ACTIONS = {"AlarmActions", "InsufficientDataActions", "OKActions"}
_WATCHING = {
    *("AlarmRule", "ComparisonOperator", "Dimensions", "ExtendedStatistic", "MetricName", "Metrics"),
    *("Namespace", "Period", "Statistic", "ThresholdMetricId", "Unit"),
}
"""What an alarm looks at, and how it compares: whether it still notifies when it should is not known."""
_TREATMENTS = (None, "breaching", "ignore", "missing", "notBreaching")
_NAMING = {"AlarmName", "AlarmDescription"}
_KNOWN = {
    *(*_WHEN, *_ACTIONS, *_WATCHING, *_NAMING),
    *("ActionsEnabled", "Tags", "Threshold", "TreatMissingData"),
}
_OPERATORS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": "≥",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
}


def alarm_findings(changes: Differences) -> Iterator[Finding]:
    """One sentence for all alarms whose notifications change alike, as when a topic goes."""
    told: dict[str, list[ResourceChange]] = {}
    for change in changes.of_type(*TYPES):
        if change.old and change.new and all(value.property in _ACTIONS for value in change.values):
            key = json.dumps([(v.path, v.old, v.new) for v in change.values], sort_keys=True, default=str)
            told.setdefault(key, []).append(change)
        else:
            yield from _of_one(changes, change)
    for members in told.values():
        if len(members) == 1:
            yield from _of_one(changes, members[0])
        else:
            yield _of_many(members)


def _of_many(members: list[ResourceChange]) -> Finding:
    """Alarms whose actions change in the same way."""
    first = members[0]
    lost = any(_weaker(first, value) for value in first.values)
    names = ", ".join(f"`{change.title.split('`')[1]}`" for change in members)
    text = f"{len(members)} alarms notify others than before"
    values = ", ".join(value.shown for value in first.values)
    return Finding(
        kind=Kind.ALARM_LOST if lost else Kind.NOTE,
        text=f"{f'**{text}, or nobody**' if lost else text}: {values}.",
        details=(f"They are {names}.",),
        covers=tuple(change.place(value.path) for change in members for value in change.values),
    )


def _of_one(changes: Differences, change: ResourceChange) -> Iterator[Finding]:
    covers = (change.place(),)
    if change.gone:
        yield Finding(
            kind=Kind.ALARM_LOST,
            text=f"**The {change.title} is gone**: nobody is notified any more when {condition(change.old)}.",
            covers=covers,
        )
    elif change.old is None:
        yield Finding(
            kind=Kind.NOTE,
            text=f"New: the {change.title} enters ALARM when {condition(change.new)}.",
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
    covers = tuple(change.place(value.path) for value in change.values if value.property in _KNOWN)
    name = change.value("Properties.AlarmName")
    if all(value.property in _NAMING or _follows(name, value) for value in change.values):
        text = f"is renamed to `{name.new}`" if name else "is described anew"
        yield Finding(kind=Kind.NOTE, text=f"The {change.title} {text}.", covers=covers)
        return
    values = ", ".join(value.shown for value in change.values)
    yield Finding(
        kind=Kind.ALARM_LOST if weaker or watching else Kind.NOTE,
        text=f"**The {change.title} notifies later or nobody**: {values}."
        if weaker
        else f"**The {change.title} watches something else, or compares differently**: {values}."
        if watching
        else f"The {change.title} changes: {values}.",
        details=(f"It enters ALARM when {condition(change.new)}.",),
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
    """Whether this value makes the alarm notify later, or fewer people."""
    match value.property:
        case "ActionsEnabled":
            return value.new not in (True, None)
        case "AlarmActions":
            return any(action not in (value.new or ()) for action in value.old or ())
        case "TreatMissingData":
            return bool(value.old == "breaching" or value.new not in _TREATMENTS)
        case "DatapointsToAlarm" | "EvaluationPeriods":
            return notifies_later(_counted(change.old), _counted(change.new))
        case _:
            return _by_threshold(change, value)


def _by_threshold(change: ResourceChange, value: ValueChange) -> bool:
    if value.property != "Threshold":
        return False
    if not _is_number(value.old) or not _is_number(value.new):
        return True  # nobody knows when it enters ALARM
    operator = str(at(change.new, "Properties.ComparisonOperator") or "")
    return bool((value.new > value.old) == operator.startswith("Greater"))


def _counted(alarm: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """M of N periods must be over the threshold: all, where the template does not say how many."""
    periods = at(alarm, "Properties.EvaluationPeriods")
    datapoints = as_mapping(at(alarm, "Properties")).get("DatapointsToAlarm", periods)
    if not isinstance(periods, int) or not isinstance(datapoints, int) or isinstance(datapoints, bool):
        return None
    return (datapoints, periods) if 0 < datapoints <= periods else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def notifies_later(old: tuple[int, int] | None, new: tuple[int, int] | None) -> bool:
    """Whether some series of periods breaches the old M of N, and the new later or not at all.

    The old is breached by M periods over the threshold among its N. The new is not if these can lie so that
    no window of its own N holds its own M: at most M - 1 in each whole window, and in what is left of one.
    """
    if old is None or new is None:
        return old != new
    (wanted, among), (needed, window) = old, new
    whole, rest = divmod(among, window)
    return wanted <= whole * (needed - 1) + min(rest, needed - 1)


def _names_the_same(changes: Differences, change: ResourceChange, value: ValueChange) -> bool:
    """Whether an alarm watches what it did, under a new name of its own or by another reference to it."""
    stacks = [(side, side.get(change.stack.name)) for side in (changes.old, changes.new)]
    old, new = (
        resolver(side.stacks, stack)(given) if stack else given
        for (side, stack), given in zip(stacks, (value.old, value.new), strict=True)
    )
    return old == new or any(
        (old, new) == (physical_name(other.old or {}), physical_name(other.new or {}))
        for other in changes.resources
        if other.old and other.new
    )


def condition(alarm: Mapping[str, Any] | None) -> str:
    """`AWS/Kinesis WriteProvisionedThroughputExceeded > 0 in 3 of 5 periods of 60 s`."""
    properties = as_mapping(at(alarm, "Properties"))
    if rule := properties.get("AlarmRule"):
        return shown(rule)
    operator = _OPERATORS.get(str(properties.get("ComparisonOperator")), "against")
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
