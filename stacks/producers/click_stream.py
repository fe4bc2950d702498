"""Kinesis streams as both of ours are: encrypted with AWS's own key, kept with their data, watched."""

from functools import partial

from aws_cdk import Duration
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from stacks.constructs.retention import Retention
from stacks.monitoring.alarm import AT_ONCE, Alarm, AlarmDefinition
from stacks.monitoring.flows import into_stream
from stacks.monitoring.measure import metric
from stacks.monitoring.silence import BREACHING, NO_CLICKS, notified_by

REFUSED_RECORDS_ALARM = 0
"""Records a minute that a shard refused; each is retried, so only some minutes of it are a fault."""
CONSUMERS_BEHIND_ALARM_SECONDS = 60
"""Age of the last record that the slowest consumer got; a count is a minute late then."""


class ClickStream(kinesis.Stream):
    """shards: how many; None is on demand, where the stream scales to twice the peak of the last 30 days.
    quiet_minutes: without a record are a fault; None: no time without any is. hop: as in AlarmDefinition;
    consumer_stops: the measure whose alarm notifies when nothing consumes the stream any more.

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
        hop: str,
        consumer_stops: str,
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
        of_stream = partial(AlarmDefinition, watches=stream_name, hop=hop)
        Alarm(
            self,
            "RefusesRecords",
            of_stream(
                measure=metric(
                    "AWS/Kinesis WriteProvisionedThroughputExceeded", dimensions=dimensions, statistic="Sum"
                ),
                threshold=REFUSED_RECORDS_ALARM,
                unit="records",
                shows="Shards of the stream refuse records; producers retry them.",
                silence=NO_CLICKS,
            ),
        )
        Alarm(
            self,
            "ReadersAreBehind",
            of_stream(
                measure=metric(
                    "AWS/Kinesis GetRecords.IteratorAgeMilliseconds",
                    dimensions=dimensions,
                    statistic="Maximum",
                ),
                threshold=CONSUMERS_BEHIND_ALARM_SECONDS * 1000,
                unit="ms",
                shows="The slowest consumer of the stream is behind.",
                silence=notified_by(consumer_stops),
                headline="age",
            ),
        )
        if quiet_minutes is not None:
            Alarm(
                self,
                "GetsNothing",
                of_stream(
                    measure=into_stream(stream_name, period=Duration.minutes(quiet_minutes)),
                    threshold=1,
                    breached="below",
                    unit="records",
                    shows="The stream has received no record for as long as the settings allow.",
                    silence=BREACHING,
                    evaluation=AT_ONCE,
                ),
            )
