"""What `click-trends replay` may do: read what a replay needs, and put counts."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from names import (
    RAW_PREFIX,
    REJECTED_PREFIX,
    REPLAYS_PREFIX,
    SEGMENTS_CORRECTIONS_PREFIX,
    SEGMENTS_PREFIX,
    Names,
)
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.operator_role import OperatorRole
from stacks.search import access as search_access

COMMAND = "replay"


class ReplayOperator(Construct):
    """function: the ARN of the one that replays on AWS; delivery_streams: those of counts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: str,
        delivery_streams: Sequence[str],
        names: Names,
    ) -> None:
        super().__init__(scope, construct_id)
        read = {
            RAW_PREFIX: names.raw_bucket,
            SEGMENTS_PREFIX: names.segments_bucket,
            SEGMENTS_CORRECTIONS_PREFIX: names.segments_bucket,
            REJECTED_PREFIX: names.rejected_bucket,
        }
        lists = [
            iam.PolicyStatement(
                sid=f"Lists{prefix.rstrip('/').title()}",
                actions=["s3:ListBucket"],
                resources=[f"arn:aws:s3:::{bucket}"],
                conditions={"StringLike": {"s3:prefix": f"{prefix}*"}},
            )
            for prefix, bucket in read.items()
        ]
        objects = [f"arn:aws:s3:::{bucket}/{prefix}*" for prefix, bucket in read.items()]
        objects.append(f"arn:aws:s3:::{names.raw_bucket}/{REPLAYS_PREFIX}*")
        operator = OperatorRole(
            self,
            "Operator",
            command=COMMAND,
            statements=[
                *lists,
                iam.PolicyStatement(sid="Reads", actions=["s3:GetObject"], resources=objects),
                iam.PolicyStatement(
                    sid="AsksForReplays", actions=["lambda:InvokeFunction"], resources=[function]
                ),
                iam.PolicyStatement(
                    sid="FindsTheDomain", actions=["es:DescribeDomain"], resources=[names.search_domain_arn]
                ),
                *(each.statement(names.search_domain_arn) for each in search_access.REPLAYING_OPERATOR),
                iam.PolicyStatement(
                    sid="PutsCounts", actions=["firehose:PutRecordBatch"], resources=list(delivery_streams)
                ),
            ],
            names=names,
        )
        acknowledge_wildcards(
            operator.role,
            objects,
            reason="Firehose and publishers name the objects; nothing else lies below these prefixes.",
        )
