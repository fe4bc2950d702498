"""What `click-trends erase` may do."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

from names import (
    ERASED_PREFIX,
    FAILED_BATCHES_PREFIX,
    INCOMING_SEGMENTS_PREFIX,
    RAW_ERRORS_PREFIX,
    RAW_PREFIX,
    REJECTED_ERRORS_PREFIX,
    REJECTED_PREFIX,
    REJECTED_RECORDS_PREFIX,
    SEGMENTS_PREFIX,
    Names,
)
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.operator_role import OperatorRole

COMMAND = "erase"


class ErasureRole(Construct):
    """It reads and rewrites what holds clicks, adds tallies, and uploads segments. It deletes nothing, so
    that a stolen session cannot empty a bucket, and reads no stream.

    A conditional write with If-Match takes s3:GetObject too
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
    """

    def __init__(self, scope: Construct, construct_id: str, *, names: Names) -> None:
        super().__init__(scope, construct_id)
        rewritten = _objects(
            {
                names.raw_bucket: (RAW_PREFIX, RAW_ERRORS_PREFIX),
                names.rejected_bucket: (REJECTED_PREFIX, REJECTED_ERRORS_PREFIX),
                names.dead_letter_bucket: (REJECTED_RECORDS_PREFIX, FAILED_BATCHES_PREFIX),
            }
        )
        read = _objects({names.segments_bucket: (SEGMENTS_PREFIX,)})
        added = _objects(
            {names.raw_bucket: (ERASED_PREFIX,), names.segments_bucket: (INCOMING_SEGMENTS_PREFIX,)}
        )
        buckets = (names.raw_bucket, names.rejected_bucket, names.dead_letter_bucket, names.segments_bucket)
        permissions = {
            "FindsObjects": (["s3:ListBucket"], [f"arn:aws:s3:::{bucket}" for bucket in buckets]),
            "ReadsThem": (["s3:GetObject"], [*rewritten, *read]),
            "RewritesThem": (["s3:PutObject"], [*rewritten, *added]),
            "KeepsTheirLife": (["s3:PutObjectTagging"], rewritten),
        }
        role = OperatorRole(
            self,
            "Operator",
            command=COMMAND,
            statements=[
                iam.PolicyStatement(sid=sid, actions=actions, resources=resources)
                for sid, (actions, resources) in permissions.items()
            ],
            names=names,
        ).role
        acknowledge_wildcards(
            role,
            [*rewritten, *read, *added],
            reason="Firehose, Lambda and the functions name the objects themselves; a reader's clicks may be "
            "in any of them.",
        )


def _objects(prefixes: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [f"arn:aws:s3:::{bucket}/{prefix}*" for bucket, each in prefixes.items() for prefix in each]
