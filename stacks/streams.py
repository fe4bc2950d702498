"""Kinesis streams as both of ours are: on demand, encrypted with AWS's own key, kept with their data."""

from aws_cdk import Duration
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from stacks.retention import Retention


class ClickStream(kinesis.Stream):
    """On demand: it scales to twice the peak of the last 30 days by itself.

    The AWS-managed key needs no grant for a producer in the other region; a customer key needs one in both.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stream_name: str,
        retention_hours: int,
        retention: Retention,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            stream_name=stream_name,
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            retention_period=Duration.hours(retention_hours),
            encryption=kinesis.StreamEncryption.MANAGED,
            removal_policy=retention.removal_policy,
        )
