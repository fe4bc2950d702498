"""What an alarm compares with its threshold: a metric, its growth, a query over metrics, or a share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

PERIOD = Duration.minutes(1)
REJECTED_SHARE = "RejectedShare"
"""Of the forwarder and of the application: one heading of the runbook."""
SHARE_MIN_CLICKS = 100
"""Clicks in a minute below which their share says nothing."""
SHARE_MIN_BYTES = SHARE_MIN_CLICKS * 300
"""Of as many average clicks."""
SILENCE_MINUTES = 5
"""Shortest period after which something that was sent and not taken is a fault. Metrics come minutes late."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """name: of the metric or share; alarms and headings of the runbook are named after it."""

    name: str
    metric: cloudwatch.IMetric

    @property
    def period(self) -> Duration:
        return self._shown.period

    def shown_as(self, label: str, *, region: str | None = None) -> "Measure":
        """For a graph. region: where the metric is, for a graph of several regions."""
        shown = self._shown
        if isinstance(shown, cloudwatch.MathExpression):
            return replace(self, metric=shown.with_(label=label))
        return replace(self, metric=shown.with_(label=label, region=region))

    @property
    def _shown(self) -> cloudwatch.Metric | cloudwatch.MathExpression:
        if isinstance(self.metric, cloudwatch.Metric | cloudwatch.MathExpression):
            return self.metric
        raise TypeError(f"{self.name}: {type(self.metric).__name__} cannot be shown under a label")


def metric(
    name: str,
    *,
    dimensions: Mapping[str, str],
    statistic: str,
    period: Duration = PERIOD,
) -> Measure:
    """name: namespace and name, as `AWS/Kinesis WriteProvisionedThroughputExceeded`; period: longer for what
    comes less often than once a minute."""
    namespace, plain_name = name.split(" ")
    return Measure(
        name=plain_name,
        metric=cloudwatch.Metric(
            namespace=namespace,
            metric_name=plain_name,
            dimensions_map=dict(dimensions),
            statistic=statistic,
            period=period,
        ),
    )


def query(
    name: str,
    *,
    namespace: str,
    dimension: str,
    value: str,
    worst: Literal["MAX", "MIN"] = "MAX",
) -> Measure:
    """The worst value of a metric among all that have this value of a dimension, whatever their others.

    For those of Managed Service for Apache Flink that have further dimensions, which its guide names but
    partly: the flow, the stream, the group of a gauge of our own. A widget shows one query at most
    (CloudWatch user guide, "Metrics Insights quotas": one in each GetMetricData).
    """
    expression = f"SELECT {worst}({name}) FROM \"{namespace}\" WHERE {dimension} = '{value}'"
    return Measure(name=name, metric=cloudwatch.MathExpression(expression=expression, period=PERIOD))


def is_query(shown: cloudwatch.IMetric) -> bool:
    """Whether it is a Metrics Insights query."""
    return isinstance(shown, cloudwatch.MathExpression) and shown.expression.startswith("SELECT ")


def growth(of: Measure) -> Measure:
    """By how much a measure grew in a minute; for metrics that count since a start, as `numRestarts`.

    Not of a query: the user guide applies math to one in graphs and GetMetricData ("Use Metrics Insights
    queries with metric math"), and says nothing of alarms.
    """
    return Measure(
        name=of.name,
        metric=cloudwatch.MathExpression(
            expression="DIFF(counter)", using_metrics={"counter": of.metric}, period=PERIOD
        ),
    )


@dataclass(frozen=True)
class Portion:
    """Of a whole, in the same unit. at_least: of the whole; in less, a few would make a large share."""

    what: Measure
    of: Measure
    at_least: int


def share(name: str, *parts: Portion) -> Measure:
    """Percent: the larger where there are two; 0 where the whole is not `at_least` that large."""
    percents = [
        f"IF(whole{n} < {part.at_least}, 0, 100 * FILL(part{n}, 0) / whole{n})"
        for n, part in enumerate(parts)
    ]
    used = {f"part{n}": part.what.metric for n, part in enumerate(parts)}
    used |= {f"whole{n}": part.of.metric for n, part in enumerate(parts)}
    larger = percents.pop()
    for percent in percents:
        larger = f"IF({percent} > {larger}, {percent}, {larger})"
    return Measure(
        name=name,
        metric=cloudwatch.MathExpression(expression=larger, using_metrics=used, period=PERIOD),
    )


def unanswered(name: str, *, sent: Measure, taken: Sequence[Measure], within_seconds: int) -> Measure:
    """1 in a period in which something was sent and nothing was taken, else 0, also where nothing was sent.

    within_seconds: by when a healthy part has taken what was sent. The period is at least as long, so what
    is sent at its end is taken in the next one at the latest: two such periods in a row are a fault, however
    few are sent. A part that is off reports nothing, hence FILL; the newest period may lack what comes late,
    hence two (CloudWatch user guide, "Using math expressions with CloudWatch metrics", FILL).
    """
    period = Duration.minutes(max(SILENCE_MINUTES, ceil(within_seconds / 60)))
    takers = {f"taken{number}": _in_periods_of(measure, period) for number, measure in enumerate(taken)}
    everything = " + ".join(f"FILL({taker}, 0)" for taker in takers)
    return Measure(
        name=name,
        metric=cloudwatch.MathExpression(
            expression=f"IF(FILL(sent, 0) > 0 AND ({everything}) == 0, 1, 0)",
            using_metrics={"sent": _in_periods_of(sent, period), **takers},
            period=period,
        ),
    )


def _in_periods_of(measure: Measure, period: Duration) -> cloudwatch.IMetric:
    """As an expression of this period takes it anyway; the CDK warns of one that has to be changed."""
    metric = measure.metric
    return metric.with_(period=period) if isinstance(metric, cloudwatch.Metric) else metric
