"""One review: everything found between two revisions, ready for the page and for JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from review.access import access_findings, policy_values
from review.alarms import alarm_findings
from review.data import data_findings
from review.dependencies import DependencyChange, dependency_changes
from review.differences import Differences, ResourceChange, ValueChange, differences
from review.effects import effect_findings, understood
from review.errors import ReviewError
from review.exposure import exposure_findings
from review.figures import differing, figure_findings
from review.findings import Finding, Kind
from review.naming import TYPE_WORDS, shown
from review.places import deployment_findings, name_findings
from review.restart import restart, takes_snapshots
from review.revisions import Revision, outside_files
from review.settings_changes import (
    SettingChange,
    acknowledgement_lines,
    setting_changes,
    setting_findings,
)
from review.sql import FileDiff, StateSettings, sql_diffs, state_findings
from review.unforeseen import found, guarded
from review.unseen import unseen_findings

_ENGINE_SAYS = {
    "WILL_UPDATE": "CloudFormation updates it in place",
    "WILL_REPLACE": "CloudFormation replaces the resource",
    "MAY_REPLACE": "CloudFormation may replace the resource",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """findings: of all kinds, as found; the page sorts them. figures: title -> (what, before, after)."""

    environment: str
    base: Revision
    head: Revision
    changes: Differences
    data: tuple[Finding, ...]
    places: tuple[Finding, ...]
    access: tuple[Finding, ...]
    effects: tuple[Finding, ...]
    alarms: tuple[Finding, ...]
    sql: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    compared: tuple[Finding, ...]
    sql_diffs: tuple[FileDiff, ...]
    settings: tuple[SettingChange, ...]
    acknowledgements: tuple[str, ...]
    dependencies: tuple[DependencyChange, ...]
    figures: Mapping[str, list[tuple[str, str, str]]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        groups = (
            self.data,
            self.places,
            self.access,
            self.effects,
            self.alarms,
            self.sql,
            self.unknown,
            self.compared,
        )
        return tuple(finding for group in groups for finding in group)

    def of(self, *kinds: Kind) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.kind in kinds)


def review(environment: str, base: Revision, head: Revision) -> Report:
    """Compare two revisions. Raises ReviewError when neither has the environment."""
    if not base.exists and not head.exists:
        known = ", ".join(sorted(file.stem for file in (head.tree / "environments").glob("*.toml"))) or "none"
        raise ReviewError(
            f"neither {base.name} nor {head.name} has an environment '{environment}' (known: {known}): "
            f"choose another with --environment, or write environments/{environment}.toml"
        )
    changes = differences(base.assembly, head.assembly)
    settings = setting_changes(base.settings, head.settings)
    data = (*found("data", data_findings, changes), *setting_findings(settings))
    outside = outside_files(head.tree)
    places = (
        *found("names", lambda some: name_findings(some, outside), changes),
        *found("the deployment", deployment_findings, changes),
    )
    access = (
        *found("exposure", exposure_findings, changes),
        *found("access", access_findings, changes),
    )
    said = [cover for group in (data, access) for finding in group for cover in finding.covers]
    effects = tuple(
        effect for effect in found("effects", effect_findings, changes) if not _says_less(effect, said)
    )
    alarms = found("alarms", alarm_findings, changes)
    dependencies = dependency_changes(base.tree, head.tree)
    unseen = guarded(
        "what no template shows",
        lambda: unseen_findings(
            base.tree, head.tree, dependencies, restart=restart(changes.old, changes.new)
        ),
    )
    covered = [
        cover for group in (data, places, access, effects, alarms) for f in group for cover in f.covers
    ]
    return Report(
        environment=environment,
        base=base,
        head=head,
        changes=changes,
        data=data,
        places=places,
        access=access,
        effects=(*effects, *(finding for finding in unseen if finding.kind is not Kind.NOT_UNDERSTOOD)),
        alarms=alarms,
        sql=guarded(
            "the running state", lambda: state_findings(base.tree, head.tree, _state_settings(base, head))
        ),
        unknown=(
            *(finding for finding in unseen if finding.kind is Kind.NOT_UNDERSTOOD),
            *guarded(
                "what is not understood",
                lambda: _not_understood(changes, [*covered, *policy_values(changes)]),
            ),
        ),
        compared=tuple(figure_findings(base.figures, head.figures, existed=base.exists)),
        sql_diffs=sql_diffs(base.tree, head.tree),
        settings=settings,
        acknowledgements=acknowledgement_lines(base.assembly, head.assembly),
        dependencies=dependencies,
        figures=differing(base.figures, head.figures),
    )


def _state_settings(base: Revision, head: Revision) -> StateSettings:
    def value(revision: Revision, key: str, otherwise: Any) -> Any:
        setting = revision.settings.get(key)
        return setting.value if setting else otherwise

    generations = [value(revision, "analytics.state_generation", 0) for revision in (base, head)]

    def both(key: str) -> tuple[int, int] | None:
        before, after = (value(revision, key, None) for revision in (base, head))
        return (before, after) if isinstance(before, int) and isinstance(after, int) else None

    return StateSettings(
        retention_hours=value(head, "streams.retention_hours", "?"),
        raised=generations[0] < generations[1],
        snapshots=takes_snapshots(base.assembly, head.assembly),
        parallelism=both("analytics.parallelism"),
        lateness_hours=both("analytics.allowed_lateness_hours"),
    )


def _says_less(effect: Finding, said: list[tuple[str, str, str]]) -> bool:
    """Whether other findings say more of the same values than this note does."""
    return (
        effect.kind is Kind.NOTE
        and bool(effect.covers)
        and all(any(_covers(cover, place) for cover in said) for place in effect.covers)
    )


def _not_understood(changes: Differences, covered: list[tuple[str, str, str]]) -> Iterable[Finding]:
    """Every changed value that no finding explains and no rule knows."""
    for change in changes.resources:
        if change.old is None and change.type not in TYPE_WORDS:
            yield Finding(
                kind=Kind.NOT_UNDERSTOOD,
                text=f"The {change.title} ({change.stack.title}) is new, and of a type that this tool does "
                f"not know: `{change.type}`.",
            )
        if change.old is None or change.new is None:
            continue
        if change.impact == "UNKNOWN":
            yield Finding(
                kind=Kind.NOT_UNDERSTOOD,
                text=f"**The CDK's engine cannot read the {change.title}** ({change.stack.title}): whether "
                "it is replaced is not known.",
            )
        for value in change.values:
            place = (change.stack.name, change.logical_id, value.path)
            if understood(change, value) or any(_covers(cover, place) for cover in covered):
                continue
            yield Finding(
                kind=Kind.NOT_UNDERSTOOD,
                text=_unknown_text(change, value),
                covers=(place,),
            )
    new = {stack.name for stack in changes.added_stacks}
    for other in changes.others:
        if other.stack.name in new:
            continue
        place = (other.stack.name, "", other.path)
        if not any(_covers(cover, place) for cover in covered):
            yield Finding(
                kind=Kind.NOT_UNDERSTOOD,
                text=f"{other.stack.title}, {other.path}: {shown(other.old)} → {shown(other.new)}.",
                covers=(place,),
            )


def _unknown_text(change: ResourceChange, value: ValueChange) -> str:
    said = _ENGINE_SAYS.get(
        change.impact_of.get(value.property) or "", "the CDK's engine does not know it either"
    )
    return (
        f"The {change.title} ({change.stack.title}): `{value.path.removeprefix('Properties.')}` "
        f"{shown(value.old)} → {shown(value.new)}; {said}."
    )


def _covers(cover: tuple[str, str, str], place: tuple[str, str, str]) -> bool:
    return cover[:2] == place[:2] and (
        not cover[2] or place[2] == cover[2] or place[2].startswith((f"{cover[2]}.", f"{cover[2]}["))
    )
