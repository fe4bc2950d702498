"""What a server outside these stacks may do here, as an instance profile."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct


def server_role(scope: Construct, *, name: str, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
    """A role for EC2 with exactly these statements, and an instance profile of the same name."""
    role = iam.Role(
        scope,
        "Role",
        role_name=name,
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        inline_policies={"Rights": iam.PolicyDocument(statements=list(statements))},
    )
    iam.InstanceProfile(scope, "InstanceProfile", instance_profile_name=name, role=role)
    return role


def reads_rankings(table_arn: str) -> iam.PolicyStatement:
    """One ranking at a time, by its segment."""
    return iam.PolicyStatement(sid="ReadsRankings", actions=["dynamodb:GetItem"], resources=[table_arn])
