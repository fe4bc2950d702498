"""An alarm on a flow, built beside what it watches: docs/operate/runbook.md says what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IConstruct

from stacks.monitoring.measure import Measure

WATCHES = "click-trends:watches"
MEASURES = "click-trends:measures"
"""Metadata of an alarm's construct. What CDK's tree gives back need not be the object that was put in."""


@dataclass(frozen=True)
class RingingTime:
    """An alarm rings when `ringing` of the last `evaluated` periods (minutes, as a rule) were beyond its
    threshold."""

    ringing: int
    evaluated: int


SUSTAINED = RingingTime(3, 5)
"""Every producer and reader retries what was refused, so a short burst is not worth waking anyone."""
REPEATED = RingingTime(3, 60)
"""For what comes singly in normal work, and every few minutes where something is wrong."""
LASTING = RingingTime(60, 60)
"""For what the service mends by itself, as a rule."""
AT_ONCE = RingingTime(1, 1)
"""For what no retry mends: someone has to look at it."""
TWICE = RingingTime(2, 2)
"""For what is no fault in a single period: see `unanswered` in measure.py."""


class Alarm(cloudwatch.Alarm):
    """Rings when the measure was beyond `threshold` (in its unit) for as long as `minutes` says.

    watches: the physical name of what is watched. missing: what a minute without data is taken for. Most
    metrics exist only while something flows, so no data is no alarm; where a healthy thing always reports,
    its silence is the alarm.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watches: str,
        measure: Measure,
        threshold: float,
        rings: Literal["above", "below"] = "above",
        missing: Literal["good", "bad"] = "good",
        minutes: RingingTime = SUSTAINED,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            alarm_name=alarm_name(watches, measure.name),
            alarm_description=(
                f"{watches}: docs/operate/runbook.md says what {measure.name} means and what to do"
            ),
            metric=measure.metric,
            threshold=threshold,
            evaluation_periods=minutes.evaluated,
            datapoints_to_alarm=minutes.ringing,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
            if rings == "above"
            else cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING
            if missing == "good"
            else cloudwatch.TreatMissingData.BREACHING,
        )
        self.node.add_metadata(WATCHES, watches)
        self.node.add_metadata(MEASURES, measure.name)


@dataclass(frozen=True, kw_only=True)
class BuiltAlarm:
    """An alarm as found in a stack. watches, measures: as given to Alarm; name: its physical name."""

    alarm: cloudwatch.Alarm
    watches: str
    measures: str

    @property
    def name(self) -> str:
        return alarm_name(self.watches, self.measures)

    @property
    def _compared(self) -> cloudwatch.Metric | cloudwatch.MathExpression:
        compared = self.alarm.metric
        if isinstance(compared, cloudwatch.Metric | cloudwatch.MathExpression):
            return compared
        raise TypeError(f"{self.name}: {type(compared).__name__} cannot be shown under a label")

    def metric(self, label: str) -> cloudwatch.IMetric:
        """What the alarm compares with its threshold, under this label."""
        return self._compared.with_(label=label)

    def threshold_line(self) -> cloudwatch.HorizontalAnnotation:
        resource = self.alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        assert resource.threshold is not None
        side = "above" if resource.comparison_operator == "GreaterThanThreshold" else "below"
        minutes = self._compared.period.to_minutes()
        periods = f"{resource.datapoints_to_alarm:g} of {resource.evaluation_periods:g}"
        periods += " minutes" if minutes == 1 else f" periods of {minutes:g} minutes"
        return cloudwatch.HorizontalAnnotation(
            value=resource.threshold,
            label=f"rings {side}, in {periods}",
            color=cloudwatch.Color.RED,
        )


def alarm_name(watches: str, measures: str) -> str:
    return f"{watches}-{measures}"


def built_alarms(*roots: IConstruct) -> Iterable[BuiltAlarm]:
    """Every Alarm below the roots, in the order in which they were built."""
    for root in roots:
        for found in root.node.find_all():
            if isinstance(found, cloudwatch.Alarm):
                told = {entry.type: str(entry.data) for entry in found.node.metadata}
                yield BuiltAlarm(alarm=found, watches=told[WATCHES], measures=told[MEASURES])
