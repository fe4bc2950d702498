"""Kinesis streams as both of ours are: encrypted with AWS's own key, kept with their data, watched."""

from aws_cdk import Duration
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from stacks.constructs.retention import Retention
from stacks.monitoring.alarm import AT_ONCE, Alarm
from stacks.monitoring.measure import metric

REFUSED_RECORDS_ALARM = 0
"""Records a minute that a shard refused to take; each is retried, so only some minutes of it ring."""
READERS_BEHIND_ALARM_SECONDS = 60
"""Age of the last record that the slowest reader got; a count is a minute late then."""


class ClickStream(kinesis.Stream):
    """shards: how many; None is on demand, where the stream scales to twice the peak of the last 30 days.
    quiet_minutes: without a record are a fault; None: no time without any is.

    The AWS-managed key needs no grant for a producer in the other region; a customer key needs one in both.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stream_name: str,
        shards: int | None,
        retention_hours: int,
        quiet_minutes: int | None,
        retention: Retention,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            stream_name=stream_name,
            stream_mode=kinesis.StreamMode.PROVISIONED if shards else kinesis.StreamMode.ON_DEMAND,
            shard_count=shards,
            retention_period=Duration.hours(retention_hours),
            encryption=kinesis.StreamEncryption.MANAGED,
            removal_policy=retention.removal_policy,
        )
        dimensions = {"StreamName": stream_name}
        Alarm(
            self,
            "RefusesRecords",
            watches=stream_name,
            measure=metric(
                "AWS/Kinesis WriteProvisionedThroughputExceeded", dimensions=dimensions, statistic="Sum"
            ),
            threshold=REFUSED_RECORDS_ALARM,
        )
        Alarm(
            self,
            "ReadersAreBehind",
            watches=stream_name,
            measure=metric(
                "AWS/Kinesis GetRecords.IteratorAgeMilliseconds", dimensions=dimensions, statistic="Maximum"
            ),
            threshold=READERS_BEHIND_ALARM_SECONDS * 1000,
        )
        if quiet_minutes is not None:
            Alarm(
                self,
                "GetsNothing",
                watches=stream_name,
                measure=metric(
                    "AWS/Kinesis IncomingRecords",
                    dimensions=dimensions,
                    statistic="Sum",
                    period=Duration.minutes(quiet_minutes),
                ),
                threshold=1,
                rings="below",
                missing="bad",
                minutes=AT_ONCE,
            )
