"""Data at risk: resources that hold data and are replaced, deleted, or kept for a shorter time."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloudformation import at, physical_name
from names import REMAINING_DAYS_TAG
from operations.review.differences import Differences, ResourceChange
from operations.review.display_names import capitalised, listed, shown
from operations.review.findings import Finding, Kind
from stacks.policy_checks.holds_data import HOLDS_DATA

LOGS = "AWS::Logs::LogGroup"

_SHORTER = {
    # Kinesis API reference, DecreaseStreamRetentionPeriod: what is older becomes inaccessible.
    ("AWS::Kinesis::Stream", "Properties.RetentionPeriodHours"): (
        "hours",
        24,
        "records older than that become unreadable at once",
    ),
    ("Custom::SearchBootstrap", "Properties.RetentionDays"): (
        "days",
        None,
        "indices made from now on are deleted that much sooner, with their counts",
    ),
    ("AWS::SQS::Queue", "Properties.MessageRetentionPeriod"): (
        "seconds",
        345_600,
        "older messages are deleted",
    ),
}
"""Type and path -> unit, what holds where the template says nothing (None: without end), consequence."""
KEEPING = ("Retain", "RetainExceptOnCreate", "Snapshot")
_RETAINING = ("DeletionPolicy", "UpdateReplacePolicy")
_APPLICATION = "Properties.ApplicationConfiguration"
_PROTECTING = {
    "Properties.DeletionProtectionEnabled": True,
    "Properties.DeletionProtection": "ACTIVE",
    "Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": True,
    "Properties.VersioningConfiguration.Status": "Enabled",
    "Properties.ObjectLockEnabled": True,
    f"{_APPLICATION}.ApplicationSnapshotConfiguration.SnapshotsEnabled": True,
    f"{_APPLICATION}.FlinkApplicationConfiguration.CheckpointConfiguration.CheckpointingEnabled": True,
}


_EXPIRING = {
    "objects": ("ExpirationInDays",),
    "replaced versions": ("NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays"),
}
_FILTERS = ("TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan")


def data_findings(changes: Differences) -> Iterator[Finding]:
    for change in changes.resources:
        if change.type in HOLDS_DATA and change.old is not None and not made_anew(changes, change):
            yield from _fate(change, HOLDS_DATA[change.type])
            yield from _protection(change)
        elif change.type == LOGS and (change.gone or change.replaced):
            yield Finding(
                kind=Kind.ALARM_LOST,
                text=f"The {change.title} is deleted with its events.",
                covers=(change.place(),),
            )
        yield from _shorter(change)
    yield from _no_longer_retained(changes)
    yield from _retained_otherwise(changes)
    for other in changes.others:
        if other.path == "termination protection" and other.old:
            yield Finding(
                kind=Kind.PROTECTION_LOST,
                text=f"**{other.stack.title} loses its termination protection**: from this deployment on, "
                "one command deletes the stack.",
                covers=((other.stack.name, "", other.path),),
            )


def made_anew(changes: Differences, gone: ResourceChange) -> bool:
    """Whether a resource that leaves comes back under another logical id or in another stack, name and
    all."""
    name = physical_name(gone.old or {})
    return (
        gone.gone
        and name is not None
        and any(
            change.old is None and change.type == gone.type and physical_name(change.new or {}) == name
            for change in changes.resources
        )
    )


def _fate(change: ResourceChange, holds: str) -> Iterator[Finding]:
    if change.gone:
        policy, verb = retention_policy(change.old, "DeletionPolicy"), "is deleted"
    elif change.replaced:
        policy = retention_policy(change.new, "UpdateReplacePolicy")
        verb = "is replaced" if change.impact == "WILL_REPLACE" else "may be replaced"
        verb += " by an empty one"
    else:
        return
    causes = [f"`{value.name}`" for value in change.replacing()[:3]]
    because = f", because {', '.join(causes)} cannot change in place" if causes else ""
    if policy == "Delete":
        yield Finding(
            kind=Kind.DATA_LOSS,
            text=f"**The {change.title} {verb}, and {holds} are lost**{because}. Nothing retains it.",
            details=(_copy_first(change),),
            covers=(change.place(),),
        )
        return
    if change.gone:
        text = (
            f"**The {change.title} leaves its stack, with {holds}**. {policy} keeps it in the account, but "
            "nothing manages it any more."
        )
        details = ["It is billed until someone deletes it by hand; `cdk import` takes it back."]
    else:
        text = (
            f"**The {change.title} {verb}**{because}. {policy} keeps the old one with {holds}, but nothing "
            "uses it any more."
        )
        details = ["No stack holds the old one; it is billed until someone deletes it by hand."]
    if change.stack.protected:
        details.append(
            "Termination protection guards the stack against being deleted, not against this change."
        )
    yield Finding(kind=Kind.DATA_LEFT, text=text, details=tuple(details), covers=(change.place(),))


def _copy_first(change: ResourceChange) -> str:
    if change.type == "AWS::KinesisAnalyticsV2::Application":
        return (
            "The new application starts without state and reads the stream from its oldest record: counts "
            "are right again once it has caught up, if allowed lateness is not longer than the stream's "
            "retention."
        )
    return (
        "To keep the data, set its removal policy to RETAIN and deploy that first, or copy the data before."
    )


def _no_longer_retained(changes: Differences) -> Iterator[Finding]:
    """All of them in one sentence: the two keys take the protection from everything at once."""
    unprotected = [
        (change, policies)
        for change in changes.resources
        if change.type in HOLDS_DATA and change.old is not None and change.new is not None
        if (policies := [policy for policy in _RETAINING if _newly_deleted(change, policy)])
    ]
    if not unprotected:
        return
    titles = [f"the {change.title}" for change, _ in unprotected]
    yield Finding(
        kind=Kind.PROTECTION_LOST,
        text=f"**{capitalised(listed(titles, most=3))} {'is' if len(titles) == 1 else 'are'} no longer "
        f"retained**: from this "
        "deployment on, deleting or replacing what is named deletes its data.",
        details=tuple(
            f"The {change.title}: {HOLDS_DATA[change.type]} ({' and '.join(policies)}: Delete)."
            for change, policies in unprotected
        ),
        covers=tuple(change.place(policy) for change, policies in unprotected for policy in policies),
    )


def _retained_otherwise(changes: Differences) -> Iterator[Finding]:
    """Another way of keeping, or keeping what was deleted until now: no risk, one sentence for each such
    change."""
    by_change: dict[tuple[str, str, str], list[ResourceChange]] = {}
    for change in changes.resources:
        for policy in _RETAINING:
            was, now = retention_policy(change.old, policy), retention_policy(change.new, policy)
            if change.old and change.new and was != now and now in KEEPING:
                by_change.setdefault((policy, was, now), []).append(change)
    for (policy, was, now), members in by_change.items():
        titles = [f"the {change.title}" for change in members]
        yield Finding(
            kind=Kind.NOTE,
            text=f"{capitalised(listed(titles, most=3))} {'stays' if len(titles) == 1 else 'stay'} retained "
            f"or {'becomes' if len(titles) == 1 else 'become'} so: `{policy}` {was} → {now}.",
            covers=tuple(change.place(policy) for change in members),
        )


def _newly_deleted(change: ResourceChange, policy: str) -> bool:
    return retention_policy(change.new, policy) == "Delete" != retention_policy(change.old, policy)


def _protection(change: ResourceChange) -> Iterator[Finding]:
    if change.gone or change.impact == "WILL_REPLACE":
        return
    for path, wanted in _PROTECTING.items():
        if at(change.old, path) == wanted != at(change.new, path):
            yield Finding(
                kind=Kind.PROTECTION_LOST,
                text=f"**The {change.title} loses a protection of its data**: "
                f"`{path.removeprefix('Properties.')}` is no longer `{wanted}`.",
                covers=tuple(
                    change.place(value.path)
                    for value in change.values
                    if path == value.path or path.startswith(f"{value.path}.")
                ),
            )


def _shorter(change: ResourceChange) -> Iterator[Finding]:
    for value in change.values:
        if rule := _SHORTER.get((change.type, value.path)):
            unit, default, consequence = rule
            was, now = (_number(default if side is None else side) for side in (value.old, value.new))
            if now < was:
                old = "without end" if was == float("inf") else f"{was:,.0f} {unit}"
                yield Finding(
                    kind=Kind.DATA_LOSS,
                    text=f"**The {change.title} keeps its data for {now:,.0f} {unit} instead of {old}**: "
                    f"{consequence}.",
                    covers=(change.place(value.path),),
                )
    if change.type == "AWS::S3::Bucket" and change.old and change.new:
        yield from _expiry(change)


def _expiry(change: ResourceChange) -> Iterator[Finding]:
    """S3 user guide, "Expiring objects": a rule holds for objects that are there already."""
    covers = (change.place("Properties.LifecycleConfiguration"),)
    for word, keys in _EXPIRING.items():
        before = _days(change.old, keys)
        for (prefix, filters), days in _days(change.new, keys).items():
            was = min(
                (
                    until
                    for (scope, others), until in before.items()
                    if prefix.startswith(scope) and others in {"", filters}
                ),
                default=float("inf"),
            )
            if days < was:
                where = f" below `{prefix}`" if prefix else ""
                until_now = "without end" if was == float("inf") else f"for {was:g} days"
                yield Finding(
                    kind=Kind.DATA_LOSS,
                    text=f"**The {change.title} keeps {word}{where} for {days:g} days, until now "
                    f"{until_now}**: those that are older are deleted within about a day.",
                    covers=covers,
                )
    before_rules = _rules(change.old)
    for rule in _rules(change.new):
        if rule in before_rules:
            continue
        where = f" below `{rule['Prefix']}`" if rule.get("Prefix") else ""
        if "ExpirationDate" in rule:
            yield Finding(
                kind=Kind.DATA_LOSS,
                text=f"**The {change.title} deletes every object{where} from "
                f"{shown(rule['ExpirationDate'])} on**, as long as the rule stands.",
                covers=covers,
            )
        if archives := sorted(set(re.findall(r"GLACIER|DEEP_ARCHIVE", str(rule)))):
            yield Finding(
                kind=Kind.INTERRUPTION,
                text=f"**The {change.title} moves objects{where} to {' and '.join(archives)}**, where they "
                "cannot be read before a restore of up to two days; a replay needs that first.",
                covers=covers,
            )


def _rules(resource: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The rules of a bucket's life cycle that are on, without those for what `click-trends erase` rewrites:
    they give an object the rest of a life that another rule states."""
    rules = at(resource, "Properties.LifecycleConfiguration.Rules") or ()
    return [rule for rule in rules if at(rule, "Status") == "Enabled" and not _for_rewritten(rule)]


def _for_rewritten(rule: Mapping[str, Any]) -> bool:
    tags = rule.get("TagFilters") or []
    return bool(tags) and all(at(tag, "Key") == REMAINING_DAYS_TAG for tag in tags)


def _days(resource: Mapping[str, Any] | None, keys: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """The shortest time in days, by what the rules hold for: prefix, and other filters as a text."""
    shortest: dict[tuple[str, str], float] = {}
    for rule in _rules(resource):
        for key in keys:
            if rule.get(key) is None:
                continue
            given = rule[key]
            days = _number(given.get("NoncurrentDays") if isinstance(given, Mapping) else given)
            filters = {name: rule[name] for name in _FILTERS if rule.get(name)}
            scope = (str(rule.get("Prefix", "")), json.dumps(filters, sort_keys=True) if filters else "")
            shortest[scope] = min(days, shortest.get(scope, float("inf")))
    return shortest


def _number(value: Any) -> float:
    """`forever`, None and what is no number: without end."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("inf")


def retention_policy(resource: Mapping[str, Any] | None, policy: str) -> str:
    value = (resource or {}).get(policy, "Delete")
    return value if isinstance(value, str) else "Delete"
