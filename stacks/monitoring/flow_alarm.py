"""An alarm on a flow: built beside what it watches. docs/flow_limits.md says what to do when it rings."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

EVALUATED_MINUTES = 5
RINGING_MINUTES = 3
"""Every producer and reader repeats what was refused, so a short burst is not worth waking anyone."""


class FlowAlarm(cloudwatch.Alarm):
    """Rings when `metric` was above `threshold` (in the metric's unit) in 3 of 5 minutes.

    metric: namespace and name, as `AWS/Kinesis WriteProvisionedThroughputExceeded`. No data is no alarm: most
    of these metrics exist only while something flows. once_is_enough: rings in the first minute, for what
    runs now and then and is not repeated.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watches: str,
        metric: str,
        dimensions: dict[str, str],
        statistic: str,
        threshold: float,
        once_is_enough: bool = False,
    ) -> None:
        namespace, name = metric.split(" ")
        super().__init__(
            scope,
            construct_id,
            alarm_name=f"{watches}-{name}",
            alarm_description=f"{watches}: docs/flow_limits.md says what {name} means and what to do",
            metric=cloudwatch.Metric(
                namespace=namespace,
                metric_name=name,
                dimensions_map=dimensions,
                statistic=statistic,
                period=Duration.minutes(1),
            ),
            threshold=threshold,
            evaluation_periods=1 if once_is_enough else EVALUATED_MINUTES,
            datapoints_to_alarm=1 if once_is_enough else RINGING_MINUTES,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
