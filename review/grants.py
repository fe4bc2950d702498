"""Every right that an assembly gives: who may do what to which resource, out of each policy in each
template."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from review.assembly import Assembly, ReviewedStack
from review.naming import physical_name, readable, title

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

_STATEMENT = {
    *("Sid", "Effect", "Condition"),
    *(f"{no}{what}" for no in ("", "Not") for what in ("Principal", "Action", "Resource")),
}

Resolver = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One principal, action and resource. effect: Allow or Deny; condition: JSON, empty where there is none;
    negated: NotAction, NotResource or NotPrincipal stands in place of its opposite."""

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
        """Whether whoever has this right has the other too: a wildcard covers what it matches."""
        return (
            self.effect == other.effect
            and self.negated == other.negated
            and (self.principal in {other.principal, "*"})
            and fnmatchcase(other.action.lower(), self.action.lower())
            and fnmatchcase(other.resource, self.resource)
            and self.condition in {"", other.condition}
        )


def grants(assembly: Assembly) -> frozenset[Grant]:
    return frozenset(
        grant
        for stack in assembly.stacks
        for logical_id, resource in stack.resources.items()
        for grant in _of_resource(assembly, stack, logical_id, resource)
    )


def grants_of(assembly: Assembly, stack_name: str, logical_id: str) -> frozenset[Grant]:
    """Those of one resource; none if it is not there."""
    stack = assembly.get(stack_name)
    resource = stack.resources.get(logical_id) if stack else None
    return frozenset(_of_resource(assembly, stack, logical_id, resource) if stack and resource else ())


def is_policy_path(path: str) -> bool:
    """Whether the value at `path` of a resource is part of a policy, so that `grants` reads it."""
    parts = path.replace("[", ".").split(".")
    return any(part.endswith(("PolicyDocument", "AccessPolicies", "KeyPolicy")) for part in parts) or any(
        part in {"Policies", "ManagedPolicyArns"} for part in parts
    )


def _of_resource(
    assembly: Assembly, stack: ReviewedStack, logical_id: str, resource: Mapping[str, Any]
) -> Iterator[Grant]:
    resolve = readable(assembly, stack)
    kind, properties = resource["Type"], _mapping(resource.get("Properties"))
    name = title(stack, logical_id, resource)
    if kind in IDENTITIES:
        for policy in _listed(properties.get("Policies")):
            yield from _statements(_mapping(policy).get("PolicyDocument"), resolve, principal=name)
        for managed in _listed(properties.get("ManagedPolicyArns")):
            yield Grant(
                principal=name, effect="Allow", action=f"{EVERYTHING_OF} {resolve(managed)}", resource="*"
            )
        yield from _statements(properties.get("AssumeRolePolicyDocument"), resolve, resource=name)
    elif kind in ATTACHED_POLICIES:
        for principal in _attached_to(stack, properties, resolve) or [name]:
            yield from _statements(properties.get("PolicyDocument"), resolve, principal=principal)
    elif kind == "AWS::Lambda::Permission":
        sources = {key: value for key, value in properties.items() if key.startswith("Source")}
        yield Grant(
            principal=_called_by(str(resolve(properties.get("Principal")))),
            effect="Allow",
            action=str(properties.get("Action")),
            resource=str(resolve(properties.get("FunctionName"))),
            condition=_canonical({"is": resolve(sources)} if sources else None),
        )
    else:
        for document in _documents(properties):
            yield from _statements(document, resolve, resource=name)


def _called_by(principal: str) -> str:
    """Of a function's permission: a service, an account, or everyone."""
    if principal == "*":
        return principal
    return f"{'service' if principal.endswith('.amazonaws.com') else 'principal'} `{principal}`"


def _attached_to(stack: ReviewedStack, properties: Mapping[str, Any], resolve: Resolver) -> list[str]:
    names = [
        reference for key in ("Roles", "Users", "Groups") for reference in _listed(properties.get(key))
    ] + [properties[key] for key in ("RoleName", "UserName") if key in properties]
    return [_identity(stack, name, resolve) for name in names]


def _identity(stack: ReviewedStack, reference: Any, resolve: Resolver) -> str:
    if isinstance(reference, Mapping) and (resource := stack.resources.get(str(reference.get("Ref")))):
        return title(stack, str(reference["Ref"]), resource)
    for logical_id, resource in stack.resources.items():
        if resource["Type"] in IDENTITIES and physical_name(resource) == reference:
            return title(stack, logical_id, resource)
    return f"`{resolve(reference)}`"


def _documents(value: Any) -> Iterator[Mapping[str, Any]]:
    """Policy documents wherever they stand in a resource of any type."""
    if isinstance(value, Mapping):
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
    document: Any, resolve: Resolver, *, principal: str | None = None, resource: str | None = None
) -> Iterator[Grant]:
    """principal: whose policy it is; resource: whose policy it is, where the statements name principals."""
    if not isinstance(document, Mapping):
        return
    for statement in _listed(document.get("Statement")):
        if not isinstance(statement, Mapping):
            continue
        negated = ",".join(key for key in ("NotAction", "NotResource", "NotPrincipal") if key in statement)
        principals = [principal] if principal else _principals(statement, resolve)
        actions = _listed(resolve(statement.get("Action", statement.get("NotAction"))))
        resources = _listed(resolve(statement.get("Resource", statement.get("NotResource")))) or [
            resource or "*"
        ]
        condition = resolve(statement.get("Condition")) if statement.get("Condition") else None
        if strange := {key: value for key, value in statement.items() if key not in _STATEMENT}:
            condition = {**_mapping(condition), "not understood": resolve(strange)}
        for who in principals:
            named, rest = _narrowed(who, condition)
            for action in actions:
                for target in resources:
                    yield Grant(
                        principal=named,
                        effect=str(statement.get("Effect")),
                        action=str(action),
                        resource=target if isinstance(target, str) else _canonical(target),
                        condition=_canonical(rest),
                        negated=negated,
                    )


def _narrowed(principal: str, condition: Any) -> tuple[str, Any]:
    """A principal that a condition narrows to one role's ARN is that role, as in the search domain's
    policy."""
    if isinstance(condition, Mapping):
        arn = _mapping(condition.get("ArnEquals")).get("aws:PrincipalArn")
        if isinstance(arn, str) and ":role/" in arn:
            rest = {
                operator: kept
                for operator, keys in condition.items()
                if (kept := _without(keys, "aws:PrincipalArn"))
            }
            return f"role `{arn.rsplit('/', 1)[-1]}`", rest
    return principal, condition


def _without(keys: Any, name: str) -> Any:
    return {key: value for key, value in keys.items() if key != name} if isinstance(keys, Mapping) else keys


def _mapping(value: Any) -> Mapping[str, Any]:
    """What should be an object; empty where it is something else."""
    return value if isinstance(value, Mapping) else {}


def _principals(statement: Mapping[str, Any], resolve: Resolver) -> list[str]:
    given = resolve(statement.get("Principal", statement.get("NotPrincipal")))
    if isinstance(given, Mapping):
        return [
            "*"
            if who == "*"
            else f"{_PRINCIPALS.get(kind, kind)} `{who if isinstance(who, str) else _canonical(who)}`"
            for kind, names in given.items()
            for who in _listed(names)
        ]
    return [str(given)]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if value else ""
