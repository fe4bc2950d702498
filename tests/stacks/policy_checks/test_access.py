"""No grant on everything without a reason, nothing open to everyone, and no reason that says nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from stacks.constructs.acknowledge import acknowledge, acknowledge_wildcards
from stacks.constructs.private_bucket import PrivateBucket
from tests.stacks.policy_checks.policy_fixture import KEEP, NAMES, Build, Check


def role_with(**statement: Any) -> Callable[[Stack], iam.Role]:
    def build(stack: Stack) -> iam.Role:
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(**statement))
        return role

    return build


def bucket_with_policy(**statement: Any) -> Build:
    def build(stack: Stack) -> None:
        bucket = PrivateBucket(stack, "Bucket", bucket_name=NAMES.raw_bucket, retention=KEEP)
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[bucket.arn_for_objects("*")], **statement
            )
        )

    return build


# No grant on everything without a reason


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ({"actions": ["s3:GetObject"], "resources": ["*"]}, "Grant[Resource::*]"),
        ({"actions": ["s3:*"], "resources": ["arn:aws:s3:::one"]}, "Grant[Action::s3:*]"),
        ({"not_actions": ["iam:PassRole"], "resources": ["arn:aws:s3:::one"]}, "Grant[NotAction]"),
        ({"actions": ["s3:GetObject"], "not_resources": ["arn:aws:s3:::one"]}, "Grant[NotResource]"),
    ],
    ids=["resource", "action", "not action", "not resource"],
)
def test_a_grant_on_everything_is_refused(broken: Check, statement: dict[str, Any], finding: str) -> None:
    report = broken(role_with(**statement))
    assert finding in report
    assert "acknowledge_wildcards" in report


def test_a_grant_on_everything_with_a_reason_for_nag_is_accepted(broken: Check) -> None:
    def build(stack: Stack) -> None:
        role = role_with(actions=["logs:DescribeLogGroups"], resources=["*"])(stack)
        acknowledge_wildcards(role, ["*"], reason="The action cannot be limited to one log group.")

    assert broken(build) == ""


def test_a_reason_of_another_wildcard_covers_no_grant(broken: Check) -> None:
    def build(stack: Stack) -> None:
        role = role_with(actions=["logs:DescribeLogGroups"], resources=["*"])(stack)
        acknowledge_wildcards(role, ["arn:aws:s3:::one/*"], reason="Its objects have no fixed names.")

    assert "Grant[Resource::*]" in broken(build)


def test_what_is_denied_is_no_grant(broken: Check) -> None:
    assert broken(role_with(effect=iam.Effect.DENY, actions=["s3:*"], resources=["*"])) == ""


@pytest.mark.parametrize("reason", ["", "   ", "needed"])
def test_a_reason_that_says_nothing_is_refused(broken: Check, reason: str) -> None:
    def build(stack: Stack) -> None:
        role = role_with(actions=["logs:DescribeLogGroups"], resources=["*"])(stack)
        acknowledge_wildcards(role, ["*"], reason=reason)

    assert "Reason[AwsSolutions-IAM5[Resource::*]]" in broken(build)


# Nothing is open to everyone


@pytest.mark.parametrize(
    ("build", "finding"),
    [
        (lambda stack: s3.CfnBucket(stack, "Bucket"), "PublicAccess[BlockPublicPolicy]"),
        (bucket_with_policy(principals=[iam.AnyPrincipal()]), "PublicAccess[Principal::*]"),
        (bucket_with_policy(sid="Read", principals=[iam.ArnPrincipal("*")]), "PublicAccess[Principal::Read]"),
        (
            bucket_with_policy(
                principals=[iam.AnyPrincipal()],
                conditions={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            bucket_with_policy(
                principals=[iam.AnyPrincipal()], conditions={"StringLike": {"aws:SourceAccount": "*"}}
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            bucket_with_policy(
                principals=[iam.AnyPrincipal()],
                conditions={"StringEqualsIfExists": {"aws:SourceAccount": "111111111111"}},
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            bucket_with_policy(
                principals=[iam.AnyPrincipal()],
                conditions={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}},
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            lambda stack: logs.CfnResourcePolicy(
                stack,
                "Policy",
                policy_name="any",
                policy_document='{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "a:b"}]}',
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            lambda stack: iam.Role(stack, "Role", assumed_by=iam.AnyPrincipal()),
            "PublicAccess[Principal::*]",
        ),
        (
            lambda stack: lambda_.CfnUrl(stack, "Url", auth_type="NONE", target_function_arn="any"),
            "PublicAccess[AuthType::NONE]",
        ),
        (
            lambda stack: lambda_.CfnPermission(
                stack,
                "Permission",
                action="lambda:InvokeFunction",
                function_name=NAMES.forwarder,
                principal="*",
            ),
            "PublicAccess[Principal::*]",
        ),
    ],
    ids=[
        "bucket without blocks",
        "bucket policy",
        "principal of a list",
        "condition that excludes",
        "condition on any account",
        "condition that a missing key meets",
        "condition on a name in any account",
        "policy as a text",
        "trust",
        "function URL",
        "permission to invoke",
    ],
)
def test_what_is_open_to_everyone_is_refused(broken: Check, build: Build, finding: str) -> None:
    report = broken(build)
    assert finding in report
    assert "Use PrivateBucket" in report


@pytest.mark.parametrize("ours", [{"aws:SourceAccount": "111111111111"}, {"aws:SourceVpce": "vpce-1"}])
def test_everyone_of_one_account_or_network_is_not_everyone(broken: Check, ours: dict[str, str]) -> None:
    build = bucket_with_policy(principals=[iam.AnyPrincipal()], conditions={"StringEquals": ours})
    assert broken(build) == ""


@pytest.mark.parametrize("known", [True, False])
def test_guests_are_accepted_with_the_reason_for_nag(broken: Check, known: bool) -> None:
    def build(stack: Stack) -> None:
        pool = cognito.CfnIdentityPool(stack, "Pool", allow_unauthenticated_identities=True)
        pool.apply_removal_policy(KEEP.removal_policy)
        if known:
            acknowledge(pool, "COG7", reason="Guests are a setting of the environment.")

    assert ("PublicAccess[AllowUnauthenticatedIdentities::True]" in broken(build)) is not known
