"""One review: everything found between two revisions, ready for the page and for JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from operations.review.access import access_findings
from operations.review.alarms import alarm_findings
from operations.review.assessing import assessed
from operations.review.blind_spots import unseen_findings
from operations.review.boundaries import boundary_findings
from operations.review.data import data_findings
from operations.review.dependencies import DependencyChange, dependency_changes
from operations.review.differences import Differences, differences
from operations.review.effects import effect_findings, update_findings
from operations.review.errors import ReviewError
from operations.review.exposure import exposure_findings
from operations.review.figures import differing, figure_findings
from operations.review.findings import Finding, Kind, Place
from operations.review.renamed_resources import deployment_findings, name_findings
from operations.review.restart import restart, takes_snapshots
from operations.review.revisions import Revision, outside_files
from operations.review.rule_failures import failed, found, guarded
from operations.review.rules import RULES
from operations.review.settings_changes import (
    SettingChange,
    acknowledgement_lines,
    setting_changes,
    setting_findings,
)
from operations.review.sql import FileDiff, StateSettings, sql_diffs, state_findings
from operations.review.unassessed_values import covered, unassessed_findings


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
    data = (
        *found("data", data_findings, changes),
        *setting_findings(settings, counted_into=_counts_generation(head)),
    )
    outside = outside_files(head.tree)
    places = (
        *found("names", lambda some: name_findings(some, outside), changes),
        *found("the deployment", deployment_findings, changes),
    )
    access = (
        *found("exposure", exposure_findings, changes),
        *found("access", access_findings, changes),
        *found("permissions boundaries", boundary_findings, changes),
    )
    meanings, assessed_places = _assessed(changes)
    effects = (*meanings, *found("effects", effect_findings, changes))
    alarms = found("alarms", alarm_findings, changes)
    told = (*data, *places, *access, *effects, *alarms)
    updates = tuple(
        update for update in found("updates", update_findings, changes) if not _says_less(update, told)
    )
    dependencies = dependency_changes(base.tree, head.tree)
    unseen = guarded(
        "what no template shows",
        lambda: unseen_findings(
            base.tree, head.tree, dependencies, restart=restart(changes.old, changes.new)
        ),
    )
    return Report(
        environment=environment,
        base=base,
        head=head,
        changes=changes,
        data=data,
        places=places,
        access=access,
        effects=(
            *effects,
            *updates,
            *(finding for finding in unseen if finding.kind is not Kind.NOT_UNDERSTOOD),
        ),
        alarms=alarms,
        sql=guarded(
            "the running state", lambda: state_findings(base.tree, head.tree, _state_settings(base, head))
        ),
        unknown=(
            *(finding for finding in unseen if finding.kind is Kind.NOT_UNDERSTOOD),
            *guarded("what no rule assesses", lambda: unassessed_findings(changes, told, assessed_places)),
        ),
        compared=tuple(figure_findings(base.figures, head.figures, existed=base.exists)),
        sql_diffs=sql_diffs(base.tree, head.tree),
        settings=settings,
        acknowledgements=acknowledgement_lines(base.assembly, head.assembly),
        dependencies=dependencies,
        figures=differing(base.figures, head.figures),
    )


def _counts_generation(revision: Revision) -> int:
    setting = revision.settings.get("analytics.counts_generation")
    return setting.value if setting else 1


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
        drops_repeated=(
            value(base, "analytics.drop_repeated_click_ids_hours", None) is not None,
            value(head, "analytics.drop_repeated_click_ids_hours", None) is not None,
        ),
    )


def _assessed(changes: Differences) -> tuple[tuple[Finding, ...], frozenset[Place]]:
    try:
        return assessed(changes, RULES)
    except Exception as error:
        return (failed("what values mean", error),), frozenset()


def _says_less(update: Finding, told: Iterable[Finding]) -> bool:
    """Whether worse is said of all its values: what is lost, or breaks, or, where the update itself is
    nothing to speak of, anything."""
    worse = {Kind.DATA_LOSS, Kind.BROKEN}
    covers = [
        cover
        for finding in told
        if update.kind is Kind.NOTE or finding.kind in worse
        for cover in finding.covers
    ]
    return bool(update.covers) and all(
        any(covered(cover, place) for cover in covers) for place in update.covers
    )
