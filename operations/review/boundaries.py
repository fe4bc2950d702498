"""Permissions boundaries: what limits roles from outside of their own policies."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from operations.review.differences import Differences
from operations.review.display_names import listed, shown
from operations.review.findings import Finding, Kind, Place
from operations.review.grants import IDENTITIES

_PATH = "Properties.PermissionsBoundary"
_OUTSIDE = "The policy is outside these stacks: which permissions that is about stands there alone."


def boundary_findings(changes: Differences) -> Iterator[Finding]:
    """A boundary that is new, gone or another one: one finding for all roles that have the same change."""
    places: dict[tuple[str, str], list[Place]] = defaultdict(list)
    titles: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in changes.resources:
        if change.type not in IDENTITIES or change.old is None or change.new is None:
            continue
        for value in change.values:
            if value.path.startswith(_PATH):
                between = (_shown(value.old), _shown(value.new))
                places[between].append(change.place(value.path))
                titles[between].append(change.title)
    for (old, new), covers in places.items():
        kind, text = _meaning(_roles(len(covers)), old, new)
        yield Finding(
            kind=kind,
            text=text,
            details=(f"{listed([f'the {title}' for title in titles[old, new]], most=6)}.", _OUTSIDE),
            covers=tuple(covers),
        )


def _meaning(roles: str, old: str, new: str) -> tuple[Kind, str]:
    if not old:
        return (
            Kind.NOT_ASSESSED,
            f"**The permissions boundary of {roles} is new: {new}.** They may no longer do what it does not "
            "allow, whatever their own policies say.",
        )
    if not new:
        return (
            Kind.ACCESS,
            f"**The permissions boundary of {roles} is gone: {old}.** Only their own policies limit them.",
        )
    return (
        Kind.ACCESS,
        f"**The permissions boundary of {roles} changes: {old} → {new}.** They may do what the new one "
        "allows and their own policies say; what only the old one allowed fails.",
    )


def _shown(value: Any) -> str:
    return "" if value is None else shown(value)


def _roles(number: int) -> str:
    return "1 role" if number == 1 else f"{number} roles"
