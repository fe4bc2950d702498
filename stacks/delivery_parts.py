"""What the three delivery streams have in common: a role, a log, and a bucket to write to."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from names import OREGON
from stacks.acknowledge import acknowledge_wildcards
from stacks.flow_alarm import FlowAlarm
from stacks.log_group import NamedLogGroup
from stacks.settings import Settings

BUFFER_MIB = 64
"""Raw and rejected records wait for this much or for the time in the settings, whichever comes first."""

BEHIND_ALARM_SECONDS = 300
"""How much longer than its buffer holds it the oldest record may wait in a delivery stream."""
THROTTLED_RECORDS_ALARM = 0
"""Records a minute above the quota of direct puts; each is repeated."""

BY_HOUR = "!{timestamp:yyyy/MM/dd/HH}/"
BY_ERROR_AND_HOUR = "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"

ENCRYPTED_WITH_AWS_KEY = firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
    key_type="AWS_OWNED_CMK"
)

# One line per record, whatever the producer sent: without it a record that lacks its newline would take the
# good record after it along. A record that has one leaves an empty line, which readers skip.
ONE_LINE_PER_RECORD = firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
    enabled=True,
    processors=[
        firehose.CfnDeliveryStream.ProcessorProperty(
            type="AppendDelimiterToRecord",
            parameters=[
                firehose.CfnDeliveryStream.ProcessorParameterProperty(
                    parameter_name="Delimiter", parameter_value="\\n"
                )
            ],
        )
    ],
)


class DeliveryLog(Construct):
    """Log group of a delivery stream, with a log stream per destination: Firehose makes neither."""

    def __init__(
        self, scope: Construct, construct_id: str, *, delivery_stream: str, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = f"/aws/kinesisfirehose/{delivery_stream}"
        self._account = settings.account
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

    def may_be_written(self, *destinations: str) -> iam.PolicyStatement:
        group = f"arn:aws:logs:{OREGON}:{self._account}:log-group:{self._name}"
        return iam.PolicyStatement(
            sid="WritesItsLog",
            actions=["logs:PutLogEvents"],
            resources=[f"{group}:log-stream:{destination}" for destination in destinations],
        )


def alarm_when_behind(
    scope: Construct, *, delivery_stream: str, destination: str, buffer_seconds: int
) -> FlowAlarm:
    """destination: S3 or AmazonOpenSearchService, as in Firehose's metrics."""
    return FlowAlarm(
        scope,
        "IsBehind",
        watches=delivery_stream,
        metric=f"AWS/Firehose DeliveryTo{destination}.DataFreshness",
        dimensions={"DeliveryStreamName": delivery_stream},
        statistic="Maximum",
        threshold=buffer_seconds + BEHIND_ALARM_SECONDS,
    )


def alarm_when_throttled(scope: Construct, *, delivery_stream: str) -> FlowAlarm:
    return FlowAlarm(
        scope,
        "IsThrottled",
        watches=delivery_stream,
        metric="AWS/Firehose ThrottledRecords",
        dimensions={"DeliveryStreamName": delivery_stream},
        statistic="Sum",
        threshold=THROTTLED_RECORDS_ALARM,
    )


def delivery_role(
    scope: Construct, *, may: Sequence[iam.PolicyStatement], role_name: str | None = None
) -> iam.Role:
    return iam.Role(
        scope,
        "Role",
        role_name=role_name,
        assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"),
        inline_policies={"Rights": iam.PolicyDocument(statements=list(may))},
    )


def may_deliver_to(bucket: s3.IBucket, *, prefixes: Sequence[str]) -> list[iam.PolicyStatement]:
    """The rights that Firehose needs to write objects below `prefixes`, each ending with a slash."""
    return [
        iam.PolicyStatement(
            sid="FindsTheBucket",
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[bucket.bucket_arn],
        ),
        iam.PolicyStatement(
            sid="WritesObjects",
            actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            resources=objects_below(bucket, prefixes),
        ),
    ]


def objects_below(bucket: s3.IBucket, prefixes: Sequence[str]) -> list[str]:
    return [f"{bucket.bucket_arn}/{prefix}*" for prefix in prefixes]


def acknowledge_objects(role: iam.Role, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
    acknowledge_wildcards(
        role,
        objects_below(bucket, prefixes),
        reason="Firehose names the objects itself; the prefixes are this delivery stream's own.",
    )
