"""Takes an alarm as CloudWatch does: its datapoints from the metrics at a time, then its state.

The window slides: at each evaluation, once a minute, the newest period ends. That is the default (CloudWatch
user guide, "Alarm evaluation window",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html).
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twin.alarms.expressions import Series, evaluated
from twin.alarms.missing_data import EXTRA_DATAPOINTS, Missing, State, state_of
from twin.metrics import SELECT

EVALUATED_EVERY_SECONDS = 60
Dimensions = frozenset[tuple[str, str]]

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Sent:
    """One or more values that a metric got at a time (of the clock, in seconds): a statistic set."""

    at: float
    number: float
    total: float
    lowest: float
    highest: float


_STATISTICS: dict[str, Callable[[Sequence[Sent]], float]] = {
    "Sum": lambda sent: sum(each.total for each in sent),
    "SampleCount": lambda sent: sum(each.number for each in sent),
    "Average": lambda sent: sum(each.total for each in sent) / sum(each.number for each in sent),
    "Maximum": lambda sent: max(each.highest for each in sent),
    "Minimum": lambda sent: min(each.lowest for each in sent),
}
_OF_QUERIES = {"MAX": "Maximum", "MIN": "Minimum"}


class Metrics(Protocol):
    """What was sent, of one region."""

    def sent(self, namespace: str, name: str, since: float) -> Iterable[tuple[Dimensions, Sequence[Sent]]]:
        """For each metric of this name."""


@dataclass(frozen=True, kw_only=True)
class MetricSource:
    """A metric: of exactly these dimensions, or, in a query, of each metric that has them among others."""

    namespace: str
    name: str
    dimensions: Dimensions
    statistic: str
    exactly: bool = True


@dataclass(frozen=True, kw_only=True)
class EvaluatedAlarm:
    """expression: metric math over the sources by id; None: the single source. period: in seconds."""

    name: str
    sources: Mapping[str, MetricSource]
    expression: str | None
    period: int
    comparison: str
    threshold: float
    breaching: int
    periods: int
    missing: Missing


@dataclass(frozen=True)
class AlarmEvaluation:
    state: State
    reason: str


def read_alarm(properties: Mapping[str, Any]) -> EvaluatedAlarm:
    """properties: of an AWS::CloudWatch::Alarm with resolved references, or a PutMetricAlarm request.

    Raises ValueError for what is not evaluated here.
    """
    expression = None
    if queries := properties.get("Metrics"):
        [shown] = [query for query in queries if query.get("ReturnData", True)]
        others = [query for query in queries if query is not shown]
        expression = shown.get("Expression")
        if expression is None or expression.startswith("SELECT "):
            expression, others = None, [shown]
        sources = {query["Id"]: _source(query) for query in others}
        [period] = {_period(query) for query in others}
    else:
        statistic = properties.get("ExtendedStatistic") or properties["Statistic"]
        sources = {"metric": _source({"MetricStat": {"Metric": properties, "Stat": statistic}})}
        period = int(properties["Period"])
    if properties["ComparisonOperator"] not in _COMPARISONS:
        raise ValueError(f"the twin does not know the comparison {properties['ComparisonOperator']}")
    periods = int(properties["EvaluationPeriods"])
    return EvaluatedAlarm(
        name=properties["AlarmName"],
        sources=sources,
        expression=expression,
        period=period,
        comparison=properties["ComparisonOperator"],
        threshold=float(properties["Threshold"]),
        breaching=int(properties.get("DatapointsToAlarm") or periods),
        periods=periods,
        missing=Missing(properties.get("TreatMissingData") or Missing.MISSING),
    )


def _period(query: Mapping[str, Any]) -> int:
    return int(query["MetricStat"]["Period"] if "MetricStat" in query else query["Period"])


def _source(query: Mapping[str, Any]) -> MetricSource:
    """Of a MetricDataQuery: a metric or a Metrics Insights query."""
    if "MetricStat" not in query:
        found = SELECT.fullmatch(query["Expression"])
        if found is None:
            raise ValueError(f"the twin does not evaluate the query {query['Expression']!r}")
        worst, name, namespace, dimension, value = found.groups()
        return MetricSource(
            namespace=namespace,
            name=name,
            dimensions=frozenset({(dimension, value)}),
            statistic=_OF_QUERIES[worst],
            exactly=False,
        )
    stat = query["MetricStat"]
    if stat["Stat"] not in _STATISTICS:
        raise ValueError(f"the twin does not know the statistic {stat['Stat']}")
    metric = stat["Metric"]
    return MetricSource(
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=frozenset((each["Name"], each["Value"]) for each in metric.get("Dimensions") or []),
        statistic=stat["Stat"],
    )


def datapoints(alarm: EvaluatedAlarm, metrics: Metrics, at: float) -> Series:
    """Of the evaluation range, the oldest first. at: the end of the newest period."""
    periods = alarm.periods + EXTRA_DATAPOINTS
    series = {
        key: _series(source, metrics, at, alarm.period, periods) for key, source in alarm.sources.items()
    }
    if alarm.expression is None:
        [single] = series.values()
        return single
    return evaluated(alarm.expression, series, periods)


def _series(source: MetricSource, metrics: Metrics, at: float, period: int, periods: int) -> Series:
    since = at - period * periods
    buckets: list[list[Sent]] = [[] for _ in range(periods)]
    for dimensions, sent in metrics.sent(source.namespace, source.name, since):
        if dimensions == source.dimensions or (not source.exactly and source.dimensions <= dimensions):
            for each in sent:
                if since <= each.at < at:
                    buckets[int((each.at - since) // period)].append(each)
    statistic = _STATISTICS[source.statistic]
    return [statistic(bucket) if bucket else None for bucket in buckets]


def evaluate(alarm: EvaluatedAlarm, metrics: Metrics, at: float, current: State) -> AlarmEvaluation:
    """at: seconds of the clock; current: the alarm's state so far."""
    found = datapoints(alarm, metrics, at)
    compare, words = _COMPARISONS[alarm.comparison]
    state = state_of(
        [None if value is None else compare(value, alarm.threshold) for value in found],
        breaching=alarm.breaching,
        periods=alarm.periods,
        missing=alarm.missing,
        current=current,
    )
    told = ", ".join("missing" if value is None else f"{value:g}" for value in found[-alarm.periods :])
    shown = told if len(told) <= 200 else f"... {told[-200:]}"
    return AlarmEvaluation(
        state,
        f"{alarm.breaching} of {alarm.periods} datapoints {words} {alarm.threshold:g} make ALARM;"
        f" missing data is {alarm.missing}; the newest datapoints, the newest last: {shown}",
    )
