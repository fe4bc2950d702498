"""The first line of the page, and the exit code."""

from collections.abc import Iterable

from operations.review.figures import cost_change
from operations.review.findings import Kind
from operations.review.report import Report

_WORDS = (
    ("Data at risk", (Kind.DATA_LOSS, Kind.DATA_LEFT, Kind.PROTECTION_LOST)),
    ("Something stops working", (Kind.BROKEN,)),
    ("Open to the public", (Kind.PUBLIC,)),
    ("Access widened", (Kind.WILDCARD, Kind.ACCESS)),
    ("Encryption changed", (Kind.ENCRYPTION,)),
    ("Deployment will fail", (Kind.FAILS,)),
    ("Names changed", (Kind.NAME,)),
    ("Counts need a replay", (Kind.REPLAY,)),
    ("State starts fresh", (Kind.FRESH_STATE,)),
    ("Interruption", (Kind.INTERRUPTION,)),
    ("Alarm lost", (Kind.ALARM_LOST,)),
    ("Later counts", (Kind.LATENCY,)),
    ("Not understood", (Kind.NOT_UNDERSTOOD,)),
    ("Not assessed", (Kind.NOT_ASSESSED,)),
)


def verdict(report: Report) -> str:
    """`Data at risk · Access widened · Cost +12 %`, the dangerous first."""
    found = {finding.kind for finding in report.findings}
    if not report.base.exists:
        found.discard(Kind.ACCESS)  # every permission of a new environment is new
    words = ["A new environment"] if not report.base.exists else []
    words += [word for word, kinds in _WORDS if found.intersection(kinds)]
    if cost := cost_change(report.base.figures, report.head.figures):
        words.append(cost)
    return " · ".join(words or [_nothing_dangerous(report)])


def _nothing_dangerous(report: Report) -> str:
    if report.changes.resources or report.changes.others or report.changes.added_stacks:
        return "Nothing at risk"
    if report.changes.assets or report.sql_diffs:
        return "Only code"
    if report.settings or report.dependencies or report.acknowledgements or report.changes.removed_stacks:
        return "Nothing deployed changes"
    return "Nothing"


_MEANS_ALSO = {Kind.PUBLIC: {Kind.WILDCARD, Kind.ACCESS}, Kind.WILDCARD: {Kind.ACCESS}}
"""Open to the public is a permission for more than who is named; both are permissions that are new."""


def failing(report: Report, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """Those of `kinds` that were found, or are meant by what was found, in order of danger."""
    found = {finding.kind for finding in report.findings}
    meant = found.union(*(_MEANS_ALSO.get(kind, set()) for kind in found))
    return tuple(kind for kind in Kind if kind in set(kinds) and kind in meant)
