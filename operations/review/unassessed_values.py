"""What no rule speaks of: nothing is left out because it is unknown."""

from collections.abc import Iterable, Iterator

from operations.review.access import policy_values
from operations.review.alarms import TYPES as ALARMS
from operations.review.data import LOGS
from operations.review.differences import Differences, ResourceChange, TemplateChange, ValueChange
from operations.review.display_names import DASHBOARD, TYPE_WORDS, shown
from operations.review.effects import understood
from operations.review.findings import Finding, Kind, Place
from operations.review.grants import ATTACHED_POLICIES, IDENTITIES
from stacks.policy_checks.holds_data import HOLDS_DATA

_ENGINE_SAYS = {
    "WILL_UPDATE": "CloudFormation updates it in place",
    "WILL_REPLACE": "CloudFormation replaces the resource",
    "MAY_REPLACE": "CloudFormation may replace the resource",
}
_ASSESSED_WHEN_NEW = {
    *(*ALARMS, *IDENTITIES, *ATTACHED_POLICIES, *HOLDS_DATA),
    *("AWS::IAM::InstanceProfile", "AWS::Lambda::Permission", DASHBOARD, LOGS, "AWS::Logs::LogStream"),
} - {"AWS::KinesisAnalyticsV2::Application"}
"""Types of which access, exposure and alarms tell all that a new resource can do by itself."""


def unassessed_findings(
    changes: Differences, told: Iterable[Finding], assessed: Iterable[Place]
) -> Iterator[Finding]:
    """told: what is said of the changes; assessed: values that a rule assesses."""
    places = (
        *(cover for finding in told for cover in finding.covers),
        *assessed,
        *policy_values(changes),
    )
    existed = bool(changes.old.stacks)
    for change in changes.resources:
        if change.old is None:
            yield from _new(change, existed=existed)
        elif change.new is not None:
            yield from _changed(change, places)
    new = {stack.name for stack in changes.added_stacks}
    for other in changes.others:
        place = (other.stack.name, "", other.path)
        if other.stack.name in new or _adds_an_output(other):
            continue
        if not any(covered(cover, place) for cover in places):
            yield Finding(
                kind=Kind.NOT_UNDERSTOOD,
                text=f"{other.stack.title}, {other.path}: {shown(other.old)} → {shown(other.new)}.",
                covers=(place,),
            )


def covered(cover: Place, place: Place) -> bool:
    """Whether what covers the one place covers the other: it is the same, or above it."""
    return cover[:2] == place[:2] and (
        not cover[2] or place[2] == cover[2] or place[2].startswith((f"{cover[2]}.", f"{cover[2]}["))
    )


def _adds_an_output(other: TemplateChange) -> bool:
    return other.path.startswith("Outputs") and other.old is None


def _new(change: ResourceChange, *, existed: bool) -> Iterator[Finding]:
    said = f"The {change.title} ({change.stack.title}) is new"
    if change.type not in TYPE_WORDS:
        yield Finding(
            kind=Kind.NOT_UNDERSTOOD,
            text=f"{said}, and of a type that this tool does not know: `{change.type}`.",
        )
    elif existed and change.type not in _ASSESSED_WHEN_NEW:
        yield Finding(kind=Kind.NOT_ASSESSED, text=f"{said}.")


def _changed(change: ResourceChange, places: Iterable[Place]) -> Iterator[Finding]:
    if change.impact == "UNKNOWN":
        yield Finding(
            kind=Kind.NOT_UNDERSTOOD,
            text=f"**The CDK's engine cannot read the {change.title}** ({change.stack.title}): whether "
            "it is replaced is not known.",
        )
    unassessed: list[ValueChange] = []
    for value in change.values:
        place = change.place(value.path)
        if any(covered(cover, place) for cover in places):
            continue
        if understood(change, value):
            unassessed.append(value)
            continue
        said = _ENGINE_SAYS.get(
            change.impact_of.get(value.property) or "", "the CDK's engine does not know it either"
        )
        yield Finding(
            kind=Kind.NOT_UNDERSTOOD,
            text=f"The {change.title} ({change.stack.title}): {value.shown}; {said}.",
            covers=(place,),
        )
    if unassessed:
        values = ", ".join(value.shown for value in unassessed)
        yield Finding(
            kind=Kind.NOT_ASSESSED,
            text=f"The {change.title} ({change.stack.title}): {values}.",
            covers=tuple(change.place(value.path) for value in unassessed),
        )
