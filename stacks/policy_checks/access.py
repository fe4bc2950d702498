"""No grant on everything without a reason, nothing open to everyone, and a reason that says something."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from cloudformation import as_list
from stacks.policy_checks.assembly import CheckedAssembly
from stacks.policy_checks.conditions import narrows
from stacks.policy_checks.rule import PolicyCheck, Violation

BUCKET_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
OPEN_BY_PROPERTY = (
    ("AWS::Lambda::Url", "AuthType", "NONE", ()),
    ("AWS::Lambda::Permission", "Principal", "*", ()),
    ("AWS::Cognito::IdentityPool", "AllowUnauthenticatedIdentities", True, ("AwsSolutions-COG7",)),
    ("AWS::RDS::DBInstance", "PubliclyAccessible", True, ("AwsSolutions-RDS2",)),
    ("AWS::Redshift::Cluster", "PubliclyAccessible", True, ("AwsSolutions-RS3",)),
    ("AWS::EC2::SecurityGroupIngress", "CidrIp", "0.0.0.0/0", ("AwsSolutions-EC23",)),
    ("AWS::EC2::SecurityGroupIngress", "CidrIpv6", "::/0", ("AwsSolutions-EC23",)),
)
SHORTEST_REASON = 20
"""Characters: "needed" is no reason, "Lambda names its log streams itself" is one."""


def _grants_on_everything(assembly: CheckedAssembly) -> Iterator[Violation]:
    for resource in assembly.resources:
        if not resource.type.startswith("AWS::IAM::"):
            continue
        for statement in _statements(resource.properties):
            if statement.get("Effect") != "Allow":
                continue
            for detail in _everything(statement):
                yield Violation(on=resource, detail=detail, also=(f"AwsSolutions-IAM5[{detail}]",))


def _everything(statement: Mapping[str, Any]) -> Iterator[str]:
    yield from (key for key in ("NotAction", "NotResource") if key in statement)
    yield from (f"Action::{action}" for action in as_list(statement.get("Action")) if "*" in str(action))
    yield from (f"Resource::{one}" for one in as_list(statement.get("Resource")) if one == "*")


def _open_to_everyone(assembly: CheckedAssembly) -> Iterator[Violation]:
    for resource in assembly.resources:
        if resource.type == "AWS::S3::Bucket":
            blocks = resource.properties.get("PublicAccessBlockConfiguration", {})
            for block in BUCKET_BLOCKS:
                if blocks.get(block) is not True:
                    yield Violation(on=resource, detail=block)
        for resource_type, key, value, also in OPEN_BY_PROPERTY:
            if resource.type == resource_type and resource.properties.get(key) == value:
                yield Violation(on=resource, detail=f"{key}::{value}", also=also)
        for ingress in as_list(resource.properties.get("SecurityGroupIngress")):
            if "0.0.0.0/0" in str(ingress) or "::/0" in str(ingress):
                yield Violation(on=resource, detail="SecurityGroupIngress", also=("AwsSolutions-EC23",))
        for statement in _statements(resource.properties):
            if _is_for_everyone(statement):
                yield Violation(on=resource, detail=f"Principal::{statement.get('Sid', '*')}")


def _is_for_everyone(statement: Mapping[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    principals = principal.values() if isinstance(principal, dict) else [principal]
    everyone = any("*" in as_list(one) for one in principals) or "NotPrincipal" in statement
    return everyone and not narrows(statement.get("Condition"))


def _reasons_that_say_nothing(assembly: CheckedAssembly) -> Iterator[Violation]:
    for resource in assembly.resources:
        for finding, reason in resource.acknowledged.items():
            if len(reason.strip()) < SHORTEST_REASON:
                yield Violation(on=resource, detail=finding)


def _statements(value: object) -> Iterator[Mapping[str, Any]]:
    """Policy statements at any depth: inline policies, access policies, trust, policies as JSON in a text."""
    if isinstance(value, str) and '"Effect"' in value:
        with suppress(ValueError):
            yield from _statements(json.loads(value))
    elif isinstance(value, dict):
        if "Effect" in value and ({"Action", "NotAction"} & value.keys()):
            yield value
        for inner in value.values():
            yield from _statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(inner)


GRANT = PolicyCheck(
    id="Grant",
    says="A role may do everything, or something to everything",
    advice="Name the actions and the ARNs (names.py has them). Where a service leaves no choice, acknowledge "
    "it on the role with the reason: acknowledge_wildcards (stacks/constructs/acknowledge.py).",
    check=_grants_on_everything,
)
PUBLIC = PolicyCheck(
    id="PublicAccess",
    says="Something is open to everyone",
    advice="Use PrivateBucket (stacks/constructs/private_bucket.py); name the principals of a policy, or "
    "narrow them by a condition such as aws:SourceAccount.",
    check=_open_to_everyone,
)
REASON = PolicyCheck(
    id="Reason",
    says=f"A finding is acknowledged with a reason of less than {SHORTEST_REASON} characters",
    advice="Write the reason that a reviewer would ask for.",
    check=_reasons_that_say_nothing,
    can_be_acknowledged=False,
)
