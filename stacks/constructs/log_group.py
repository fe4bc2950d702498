"""Log groups with a name known beforehand and an end to their events."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from settings import LogDays

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


class NamedLogGroup(logs.LogGroup):
    """Deleted with its stack: its resources are gone too."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, days: LogDays) -> None:
        super().__init__(
            scope,
            construct_id,
            log_group_name=name,
            retention=_RETENTION[days],
            removal_policy=RemovalPolicy.DESTROY,
        )


def events_arn(log_group_name: str, *, region: str, account: str) -> str:
    """ARN of every event stream in a log group, as IAM wants it to write events."""
    return f"arn:aws:logs:{region}:{account}:log-group:{log_group_name}:log-stream:*"
