"""Makes docs/reference/permissions.md from the templates of `production`, the record and the reasons."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloudformation import Stack, as_list, read_stacks
from names import TWIN_ACCOUNT
from operations.permissions.deciding import (
    ENVIRONMENT,
    ResourcePolicy,
    Role,
    Statement,
    resource_policies_of,
    roles_of,
)
from operations.permissions.needed import Use, sid_of, uses
from operations.permissions.options import PRODUCTION, added, with_every_option
from operations.permissions.record import RecordedCall, matched, read_record
from settings import Settings
from stacks.app import build_app

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"
HEAD = """# Permissions

For whoever reviews access: what each role may do, and which test made the call that needs it.

The twin decides on every call by action, resource, region and conditions. In recorded runs its emulator wrote
down each call that a statement allowed. An action without a call has a reason and its source, or a test
refuses it. Tests fail once a statement is gone, and deny each role a list of other calls
(`tests/stacks/permissions`). No call had a resource in italics.

Nothing was recorded on AWS. `make docs` generates this page.
"""
WITH_OPTIONS = """## Only with a setting

Read from templates with every optional setting.
"""
OF_RESOURCES = """## Policies of buckets, queues and the domain

The domain and a role say the same of it; [both are tested](../../stacks/search/access.py).

| resource | statement | effect | actions | resources | whom and when |
|---|---|---|---|---|---|
"""
COLUMNS = "\n| statement | actions | resources | needed by |\n|---|---|---|---|\n"


def stacks_of(environment: str, settings: Settings | None = None) -> tuple[Stack, ...]:
    """Synthesised. settings: instead of those of the environment."""
    with TemporaryDirectory() as folder:
        app = build_app(environment, settings=settings, outdir=Path(folder), destroy=False)
        app.synth(skip_validation=True)
        return read_stacks(Path(folder))


def page(stacks: Sequence[Stack], with_options: Sequence[Stack], record: Sequence[RecordedCall]) -> str:
    """stacks: of PRODUCTION; with_options: the same with every option."""
    roles = roles_of(stacks, PRODUCTION)
    policies = resource_policies_of(stacks, PRODUCTION)
    options = added(roles_of(with_options, PRODUCTION), roles)
    return "\n".join(
        [
            HEAD,
            *_roles(roles, record),
            WITH_OPTIONS,
            *_roles(options, record, level="###"),
            OF_RESOURCES + "".join(_policy_rows(policies.values())),
        ]
    )


def _roles(roles: Mapping[str, Role], record: Sequence[RecordedCall], level: str = "##") -> Iterator[str]:
    for name, of_role in groupby(uses(roles, record), key=lambda use: use.role.name):
        yield f"{level} {name}\n\n{_trust(roles[name])}\n{COLUMNS}{''.join(_rows(list(of_role)))}"


def _trust(role: Role) -> str:
    who = []
    for statement in role.trust:
        [(_, principal)] = statement["Principal"].items()
        condition = f", if {_conditions(statement)}" if statement.get("Condition") else ""
        who.append(f"`{_shown(principal)}`{condition}")
    return f"Assumed by {'; '.join(who)}."


def _rows(of_role: Sequence[Use]) -> Iterator[str]:
    """One for the actions of a statement that the same needs."""
    before = None
    for (number, needed), alike in groupby(of_role, key=lambda use: (use.number, _needed(use))):
        uses_alike = list(alike)
        first, before = number != before, number
        statement = uses_alike[0].role.statements[number]
        called = {
            pattern
            for use in of_role
            for each in use.calls
            for at, pattern in matched(use.role, each.call)
            if at == number
        }
        sid, resources = (f"`{uses_alike[0].sid}`", _resources(statement, called)) if first else ("", "")
        actions = ", ".join(f"`{use.action}`" for use in uses_alike)
        yield f"| {sid} | {actions} | {resources} | {needed} |\n"
    for statement in of_role[0].role.statements:
        if statement["Effect"] == "Deny":
            actions = ", ".join(f"`{action}`" for action in as_list(statement["Action"]))
            yield f"| `{sid_of(statement)}` | denies {actions} | {_resources(statement)} | |\n"


def _needed(use: Use) -> str:
    if use.calls:
        tests = sorted({each.test for each in use.calls if each.test})
        return f"`{tests[0].rsplit('::', 1)[-1]}`" if tests else "a call outside of tests"
    if use.reason is not None:
        source = use.reason.source.rpartition("::")[2]
        return f"never called: {use.reason.why} ({source if '/' in source else f'`{source}`'})"
    return "**never called**"


def _resources(statement: Statement, called: Collection[str] = ()) -> str:
    """called: those that calls needed; where none did, the actions say so."""
    met = f" if {_conditions(statement)}" if statement.get("Condition") else ""
    shown = [
        f"*`{_shown(each)}`*" if called and each not in called else f"`{_shown(each)}`"
        for each in as_list(statement["Resource"])
    ]
    return ", ".join(shown) + met


def _conditions(statement: Mapping[str, Any]) -> str:
    return " and ".join(
        f"`{key}` {operator} `{_shown(value)}`"
        for operator, keys in statement["Condition"].items()
        for key, value in keys.items()
    )


def _policy_rows(policies: Iterable[ResourcePolicy]) -> Iterator[str]:
    for policy in policies:
        for statement in policy.statements:
            actions = ", ".join(f"`{action}`" for action in as_list(statement["Action"]))
            below = [
                _shown(each).removeprefix(_shown(policy.resource)) for each in as_list(statement["Resource"])
            ]
            [(_, principal)] = statement["Principal"].items()
            whom = f"`{_shown(principal)}` if {_conditions(statement)}"
            yield (
                f"| `{_shown(policy.name)}` | {statement.get('Sid', '')} | {statement['Effect']} | {actions} "
                f"| {', '.join(f'`{each}`' if each else 'itself' for each in below)} | {whom} |\n"
            )


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    for mark in "-_":
        text = text.replace(f"trends{mark}{ENVIRONMENT}", f"trends{mark}<environment>")
    return text.replace(TWIN_ACCOUNT, "<account>").replace("|", "\\|")


def write_page() -> None:
    with_options = stacks_of(PRODUCTION, with_every_option())
    PAGE.write_text(page(stacks_of(PRODUCTION), with_options, read_record()), encoding="utf-8")
