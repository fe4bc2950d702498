"""The permissions boundary of the roles, where an account demands one."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam


def bound_roles(*stacks: Stack, boundary_arn: str | None) -> None:
    """Give every role of the stacks this boundary, also those that the CDK makes, now or later.

    That of the bootstrap's roles is given at bootstrap (CDK v2 developer guide, "Create and apply permissions
    boundaries for the AWS CDK").
    """
    if boundary_arn is None:
        return
    for stack in stacks:
        policy = iam.ManagedPolicy.from_managed_policy_arn(stack, "PermissionsBoundary", boundary_arn)
        iam.PermissionsBoundary.of(stack).apply(policy)
