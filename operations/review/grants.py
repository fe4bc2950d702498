"""Every permission that an assembly gives: who may do what to which resource, out of each policy in each
template."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from cloudformation import Stack, as_list, as_mapping, physical_name, resolver
from operations.review.assembly import Assembly
from operations.review.display_names import title

IDENTITIES = {"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"}
ATTACHED_POLICIES = {
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
}
EVERYTHING_OF = "everything in"
"""An action that stands for a managed policy, whose statements are not in the template."""

_PRINCIPALS = {"AWS": "principal", "Federated": "identities of", "Service": "service"}

ALL_BUT = "* but "
"""Begins an action, resource or principal of NotAction, NotResource or NotPrincipal: all but these."""

_STATEMENT = {
    *("Sid", "Effect", "Condition"),
    *(f"{no}{what}" for no in ("", "Not") for what in ("Principal", "Action", "Resource")),
}

Resolver = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One principal, action and resource. effect: Allow or Deny; condition: JSON, empty where there is none;
    negated: NotAction, NotResource or NotPrincipal, whose part is then `* but a, b`."""

    principal: str
    effect: str
    action: str
    resource: str
    condition: str = ""
    negated: str = ""

    @property
    def is_trust(self) -> bool:
        return self.action.startswith("sts:AssumeRole")

    def covers(self, other: "Grant") -> bool:
        """Whether whoever has this permission has the other too: a wildcard covers what it matches."""
        return (
            self.effect == other.effect
            and (self.principal in {other.principal, "*"})
            and _reaches(self.action.lower(), other.action.lower())
            and _reaches(self.resource, other.resource)
            and self.condition in {"", other.condition}
        )


def _reaches(pattern: str, other: str) -> bool:
    """Whether everything that `other` matches is matched by `pattern` too; no, where that is not sure."""
    spared, spared_by_other = _spared(pattern), _spared(other)
    if spared is None:
        return fnmatchcase(other, pattern) if spared_by_other is None else pattern == "*"
    if spared_by_other is not None:
        return all(any(fnmatchcase(one, wider) for wider in spared_by_other) for one in spared)
    return not re.search(r"[*?]", other) and not any(fnmatchcase(other, one) for one in spared)


def _spared(pattern: str) -> list[str] | None:
    return pattern.removeprefix(ALL_BUT).split(", ") if pattern.startswith(ALL_BUT) else None


def grants(assembly: Assembly, of: Iterable[Stack] | None = None) -> frozenset[Grant]:
    """of: its stacks that count; all, if None."""
    return frozenset(
        grant
        for stack in (assembly.stacks if of is None else of)
        for logical_id, resource in stack.resources.items()
        for grant in _of_resource(assembly, stack, logical_id, resource)
    )


def grants_of(assembly: Assembly, stack_name: str, logical_id: str) -> frozenset[Grant]:
    """Those of one resource; none if it is not there."""
    stack = assembly.get(stack_name)
    resource = stack.resources.get(logical_id) if stack else None
    return frozenset(_of_resource(assembly, stack, logical_id, resource) if stack and resource else ())


def is_policy_path(path: str) -> bool:
    """Whether the value at `path` of a resource is part of a policy, so that `grants` reads it if it can."""
    parts = path.replace("[", ".").split(".")
    return any(part.endswith(("PolicyDocument", "AccessPolicies", "KeyPolicy")) for part in parts) or any(
        part in {"Policies", "ManagedPolicyArns"} for part in parts
    )


def _of_resource(
    assembly: Assembly, stack: Stack, logical_id: str, resource: Mapping[str, Any]
) -> Iterator[Grant]:
    resolve = resolver(assembly.stacks, stack)
    kind, properties = resource["Type"], as_mapping(resource.get("Properties"))
    name, account = title(stack, logical_id, resource), stack.account
    if kind in IDENTITIES:
        for policy in as_list(properties.get("Policies")):
            yield from _statements(as_mapping(policy).get("PolicyDocument"), resolve, account, principal=name)
        for managed in as_list(properties.get("ManagedPolicyArns")):
            yield Grant(
                principal=name, effect="Allow", action=f"{EVERYTHING_OF} {resolve(managed)}", resource="*"
            )
        yield from _statements(properties.get("AssumeRolePolicyDocument"), resolve, account, resource=name)
    elif kind in ATTACHED_POLICIES:
        for principal in _attached_to(stack, properties, resolve) or [name]:
            yield from _statements(properties.get("PolicyDocument"), resolve, account, principal=principal)
    elif kind == "AWS::Lambda::Permission":
        named = {"Action", "FunctionName", "Principal"}
        narrowed = {key: value for key, value in properties.items() if key not in named}
        yield Grant(
            principal=_called_by(str(resolve(properties.get("Principal")))),
            effect="Allow",
            action=str(properties.get("Action")),
            resource=str(resolve(properties.get("FunctionName"))),
            condition=_canonical({"is": resolve(narrowed)} if narrowed else None),
        )
    else:
        for document in _documents(properties):
            yield from _statements(document, resolve, account, resource=name)


def _called_by(principal: str) -> str:
    """Of a function's permission: a service, an account, or everyone."""
    if principal == "*":
        return principal
    return f"{'service' if principal.endswith('.amazonaws.com') else 'principal'} `{principal}`"


def _attached_to(stack: Stack, properties: Mapping[str, Any], resolve: Resolver) -> list[str]:
    names = [
        reference for key in ("Roles", "Users", "Groups") for reference in as_list(properties.get(key))
    ] + [properties[key] for key in ("RoleName", "UserName") if key in properties]
    return [_identity(stack, name, resolve) for name in names]


def _identity(stack: Stack, reference: Any, resolve: Resolver) -> str:
    if isinstance(reference, Mapping) and (resource := stack.resources.get(str(reference.get("Ref")))):
        return title(stack, str(reference["Ref"]), resource)
    for logical_id, resource in stack.resources.items():
        if resource["Type"] in IDENTITIES and physical_name(resource) == reference:
            return title(stack, logical_id, resource)
    return f"`{resolve(reference)}`"


def _documents(value: Any) -> Iterator[Mapping[str, Any]]:
    """Policy documents wherever they stand in a resource of any type, also as JSON in a text."""
    if isinstance(value, str) and '"Statement"' in value:
        with suppress(ValueError):
            yield from _documents(json.loads(value))
    elif isinstance(value, Mapping):
        statements = value.get("Statement")
        if isinstance(statements, list | Mapping) and "Effect" in str(statements):
            yield value
            return
        for item in value.values():
            yield from _documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from _documents(item)


def _statements(
    document: Any,
    resolve: Resolver,
    account: str,
    *,
    principal: str | None = None,
    resource: str | None = None,
) -> Iterator[Grant]:
    """account: of the stack; principal: whose policy it is; resource: whose policy it is, where the
    statements name principals."""
    if not isinstance(document, Mapping):
        return
    for statement in as_list(document.get("Statement")):
        if not isinstance(statement, Mapping):
            continue
        negated = ",".join(key for key in ("NotAction", "NotResource", "NotPrincipal") if key in statement)
        principals = [principal] if principal else _principals(statement, resolve)
        actions = _named(statement, "Action", resolve)
        resources = _named(statement, "Resource", resolve) or [resource or "*"]
        condition = resolve(statement.get("Condition")) if statement.get("Condition") else None
        if condition is not None and not isinstance(condition, Mapping):
            condition = {"not understood": condition}
        if strange := {key: value for key, value in statement.items() if key not in _STATEMENT}:
            condition = {**as_mapping(condition), "not understood": resolve(strange)}
        for who in principals:
            named, rest = _narrowed(who, condition, account)
            for action in actions:
                for target in resources:
                    yield Grant(
                        principal=named,
                        effect=str(statement.get("Effect")),
                        action=action,
                        resource=target,
                        condition=_canonical(rest),
                        negated=negated,
                    )


def _named(statement: Mapping[str, Any], part: str, resolve: Resolver) -> list[str]:
    """The statement's actions or resources; what Not... names is one that begins with ALL_BUT."""
    texts = [
        one if isinstance(one, str) else _canonical(one)
        for one in as_list(resolve(statement.get(part, statement.get(f"Not{part}"))))
    ]
    return texts if part in statement else [ALL_BUT + ", ".join(sorted(texts))] if texts else []


def _narrowed(principal: str, condition: Any, account: str) -> tuple[str, Any]:
    """A principal that a condition narrows to the ARN of one role of this account is that role, as in the
    search domain's policy."""
    if isinstance(condition, Mapping):
        arn = as_mapping(condition.get("ArnEquals")).get("aws:PrincipalArn")
        everyone = principal == "*" or f"::{account}:root`" in principal
        if (
            everyone
            and isinstance(arn, str)
            and re.fullmatch(rf"arn:[a-z-]+:iam::{account}:role/[^*?]+", arn)
        ):
            rest = {
                operator: kept
                for operator, keys in condition.items()
                if (kept := _without(keys, "aws:PrincipalArn"))
            }
            return f"role `{arn.rsplit('/', 1)[-1]}`", rest
    return principal, condition


def _without(keys: Any, name: str) -> Any:
    return {key: value for key, value in keys.items() if key != name} if isinstance(keys, Mapping) else keys


def _principals(statement: Mapping[str, Any], resolve: Resolver) -> list[str]:
    given = resolve(statement.get("Principal", statement.get("NotPrincipal")))
    if "Principal" not in statement:
        return [f"{ALL_BUT}{_canonical(given)}"]
    if isinstance(given, Mapping):
        return [
            "*"
            if who == "*"
            else f"{_PRINCIPALS.get(kind, kind)} `{who if isinstance(who, str) else _canonical(who)}`"
            for kind, names in given.items()
            for who in as_list(names)
        ]
    return [str(given)]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if value else ""
