"""Tempting calls are denied to each role that is not named (other_calls.py), calls just beyond its statements
to each role (beyond.py), and each Deny is needed for that."""

from collections.abc import Iterator, Mapping

import pytest

from cloudformation import as_list
from operations.permissions.deciding import ALLOW, DENY, Role, Statement, allows, decision
from operations.permissions.needed import sid_of
from tests.stacks.permissions.beyond import UNDECIDED, calls_beyond
from tests.stacks.permissions.other_calls import OtherCall, other_calls


@pytest.mark.parametrize("other", tuple(other_calls()), ids=str)
def test_only_the_named_roles_may(roles: Mapping[str, Role], other: OtherCall) -> None:
    assert other.allowed_roles <= set(roles)
    assert {
        name for name, role in roles.items() if decision(role, other.by(name)) == ALLOW
    } == other.allowed_roles


def test_each_role_is_refused_most_of_the_other_calls(roles: Mapping[str, Role]) -> None:
    calls = list(other_calls())
    for name in roles:
        assert sum(name not in call.allowed_roles for call in calls) > 0.8 * len(calls), name


def test_a_role_without_one_of_its_denials_may_make_another_call(roles: Mapping[str, Role]) -> None:
    """The mutation: each Deny is taken away in turn."""
    for name, role in roles.items():
        for number, statement in enumerate(role.statements):
            if statement["Effect"] == DENY:
                left = role.without(number)
                newly = [call for call in other_calls() if decision(left, call.by(name)) == ALLOW]
                assert any(name not in call.allowed_roles for call in newly), f"{name}, {sid_of(statement)}"


def test_a_role_may_nothing_just_beyond_its_statements(every_role: Mapping[str, Role]) -> None:
    may = [
        f"{call.role} may {call.action} {call.resource} {dict(call.keys)}"
        for role in every_role.values()
        for call in calls_beyond(role)
        if decision(role, call) == ALLOW
    ]
    assert may == []


def widened(statement: Statement) -> Iterator[tuple[str, Statement]]:
    if statement["Resource"] != "*":
        yield "every resource", {**statement, "Resource": "*"}
    services = {action.split(":")[0] for action in as_list(statement["Action"])}
    yield "every action", {**statement, "Action": [f"{service}:*" for service in services]}
    if any(key.lower() not in UNDECIDED for keys in statement.get("Condition", {}).values() for key in keys):
        yield "no condition", {key: value for key, value in statement.items() if key != "Condition"}


def test_whichever_statement_is_widened_its_role_may_make_another_call(
    every_role: Mapping[str, Role],
) -> None:
    """The mutation: it gets every resource, every action of its service, or loses its conditions."""
    unnoticed = []
    for name, role in every_role.items():
        listed = [call.by(name) for call in other_calls() if name not in call.allowed_roles]
        calls = [*calls_beyond(role), *listed]
        for statement in role.statements:
            if statement["Effect"] != ALLOW:
                continue
            for what, wider in widened(statement):
                if not any(allows(wider, role.arn, call) for call in calls):
                    unnoticed.append(f"{name}, {sid_of(statement)}: {what}")
    assert unnoticed == []
