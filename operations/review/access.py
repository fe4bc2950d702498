"""Access: who can newly do what to which resource, and who no longer can."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cloudformation import physical_name, resolver
from operations.review.differences import Differences, ResourceChange, ValueChange
from operations.review.display_names import listed
from operations.review.findings import Finding, Kind
from operations.review.grants import Grant, grants, grants_of, is_policy_path
from operations.review.permission_scope import any_identity, is_anyone, wildcards
from stacks.policy_checks.conditions import narrows

_MANY = 6
_POLICY = "AWS::Lambda::Permission"
"""A type that is a policy as a whole."""
_OPERATORS = {
    "ArnEquals": "is",
    "ArnLike": "is like",
    "Bool": "is",
    "ForAnyValue:StringLike": "has one like",
    "NumericLessThan": "is below",
    "StringEquals": "is",
    "StringLike": "is like",
}


def access_findings(changes: Differences) -> Iterator[Finding]:
    """Permissions that were not there before, wider ones first; then those that are gone."""
    before = grants(changes.old)
    after = grants(changes.new) | grants(changes.old, of=changes.removed_stacks)  # nothing deletes those
    new_allows, lost_allows = _uncovered(after, before, "Allow"), _uncovered(before, after, "Allow")
    new_denies, lost_denies = _uncovered(after, before, "Deny"), _uncovered(before, after, "Deny")
    lost_denies = {grant for grant in lost_denies if not _goes_with_its_resource(changes, grant)}
    following = {
        grant: moved
        for grant in new_allows
        if (moved := next((old for old in lost_allows if _same_but_renamed(changes, old, grant)), None))
    }
    yield from _newly_allowed(new_allows - following.keys(), before - after)
    for permissions in _merged(lost_denies):
        yield Finding(
            kind=Kind.ACCESS,
            text=f"**{_denied(permissions, 'no longer')} {permissions.actions} on {permissions.resources}**"
            f"{permissions.when}.",
        )
    if following:
        who = sorted({f"the {grant.principal}" for grant in following})
        yield Finding(
            kind=Kind.NOTE,
            text=f"{len(following)} permissions on a renamed resource follow its new name, and are no wider "
            f"than before: those of {', '.join(who)}.",
        )
    yield from _no_longer_allowed(changes, lost_allows - set(following.values()), after)
    yield from _written_anew(changes)
    for permissions in _merged(new_denies):
        yield Finding(
            kind=Kind.NOTE if set(permissions.conditions) <= _WITHOUT_TLS else Kind.NOT_ASSESSED,
            text=f"{_denied(permissions, 'now')} {permissions.actions} on "
            f"{permissions.resources}{permissions.when}.",
        )


_WITHOUT_TLS = {
    '{"Bool": {"aws:SecureTransport": "false"}}',
    '{"NumericLessThan": {"s3:TlsVersion": 1.2}}',
}
"""Conditions under which a request may be refused without harm to anyone who does as these pages say."""


def _no_longer_allowed(
    changes: Differences, lost: Iterable[Grant], after: Iterable[Grant]
) -> Iterator[Finding]:
    """A role has the permissions that its code needs and no others, so each that is gone is missed, but where
    its role or what it was for goes too."""
    gone = [change for change in changes.resources if change.gone]
    titles = {change.title for change in gone}
    names = [name for change in gone if (name := physical_name(change.old or {}))]
    for permissions in _merged(lost):
        moot = permissions.principal in titles or all(
            any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", grant.resource) for name in names)
            for grant in permissions.members
        )
        first = permissions.members[0]
        still = sorted(
            {
                grant.condition
                for grant in after
                if (grant.principal, grant.action, grant.resource)
                == (first.principal, first.action, first.resource)
            }
        )
        narrowed = any(
            given.principal == lost_one.principal and lost_one.covers(given)
            for lost_one in permissions.members
            for given in after
        )
        said = f"{_who(permissions.principal)} {_may(permissions, 'may no longer')}"
        kind, text = Kind.BROKEN, f"**{said}**{permissions.when}: its code fails where it does this."
        if moot:
            kind, text = Kind.NOTE, f"{said}{permissions.when}."
        elif narrowed:
            kind = Kind.NOT_ASSESSED
            text = f"{said}{permissions.when}, except for a part: does its code need the rest?"
        yield Finding(kind=kind, text=text, details=(f"It still may{_when(still)}.",) if still else ())


def _written_anew(changes: Differences) -> Iterator[Finding]:
    """Policies that differ in text only, in order, names of statements, or form; and what a policy says or no
    longer says while another says it too."""
    before, after = grants(changes.old), grants(changes.new)
    for change in changes.resources:
        if not any(_is_policy(change, value) for value in change.values):
            continue
        old, new = _own(changes, change)
        if old and old == new:
            yield Finding(
                kind=Kind.NOTE,
                text=f"A policy of the {change.title} is written differently and gives the same permissions.",
            )
        for permissions in _merged((old - new) & after):
            yield Finding(
                kind=Kind.NOTE,
                text=f"The {change.title} no longer says, but another policy still does: "
                f"{_said(permissions)}.",
            )
        for permissions in _merged((new - old) & before):
            yield Finding(
                kind=Kind.NOTE,
                text=f"The {change.title} newly says what another policy said before: {_said(permissions)}.",
            )


def _own(changes: Differences, change: ResourceChange) -> tuple[frozenset[Grant], frozenset[Grant]]:
    """The permissions that one resource gives, before and after."""
    name, logical_id = change.stack.name, change.logical_id
    return grants_of(changes.old, name, logical_id), grants_of(changes.new, name, logical_id)


def _uncovered(one: Iterable[Grant], other: Iterable[Grant], effect: str) -> set[Grant]:
    """Grants of one side that the other does not give, by name or by a wildcard."""
    there = [grant for grant in other if grant.effect == effect]
    return {
        grant for grant in one if grant.effect == effect and not any(given.covers(grant) for given in there)
    }


def _same_but_renamed(changes: Differences, old: Grant, new: Grant) -> bool:
    names = [
        (before, after)
        for change in changes.resources
        if (before := physical_name(change.old or {})) and (after := physical_name(change.new or {}))
        if before != after
    ]
    return any(
        replace(old, resource=_renamed(old.resource, *name), principal=_renamed(old.principal, *name)) == new
        for name in names
    )


def _renamed(text: str, before: str, after: str) -> str:
    return re.sub(rf"(?<![\w-]){re.escape(before)}(?![\w-])", after, text)


def policy_values(changes: Differences) -> tuple[tuple[str, str, str], ...]:
    """The changed values that the permissions above speak of: nothing more need be said of them, unless their
    resource's policies could not be read at all."""
    return tuple(
        change.place(value.path)
        for change in changes.resources
        for value in change.values
        if (_is_policy(change, value) and _is_readable(changes, change, value))
        or _names_the_same(changes, change, value)
    )


def _is_readable(changes: Differences, change: ResourceChange, value: ValueChange) -> bool:
    """Whether the new policy could be read, or there is none any more."""
    old, new = _own(changes, change)
    if value.path.endswith(".Version") and value.new != "2012-10-17":
        return False
    return bool(old if value.new is None else new) and {grant.effect for grant in new} <= {"Allow", "Deny"}


def _names_the_same(changes: Differences, change: ResourceChange, value: ValueChange) -> bool:
    """Whether a policy is attached to what has the same name as before, under another logical id."""
    before, after = (side.get(change.stack.name) for side in (changes.old, changes.new))
    return bool(
        before
        and after
        and (change.type, value.path) == ("AWS::S3::BucketPolicy", "Properties.Bucket")
        and resolver(changes.old.stacks, before)(value.old) == resolver(changes.new.stacks, after)(value.new)
    )


def _is_policy(change: ResourceChange, value: ValueChange) -> bool:
    return value.path.startswith("Properties") and (is_policy_path(value.path) or change.type == _POLICY)


class _Permissions:
    """Grants that differ in action, resource or condition only, in one sentence."""

    def __init__(self, members: list[Grant]) -> None:
        self.members = members
        self.principal, self.negated = members[0].principal, members[0].negated
        self.effect = members[0].effect
        self.conditions = tuple(sorted({grant.condition for grant in members}))

    @property
    def when(self) -> str:
        return _when(self.conditions)

    @property
    def actions(self) -> str:
        return _names((grant.action for grant in self.members), "actions")

    @property
    def resources(self) -> str:
        return _names((grant.resource for grant in self.members), "resources")


def _merged(members: Iterable[Grant]) -> list[_Permissions]:
    """One sentence for grants that give the same actions, or the same resources, under each of their
    conditions."""
    listed = sorted(
        members, key=lambda grant: (grant.principal, grant.resource, grant.action, grant.condition)
    )
    actions: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    conditions: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for grant in listed:
        actions[(grant.principal, grant.negated, grant.resource, grant.condition)].add(grant.action)
        conditions[(grant.principal, grant.negated, grant.resource, grant.action)].add(grant.condition)
    groups: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[Grant]] = defaultdict(list)
    for grant in listed:
        same_actions = actions[(grant.principal, grant.negated, grant.resource, grant.condition)]
        same_conditions = conditions[(grant.principal, grant.negated, grant.resource, grant.action)]
        key = (grant.principal, grant.negated, tuple(sorted(same_actions)), tuple(sorted(same_conditions)))
        groups[key].append(grant)
    return [_Permissions(group) for group in groups.values()]


def _newly_allowed(new: Iterable[Grant], lost: Iterable[Grant]) -> Iterator[Finding]:
    for permissions in _merged(new):
        first = permissions.members[0]
        wide = sorted({reason for grant in permissions.members for reason in wildcards(grant)})
        kind = Kind.WILDCARD if wide else Kind.ACCESS
        details = [f"Wildcard: {'; '.join(wide)}."] if wide else []
        if is_anyone(permissions.principal) and not all(
            condition and narrows(json.loads(condition)) for condition in permissions.conditions
        ):
            kind = Kind.PUBLIC
        elif any(map(any_identity, permissions.members)):
            kind = Kind.PUBLIC
            details.append(
                "Its condition names no audience (`aud`) or subject (`sub`): whoever this provider knows may "
                "take the role, users of other pools and other accounts among them."
            )
        if permissions.negated:
            details.append(f"It says {permissions.negated}: everything **but** what is named.")
        same = [
            g
            for g in lost
            if (g.principal, g.action, g.resource) == (first.principal, first.action, first.resource)
        ]
        if same:
            details.append(f"Its condition was: {_condition(same[0].condition)}.")
        yield Finding(
            kind=kind,
            text=f"**{_who(permissions.principal)} {_may(permissions, 'may now')}**{permissions.when}.",
            details=tuple(details),
        )


def _may(permissions: _Permissions, verb: str) -> str:
    if all(grant.is_trust for grant in permissions.members):
        return f"{verb} assume the {permissions.resources}"
    return f"{verb} {permissions.actions} on {permissions.resources}"


def _said(permissions: _Permissions) -> str:
    if permissions.effect == "Deny":
        said = f"{_denied(permissions, 'to be')} {permissions.actions} on {permissions.resources}"
    else:
        said = f"{_who(permissions.principal)} {_may(permissions, 'may')}"
    return f"{said}{permissions.when}"


def _denied(permissions: _Permissions, when: str) -> str:
    if is_anyone(permissions.principal):
        return f"Requests of {_who(permissions.principal).lower()} are {when} refused:"
    return f"{_who(permissions.principal)} is {when} denied"


def _goes_with_its_resource(changes: Differences, grant: Grant) -> bool:
    """A Deny of a bucket that is deleted takes nothing away from anyone."""
    return any(
        change.gone
        and (change.old or {}).get("DeletionPolicy", "Delete") == "Delete"
        and grant.resource.startswith(arn)
        for change in changes.of_type("AWS::S3::Bucket")
        if (arn := _bucket_arn(change))
    )


def _bucket_arn(change: ResourceChange) -> str | None:
    name = ((change.old or {}).get("Properties") or {}).get("BucketName")
    return f"arn:aws:s3:::{name}" if isinstance(name, str) else None


def _names(values: Iterable[str], what: str) -> str:
    names = [name if "`" in name else f"`{name}`" for name in sorted(set(values))]
    return listed(names, most=_MANY, more=f"more {what} (in the diff)")


def _who(principal: str) -> str:
    if is_anyone(principal):
        return "Anyone" + principal.removeprefix("*")
    return f"The {principal}"


def _when(conditions: Sequence[str]) -> str:
    if "" in conditions:
        return ""
    return ", if " + ", or if ".join(_condition(condition) for condition in conditions)


def _condition(condition: str) -> str:
    if not condition:
        return "none"
    return " and ".join(
        f"`{key}` {_OPERATORS.get(operator, operator)} "
        f"{', '.join(f'`{value}`' for value in (values if isinstance(values, list) else [values]))}"
        for operator, keys in json.loads(condition).items()
        for key, values in (keys.items() if isinstance(keys, dict) else [("it", keys)])
    )
