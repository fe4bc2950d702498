"""Names that change or go, who still uses them, and the order in which stacks are deployed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloudformation import as_mapping, physical_name, references
from operations.review.alarms import TYPES as ALARMS
from operations.review.assembly import Assembly, ReviewedStack
from operations.review.data import made_anew
from operations.review.differences import Differences, ResourceChange
from operations.review.display_names import DASHBOARD, listed, title
from operations.review.findings import Finding, Kind
from stacks.policy_checks.holds_data import HOLDS_DATA


def name_findings(changes: Differences, outside: Mapping[str, str]) -> Iterator[Finding]:
    """outside: path -> text of the files that name resources without being part of a stack."""
    for change in changes.resources:
        old, new = physical_name(change.old or {}), physical_name(change.new or {})
        if not old or old == new:
            continue
        still = [*_users(old, changes.new), *_files(old, outside)]
        if new and (still or change.type not in ALARMS):
            yield _renamed(changes, change, old, new, still)
        elif change.gone and still and not made_anew(changes, change):
            yield Finding(
                kind=Kind.NAME,
                text=f"**The {change.title} goes, but is still in use**: what uses it will fail.",
                details=tuple(f"It is used {place}." for place in still),
            )


def _renamed(changes: Differences, change: ResourceChange, old: str, new: str, still: list[str]) -> Finding:
    text = f"**The physical name `{old}` becomes `{new}`** ({change.stack.title}, {change.stack.region})."
    details = []
    if still:
        details += [f"**It is still `{old}` {place}, which will fail.**" for place in still]
    moved = [
        stack.title
        for stack in changes.new.stacks
        if stack.name != change.stack.name
        and _mentions(stack.template, new)
        and (before := changes.old.get(stack.name))
        and _mentions(before.template, old)
    ]
    if moved:
        details.append(
            f"{listed(moved)} {'follows' if len(moved) == 1 else 'follow'} in the same release: from the "
            f"deployment of {change.stack.title} until then "
            f"{'it still uses' if len(moved) == 1 else 'they still use'} `{old}`."
        )
    if not still and not moved:
        details.append("No other stack and no configuration in this repository uses it.")
    details.append("Uses of the old name outside this repository are not known.")
    return Finding(
        kind=Kind.NAME,
        text=text,
        details=tuple(details),
        covers=tuple(change.place(value.path) for value in change.values if value.old == old),
    )


def _users(name: str, assembly: Assembly) -> list[str]:
    """By stack: `in OregonAnalytics the role `a` and the delivery stream `b``.

    Without dashboards: one that names what is gone shows an empty graph, and nothing fails.
    """
    return [
        f"in {stack.title} ({stack.region}): {listed(users)}"
        for stack in assembly.stacks
        if (
            users := [
                f"the {title(stack, logical_id, resource)}"
                for logical_id, resource in stack.resources.items()
                if resource["Type"] != DASHBOARD and _mentions(resource, name)
            ]
        )
    ]


def _files(name: str, outside: Mapping[str, str]) -> list[str]:
    return [f"in `{path}`" for path, text in outside.items() if _token(name).search(text)]


def _token(name: str) -> re.Pattern[str]:
    """`name` where it is not part of a longer name."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


_PROSE = {"AlarmDescription", "ApplicationDescription", "Description"}


def _mentions(value: Any, name: str) -> bool:
    if isinstance(value, str):
        return bool(_token(name).search(value))
    if isinstance(value, Mapping):
        return any(_mentions(item, name) for key, item in value.items() if key not in _PROSE)
    return isinstance(value, list) and any(_mentions(item, name) for item in value)


def deployment_findings(changes: Differences) -> Iterator[Finding]:
    """What CloudFormation will refuse, and stacks that come or go."""
    yield from _unresolved(changes)
    yield from _names_taken(changes)
    yield from _exports_in_use(changes)
    for stack in changes.removed_stacks:
        yield Finding(
            kind=Kind.DATA_LEFT
            if any(r["Type"] in HOLDS_DATA for r in stack.resources.values())
            else Kind.NOTE,
            text=f"**The stack {stack.title} ({stack.region}{_account(changes, stack)}) is no longer part of "
            f"the app.** A deployment does not delete it: its {len(stack.resources)} resources and their "
            "permissions stay, and cost, until someone runs "
            f"`aws cloudformation delete-stack --region {stack.region} --stack-name {stack.name}`.",
        )
    for stack in changes.added_stacks:
        yield Finding(
            kind=Kind.NOTE,
            text=f"**The stack {stack.title} ({stack.region}{_account(changes, stack)}) is new**, with "
            f"{len(stack.resources)} resources.",
        )


def _unresolved(changes: Differences) -> Iterator[Finding]:
    """References to a resource that is no longer in its template, which CloudFormation refuses."""
    for stack in changes.new.stacks:
        known = {*stack.resources, *as_mapping(stack.template.get("Parameters"))}
        before = changes.old.get(stack.name)
        missing = references(stack.template) - known
        lost = sorted(name for name in missing if before and name in before.resources)
        for name in lost:
            yield Finding(
                kind=Kind.FAILS,
                text=f"**The deployment of {stack.title} will fail: `{name}` is gone, but its template still "
                "refers to it.**",
            )


def _account(changes: Differences, stack: ReviewedStack) -> str:
    """Where the account changes, which it is."""
    accounts = {one.account for side in (changes.old, changes.new) for one in side.stacks}
    return f", account {stack.account}" if len(accounts) > 1 else ""


_GLOBAL = ("AWS::IAM::", "AWS::S3::Bucket")
"""Types whose names are taken in every region of the account; a bucket's in every account."""


def _collides(change: ResourceChange, owner: ReviewedStack) -> bool:
    if change.type.startswith("AWS::S3::Bucket"):
        return True
    return owner.account == change.stack.account and (
        owner.region == change.stack.region or change.type.startswith(_GLOBAL)
    )


def _names_taken(changes: Differences) -> Iterator[Finding]:
    owners: dict[tuple[str, str], tuple[ReviewedStack, str]] = {
        (resource["Type"], name): (stack, logical_id)
        for stack in changes.old.stacks
        for logical_id, resource in stack.resources.items()
        if (name := physical_name(resource))
    }
    for change in changes.resources:
        name = physical_name(change.new or {})
        if not name:
            continue
        owner = owners.get((change.type, name))
        if change.old is None and owner and _collides(change, owner[0]):
            stack, logical_id = owner
            where = "under another logical id" if stack.name == change.stack.name else f"in {stack.title}"
            yield Finding(
                kind=Kind.FAILS,
                text=f"**The deployment of {change.stack.title} will fail: the {change.title} exists "
                f"already {where}** (`{logical_id}`), and CloudFormation makes the new one before it "
                "deletes the old one.",
                details=(
                    "Keep the logical id (`override_logical_id`), move the resource with `cdk refactor`, or "
                    "give the new one another name.",
                ),
            )
        elif change.impact == "WILL_REPLACE" and physical_name(change.old or {}) == name:
            causes = ", ".join(f"`{value.name}`" for value in change.replacing())
            yield Finding(
                kind=Kind.FAILS,
                text=f"**The deployment of {change.stack.title} will fail: {causes or 'this change'} "
                f"replaces the {change.title}, but its name stays**, and CloudFormation makes the new one "
                "first.",
                details=(
                    "Give it another name in the same change, or delete the old one in a deployment before.",
                ),
            )


def _exports_in_use(changes: Differences) -> Iterator[Finding]:
    for change in changes.others:
        if not re.fullmatch(r"Outputs(\.[^.]+(\.(Value|Export)(\..+)?)?)?", change.path):
            continue
        before = changes.old.same(change.stack)
        for output_id, output in (before.template.get("Outputs", {}) if before else {}).items():
            export = output.get("Export", {}).get("Name")
            if not export or change.path not in {"Outputs", f"Outputs.{output_id}"} | {
                f"Outputs.{output_id}.{rest}" for rest in ("Value", "Export", "Export.Name")
            }:
                continue
            users = [
                stack.title
                for stack in changes.old.stacks
                if stack.name != change.stack.name and _imports(stack.template, export)
            ]
            if users:
                yield Finding(
                    kind=Kind.FAILS,
                    text=f"**The deployment of {change.stack.title} will fail: its export `{export}` is "
                    f"still imported by {listed(users)}**, and CloudFormation changes no export that is in "
                    "use.",
                    details=(
                        f"Deploy in two steps: first let {listed(users)} do without it, then take it away.",
                    ),
                    covers=((change.stack.name, "", change.path),),
                )


def _imports(value: Any, export: str) -> bool:
    if isinstance(value, Mapping):
        return value.get("Fn::ImportValue") == export or any(
            _imports(item, export) for item in value.values()
        )
    return isinstance(value, list) and any(_imports(item, export) for item in value)
