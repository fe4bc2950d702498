"""The segments' door: the function that publishes uploaded files, what invokes it, and who may upload."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from lambdas.segments_publisher import configuration
from names import (
    INCOMING_SEGMENTS_PREFIX,
    REFUSED_SEGMENTS_PREFIX,
    SEGMENTS_CORRECTIONS_PREFIX,
    SEGMENTS_PREFIX,
    SEGMENTS_RECEIPTS_PREFIX,
    STAGED_SEGMENTS_PREFIX,
    Names,
)
from settings.segments import FUNCTION_MIB, SegmentsSettings
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.operator_role import OperatorRole
from stacks.constructs.service_function import FunctionDefaults, ServiceFunction
from stacks.segments.alarms import alarm_on_publisher

EVERY = Duration.minutes(1)
COMMAND = "publish"
"""Whose role it is: click-trends publish, versions and rollback."""


class SegmentsPublisher(Construct):
    """bucket: of the segments; lead_seconds, keep_seconds: as settings.segments derives them; topic_arn: of
    the environment's alarms, told of each refused file with its reasons."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        lead_seconds: int,
        keep_seconds: int,
        topic_arn: str | None,
        names: Names,
        settings: SegmentsSettings,
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        incoming, refused, receipts, staged, versions, corrections = (
            f"{bucket.bucket_arn}/{prefix}*"
            for prefix in (
                INCOMING_SEGMENTS_PREFIX,
                REFUSED_SEGMENTS_PREFIX,
                SEGMENTS_RECEIPTS_PREFIX,
                STAGED_SEGMENTS_PREFIX,
                SEGMENTS_PREFIX,
                SEGMENTS_CORRECTIONS_PREFIX,
            )
        )
        permissions = {
            "FindsUploads": (["s3:ListBucket", "s3:ListBucketVersions"], [bucket.bucket_arn]),
            "TakesUploads": (
                ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:GetObjectVersion"],
                [incoming],
            ),
            "KeepsRefusedFiles": (["s3:PutObject"], [refused]),
            "WritesReceipts": (["s3:GetObject", "s3:PutObject"], [receipts]),
            "StagesVersions": (
                ["s3:AbortMultipartUpload", "s3:DeleteObjectVersion", "s3:GetObjectVersion"],
                [staged],
            ),
            "PublishesVersions": (
                ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                [versions, corrections],
            ),
        }
        service = ServiceFunction(
            self,
            "Lambda",
            name=names.segments_publisher,
            description="Publishes uploaded files of the segments as versions",
            package=lambda_zip("segments_publisher"),
            statements=[
                iam.PolicyStatement(sid=sid, actions=actions, resources=resources)
                for sid, (actions, resources) in permissions.items()
            ]
            + (_tells(topic_arn, names) if topic_arn else []),
            environment={
                configuration.BUCKET: bucket.bucket_name,
                configuration.LEAD_SECONDS: str(lead_seconds),
                configuration.KEEP_SECONDS: str(keep_seconds),
                configuration.LEASE_SECONDS: str(settings.lease_seconds),
                configuration.MAX_USERS: str(settings.max_users),
                configuration.MAX_PLAIN_BYTES: str(settings.max_plain_mib * 1024**2),
                configuration.MAX_SHRINK_PERCENT: str(settings.max_shrink_percent),
                **({configuration.TOPIC_ARN: topic_arn} if topic_arn else {}),
            },
            memory_mib=FUNCTION_MIB,
            timeout=Duration.seconds(settings.function_seconds),
            defaults=defaults,
        )
        acknowledge_wildcards(
            service.role,
            [incoming, refused, receipts, staged, versions, corrections],
            reason="Publishers name their files, and versions are named after their time; nothing else lies "
            "below these prefixes.",
        )
        if topic_arn:
            acknowledge_wildcards(
                service.role,
                [_keys(names)],
                reason="The topic's key is known to its owner alone; its use is bound to SNS and the topic.",
            )
        # The schedule comes again sooner than Lambda would retry; an invocation that finds another at work
        # leaves at once.
        service.function.configure_async_invoke(retry_attempts=0, max_event_age=EVERY)
        events.Rule(
            self,
            "Schedule",
            rule_name=names.segments_publisher,
            description="Invokes the publisher of the segments",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(service.function)],
        )
        alarm_on_publisher(
            self, function=names.segments_publisher, lead_seconds=lead_seconds, settings=settings
        )
        operator = OperatorRole(
            self,
            "Operator",
            command=COMMAND,
            statements=[
                iam.PolicyStatement(
                    sid="FindsVersions", actions=["s3:ListBucket"], resources=[bucket.bucket_arn]
                ),
                iam.PolicyStatement(sid="UploadsFiles", actions=["s3:PutObject"], resources=[incoming]),
                iam.PolicyStatement(
                    sid="ReadsWhatBecameOfThem",
                    actions=["s3:GetObject"],
                    resources=[receipts, refused, versions],
                ),
            ],
            names=names,
        )
        acknowledge_wildcards(
            operator.role,
            [incoming, receipts, refused, versions],
            reason="A publisher names its files, and versions are named after their time.",
        )


def _keys(names: Names) -> str:
    return f"arn:aws:kms:{names.oregon}:{names.account}:key/*"


def _tells(topic_arn: str, names: Names) -> list[iam.PolicyStatement]:
    """Publishing to the topic. One that is encrypted takes its key too, which nothing here names: any of the
    account, but by SNS alone and for this topic (SNS developer guide, "Key management", has the permissions
    and the encryption context)."""
    return [
        iam.PolicyStatement(sid="SaysWhatWasRefused", actions=["sns:Publish"], resources=[topic_arn]),
        iam.PolicyStatement(
            sid="EncryptsItForTheTopic",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[_keys(names)],
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"sns.{names.oregon}.amazonaws.com",
                    "kms:EncryptionContext:aws:sns:topicArn": topic_arn,
                }
            },
        ),
    ]
