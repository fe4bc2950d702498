"""The roles and resources of the templates with their policies, and what these decide on a call.

The decision is the emulator's (ministack.core.iam_evaluator), which the twin enforces too.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ministack.core import iam_evaluator

from cloudformation import Stack, as_list, physical_name, referred, resolver
from names import TWIN_ACCOUNT

ENVIRONMENT = "local"
"""The calls were recorded in the twin, so every template is read as if it were of this environment."""
ALLOW, DENY = "Allow", "Deny"
ASSET = "asset"
"""Stands for the hash in the name of a file of code."""
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_SUFFIX = re.compile(r"[0-9A-F]{8}$")
_POLICY_OF = {"AWS::S3::BucketPolicy": "Bucket", "AWS::SQS::QueuePolicy": "Queues"}

Statement = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """role: its short name; resource: an ARN; keys: values of condition keys, in lower case."""

    role: str
    action: str
    resource: str
    region: str
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Role:
    """name: without the environment, or the logical id without its hash; generated: what the name that
    CloudFormation makes begins with, None where the template names the role."""

    name: str
    physical_name: str
    generated: str | None
    statements: tuple[Statement, ...] = field(repr=False)
    trust: tuple[Statement, ...] = field(repr=False)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{TWIN_ACCOUNT}:role/{self.physical_name}"

    def without(self, number: int) -> "Role":
        """The role after its statement of that number is gone."""
        return replace(self, statements=self.statements[:number] + self.statements[number + 1 :])


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy:
    """resource: the ARN whose policy it is."""

    name: str
    resource: str
    statements: tuple[Statement, ...] = field(repr=False)


def roles_of(stacks: Sequence[Stack], environment: str) -> dict[str, Role]:
    """By their short name, sorted. environment: of the stacks."""
    found: dict[str, Role] = {}
    for stack in stacks:
        for logical_id, resource in stack.resources.items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            properties = _read(stacks, stack, environment, resource["Properties"])
            own = physical_name(resource)
            short = own.split(f"-{environment}-")[-1] if own else _SUFFIX.sub("", logical_id)
            made = f"{stack.name}-{logical_id}".replace(f"-{environment}-", f"-{ENVIRONMENT}-")
            found[short] = Role(
                name=short,
                physical_name=str(properties["RoleName"]) if own else made,
                generated=None if own else made[:GENERATED],
                statements=tuple(
                    statement
                    for policy in as_list(properties.get("Policies"))
                    for statement in policy["PolicyDocument"]["Statement"]
                ),
                trust=tuple(properties["AssumeRolePolicyDocument"]["Statement"]),
            )
    return dict(sorted(found.items()))


GENERATED = 50
"""Characters of a name made of a stack, a logical id and a suffix, before the emulator cuts it."""


def resource_policies_of(stacks: Sequence[Stack], environment: str) -> dict[str, ResourcePolicy]:
    """Of buckets, queues and the search domain, by the resource's ARN."""
    found = []
    for stack in stacks:
        for resource in stack.resources.values():
            kind = resource["Type"]
            properties = _read(stacks, stack, environment, resource.get("Properties", {}))
            if kind in _POLICY_OF:
                for owner in as_list(properties[_POLICY_OF[kind]]):
                    statements = tuple(properties["PolicyDocument"]["Statement"])
                    arn = next(one for one in as_list(statements[0]["Resource"]) if not one.endswith("/*"))
                    name = str(owner).rsplit("/", 1)[-1]
                    found.append(ResourcePolicy(name=name, resource=arn, statements=statements))
            elif kind == "AWS::OpenSearchService::Domain":
                name = str(properties["DomainName"])
                arn = f"arn:aws:es:{stack.region}:{TWIN_ACCOUNT}:domain/{name}"
                statements = tuple(properties["AccessPolicies"]["Statement"])
                found.append(ResourcePolicy(name=name, resource=arn, statements=statements))
    return {each.resource: each for each in sorted(found, key=lambda each: each.resource)}


def _read(stacks: Sequence[Stack], stack: Stack, environment: str, properties: Any) -> Any:
    """Properties with ARNs in place of references, as they would be in ENVIRONMENT."""
    resolved = resolver(stacks, stack)(_with_arns(stack, properties))
    text = _HASH.sub(ASSET, json.dumps(resolved)).replace(stack.account, TWIN_ACCOUNT)
    for mark in "-_":
        text = text.replace(f"trends{mark}{environment}", f"trends{mark}{ENVIRONMENT}")
    return json.loads(text.replace(f"ClickTrends-{environment}-", f"ClickTrends-{ENVIRONMENT}-"))


def _with_arns(stack: Stack, value: Any) -> Any:
    """`cloudformation.resolver` gives names, and ARNs only of buckets."""
    if isinstance(value, list):
        return [_with_arns(stack, item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "Fn::GetAtt" in value and (logical_id := referred(value)) is not None:
        resource = stack.resources[logical_id]
        name, here = physical_name(resource) or logical_id, f"{stack.region}:{stack.account}"
        arns = {
            "AWS::IAM::Role": f"arn:aws:iam::{stack.account}:role/{name}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{here}:function:{name}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{here}:{name}",
        }
        return arns.get(resource["Type"], value)
    return {key: _with_arns(stack, item) for key, item in value.items()}


def decision(role: Role, call: Call) -> str:
    """Of the role's own policies: Allow, Deny or ImplicitDeny."""
    return str(iam_evaluator.evaluate(_context(role.arn, call), [_parsed(role.statements)]).decision)


def decision_of_resource(policy: ResourcePolicy, role: Role, call: Call, *, tls: bool = True) -> str:
    """The same of a resource's policy. tls: whether the request came encrypted."""
    context = _context(role.arn, call)
    context.secure_transport = tls
    document = {"Statement": [dict(each) for each in policy.statements]}
    return str(iam_evaluator.evaluate_resource_policy(document, context).decision)


def allows(statement: Statement, role_arn: str, call: Call) -> bool:
    """Whether this statement alone allows the call."""
    if statement["Effect"] != ALLOW:
        return False
    return bool(iam_evaluator.evaluate(_context(role_arn, call), [_parsed([statement])]).decision == ALLOW)


def conditions_met(statement: Statement, keys: Mapping[str, str]) -> bool:
    """Whether a request with these keys, in lower case, meets the conditions of a statement."""
    call = Call(role="", action="", resource="*", region="", keys=tuple(keys.items()))
    return bool(iam_evaluator._conditions_met(dict(statement.get("Condition", {})), _context("", call)))


def _parsed(statements: Iterable[Statement]) -> Any:
    return iam_evaluator.parse_policy_document({"Statement": [dict(each) for each in statements]})


def _context(role_arn: str, call: Call) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=TWIN_ACCOUNT,
        action=call.action,
        resource_arn=call.resource,
        region=call.region,
        secure_transport=True,
        service_context=dict(call.keys),
    )
