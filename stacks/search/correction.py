"""Who may give `click-trends correct`."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from names import RAW_PREFIX, SEGMENTS_CORRECTIONS_PREFIX, SEGMENTS_PREFIX, Names
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.operator_role import OperatorRole
from stacks.search import access as search_access


class CorrectionRole(Construct):
    """Reads raw clicks and segments, and loads and switches generations of counts."""

    def __init__(self, scope: Construct, construct_id: str, *, domain_arn: str, names: Names) -> None:
        super().__init__(scope, construct_id)
        buckets = {
            RAW_PREFIX: names.raw_bucket,
            SEGMENTS_PREFIX: names.segments_bucket,
            SEGMENTS_CORRECTIONS_PREFIX: names.segments_bucket,
        }
        objects = [f"arn:aws:s3:::{bucket}/{prefix}*" for prefix, bucket in buckets.items()]
        statements = [
            iam.PolicyStatement(sid="FindsTheDomain", actions=["es:DescribeDomain"], resources=[domain_arn]),
            *(
                iam.PolicyStatement(
                    sid=f"Lists{prefix.rstrip('/').title()}",
                    actions=["s3:ListBucket"],
                    resources=[f"arn:aws:s3:::{bucket}"],
                    conditions={"StringLike": {"s3:prefix": f"{prefix}*"}},
                )
                for prefix, bucket in buckets.items()
            ),
            iam.PolicyStatement(sid="ReadsClicksAndSegments", actions=["s3:GetObject"], resources=objects),
            *(access.statement(domain_arn) for access in search_access.CORRECTION_ACCESS),
        ]
        made = OperatorRole(
            self,
            "Role",
            command=search_access.CORRECTION,
            statements=statements,
            names=names,
        )
        paths = {
            path
            for access in search_access.CORRECTION_ACCESS
            for path in access.resources(domain_arn)
            if "*" in path
        }
        acknowledge_wildcards(
            made.role,
            [*objects, *sorted(paths)],
            reason="Objects are named by their hour, and indices of counts by their generation and day.",
        )
