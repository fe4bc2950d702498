"""An alarm on a flow: built beside what it watches. docs/flow_limits.md says what to do when it rings."""

from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.monitoring.measure import Measure


@dataclass(frozen=True)
class RingingTime:
    """An alarm rings when `ringing` of the last `evaluated` minutes were beyond its threshold."""

    ringing: int
    evaluated: int


SUSTAINED = RingingTime(3, 5)
"""Every producer and reader retries what was refused, so a short burst is not worth waking anyone."""
REPEATED = RingingTime(3, 60)
"""For what comes singly in normal work, and every few minutes where something is wrong."""
AT_ONCE = RingingTime(1, 1)
"""For what no retry mends: someone has to look at it."""


class FlowAlarm(cloudwatch.Alarm):
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
            alarm_name=f"{watches}-{measure.name}",
            alarm_description=f"{watches}: docs/flow_limits.md says what {measure.name} means and what to do",
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
