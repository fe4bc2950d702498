"""Where a delivery stream tells of what it could not deliver."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from settings import Settings
from stacks.constructs.log_group import NamedLogGroup


class DeliveryLog(Construct):
    """Log group of a delivery stream, with a log stream per destination: Firehose makes neither."""

    def __init__(
        self, scope: Construct, construct_id: str, *, delivery_stream: str, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = f"/aws/kinesisfirehose/{delivery_stream}"
        self._arn = f"arn:aws:logs:{settings.regions.oregon}:{settings.account}:log-group:{self._name}"
        self.group = NamedLogGroup(self, "Group", name=self._name, days=settings.log_retention_days)

    def options(self, destination: str) -> firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty:
        """Logging of one destination, into a log stream of its name."""
        stream = logs.LogStream(
            self,
            destination,
            log_group=self.group,
            log_stream_name=destination,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
            enabled=True, log_group_name=self._name, log_stream_name=stream.log_stream_name
        )

    def write_statement(self, *destinations: str) -> iam.PolicyStatement:
        """The right to write the log streams of these destinations."""
        return iam.PolicyStatement(
            sid="WritesItsLog",
            actions=["logs:PutLogEvents"],
            resources=[f"{self._arn}:log-stream:{destination}" for destination in destinations],
        )
