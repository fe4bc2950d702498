"""The bucket of the segments: only the publisher writes versions and what it knows of them."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from names import (
    REFUSED_SEGMENTS_PREFIX,
    SEGMENTS_CORRECTIONS_PREFIX,
    SEGMENTS_PREFIX,
    SEGMENTS_RECEIPTS_PREFIX,
    STAGED_SEGMENTS_PREFIX,
    Names,
)
from stacks.constructs.private_bucket import PrivateBucket
from stacks.constructs.retention import Retention

REFUSED_DAYS = 30
"""For which a refused file is kept for its publisher."""
PUBLISHERS_PREFIXES = (SEGMENTS_PREFIX, SEGMENTS_CORRECTIONS_PREFIX, SEGMENTS_RECEIPTS_PREFIX)


class SegmentsBucket(PrivateBucket):
    """Versions have no age at which S3 deletes them, as the publisher knows which one is still needed, and
    uploads none, as the publisher decides each: one that waits must not go unseen."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, retention: Retention) -> None:
        super().__init__(
            scope, construct_id, bucket_name=names.segments_bucket, versioned=True, retention=retention
        )
        one_day = Duration.days(1)
        self.add_lifecycle_rule(
            prefix=REFUSED_SEGMENTS_PREFIX,
            expiration=Duration.days(REFUSED_DAYS),
            noncurrent_version_expiration=one_day,
        )
        self.add_lifecycle_rule(  # of invocations that died
            prefix=STAGED_SEGMENTS_PREFIX, expiration=one_day, noncurrent_version_expiration=one_day
        )
        self.add_lifecycle_rule(expired_object_delete_marker=True)
        # Whatever its permissions, a person too. A deny stops neither the lifecycle rules (S3 user guide,
        # "Setting an S3 Lifecycle configuration on a bucket") nor a change of this policy, the way out for an
        # administrator. An assumed role's aws:PrincipalArn is the role's ARN; without any it does not match.
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyThePublisherWritesVersions",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=[
                    "s3:DeleteObject",
                    "s3:DeleteObjectVersion",
                    "s3:PutObject",
                    "s3:ReplicateDelete",
                    "s3:ReplicateObject",
                ],
                resources=[self.arn_for_objects(f"{prefix}*") for prefix in PUBLISHERS_PREFIXES],
                conditions={
                    "StringNotEquals": {"aws:PrincipalArn": names.role_arn(names.segments_publisher)}
                },
            )
        )
