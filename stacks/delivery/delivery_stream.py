"""What every delivery stream has: a log, a role that writes to a bucket, and encryption at rest."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from settings import LogDays
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.log_group import NamedLogGroup

ENCRYPTED_WITH_AWS_KEY = firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
    key_type="AWS_OWNED_CMK"
)
"""For one that records are put into; one that reads a stream takes none."""


class DeliveryLog(Construct):
    """Log group of a delivery stream, with a log stream per destination: Firehose makes neither."""

    def __init__(
        self, scope: Construct, construct_id: str, *, delivery_stream: str, log_days: LogDays
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self._name = f"/aws/kinesisfirehose/{delivery_stream}"
        self._arn = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{self._name}"
        self.group = NamedLogGroup(self, "Group", name=self._name, days=log_days)

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
        """Permission to write the log streams of these destinations."""
        return iam.PolicyStatement(
            sid="WritesItsLog",
            actions=["logs:PutLogEvents"],
            resources=[f"{self._arn}:log-stream:{destination}" for destination in destinations],
        )


def delivery_role(
    scope: Construct,
    *,
    bucket: s3.IBucket,
    prefixes: Sequence[str],
    statements: Sequence[iam.PolicyStatement],
    log: iam.PolicyStatement,
    role_name: str | None = None,
) -> iam.Role:
    """A role that writes objects below `prefixes`, each ending with a slash, and its log.

    statements: what it may do besides.
    """
    objects = [f"{bucket.bucket_arn}/{prefix}*" for prefix in prefixes]
    finds_the_bucket = iam.PolicyStatement(
        sid="FindsTheBucket",
        actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
        resources=[bucket.bucket_arn],
    )
    writes_objects = iam.PolicyStatement(
        sid="WritesObjects",
        actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        resources=objects,
    )
    role = iam.Role(
        scope,
        "Role",
        role_name=role_name,
        assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"),
        inline_policies={
            "Rights": iam.PolicyDocument(statements=[*statements, finds_the_bucket, writes_objects, log])
        },
    )
    acknowledge_wildcards(
        role,
        objects,
        reason="Firehose names the objects itself; the prefixes are this delivery stream's own.",
    )
    return role
