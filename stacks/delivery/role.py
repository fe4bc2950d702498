"""The role of a delivery stream, and its rights in the bucket to which it writes."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.acknowledge import acknowledge_wildcards


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
