"""What differs, in words a person can act on: when, how many clicks, the likely cause, where to look."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contract.count import WINDOW
from lambdas.reconciliation.objects import HOUR
from lambdas.reconciliation.outcomes import WindowOutcome
from lambdas.reconciliation.result import ReconciledHours
from names import RAW_ERRORS_PREFIX, REJECTED_ERRORS_PREFIX

MAX_OBJECTS = 5

WAITING = "OpenSearch did not take their counts, and redelivery has them: nothing to do"
GIVEN_UP = "redelivery gave up their counts: docs/operate/redelivery.md#given-up says how to bring them back"
REJECTS_UNWRITTEN = "neither counted nor rejected; Firehose could not write some rejects"
MISSING = (
    "neither counted nor rejected: look for failures of the application and its delivery streams at that "
    "time, then count them by `click-trends replay`"
)
UNPLACED = "without a time that can be read, and not rejected: look for failures of the delivery of rejects"
RAW_UNWRITTEN = "counted, but not in the raw backup; Firehose could not write some raw clicks"
SURPLUS = (
    "counted, but not received: the raw backup lacks them; or they count under two segments, after a version "
    "that was published late; or a replay counted what arrived later (--arrived-until)"
)
UNREADABLE = "this object cannot be read: it is damaged, or no object of Firehose"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Windows, or hours, in a row with the same cause. clicks: below 0 if they are missing. is_explained:
    whether the cause is known to be the whole of it. objects: keys of some to look at."""

    since: datetime
    until: datetime
    clicks: int
    cause: str
    is_explained: bool
    is_final: bool
    objects: tuple[str, ...]

    @property
    def needs_action(self) -> bool:
        return self.is_final and not self.is_explained


def differences(found: ReconciledHours) -> list[Difference]:
    """In the order of time; those of clicks first, then those of units without a time."""
    of_windows = _in_a_row(each for window in found.windows for each in _of(window, WINDOW, found))
    of_hours = _in_a_row(each for hour in found.hours for each in _of(hour, HOUR, found))
    unreadable = [
        Difference(
            since=found.since,
            until=found.until,
            clicks=0,
            cause=UNREADABLE,
            is_explained=is_beside,
            is_final=True,
            objects=(key,),
        )
        for keys, is_beside in ((found.unreadable, False), (found.unreadable_beside, True))
        for key in keys
    ]
    return [*of_windows, *of_hours, *unreadable]


def _of(outcome: WindowOutcome, length: timedelta, found: ReconciledHours) -> Iterator[Difference]:
    def difference(clicks: int, cause: str, objects: list[str], *, is_explained: bool = False) -> Difference:
        return Difference(
            since=outcome.start,
            until=outcome.start + length,
            clicks=clicks,
            cause=cause,
            is_explained=is_explained,
            is_final=outcome.is_final,
            objects=tuple(objects[:MAX_OBJECTS]),
        )

    if outcome.waiting:
        yield difference(-outcome.waiting, WAITING, outcome.set_aside, is_explained=True)
    if outcome.given_up:
        yield difference(-outcome.given_up, GIVEN_UP, outcome.set_aside, is_explained=True)
    if outcome.missing:
        unwritten = [key for key in found.error_objects if f"/{REJECTED_ERRORS_PREFIX}" in key]
        if outcome.pending:
            cause, objects = outcome.pending, outcome.objects
        elif unwritten:
            cause, objects = REJECTS_UNWRITTEN, [*unwritten, *outcome.objects]
        else:
            cause, objects = (MISSING if length == WINDOW else UNPLACED), outcome.objects
        yield difference(-outcome.missing, cause, objects)
    if outcome.surplus:
        unwritten = [key for key in found.error_objects if f"/{RAW_ERRORS_PREFIX}" in key]
        if outcome.pending:
            yield difference(outcome.surplus, outcome.pending, outcome.objects)
        elif unwritten:
            yield difference(outcome.surplus, RAW_UNWRITTEN, [*unwritten, *outcome.objects])
        else:
            yield difference(outcome.surplus, SURPLUS, outcome.objects)


def _in_a_row(each: Iterator[Difference]) -> list[Difference]:
    """Neighbours with one cause as one."""
    merged: list[Difference] = []
    open_: dict[tuple[str, bool], int] = {}
    for one in each:
        place = open_.get((one.cause, one.is_final))
        if place is not None and merged[place].until == one.since:
            before = merged[place]
            merged[place] = replace(
                before,
                until=one.until,
                clicks=before.clicks + one.clicks,
                objects=tuple(dict.fromkeys((*before.objects, *one.objects)))[:MAX_OBJECTS],
            )
        else:
            open_[one.cause, one.is_final] = len(merged)
            merged.append(one)
    return merged
