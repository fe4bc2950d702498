"""The SQL of the analytics application: its diff, and what becomes of the running state."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics_sql.operators import FILE, Record, raised_generations, read_record
from operations.review.findings import Finding, Kind
from settings.capacity import default_max_parallelism

FOLDER = "analytics_sql"
_COMMENT = re.compile(r"""(?P<kept>'(?:[^']|'')*'|`[^`]*`|/\*\+.*?\*/)|--[^\n]*|/\*.*?\*/""", re.DOTALL)
"""A comment, or what looks like one and is kept: in a literal or a name, and hints."""


@dataclass(frozen=True, kw_only=True)
class FileDiff:
    """unified: with three lines around each change."""

    path: str
    unified: str


def sql_diffs(old: Path, new: Path) -> tuple[FileDiff, ...]:
    """Of every .sql file that differs between two trees."""
    names = sorted({file.name for tree in (old, new) for file in (tree / FOLDER).glob("*.sql")})
    return tuple(
        FileDiff(path=f"{FOLDER}/{name}", unified="\n".join(lines))
        for name in names
        if (lines := list(_diff(f"{FOLDER}/{name}", _text(old, name), _text(new, name))))
    )


def without_comments(text: str) -> str:
    """SQL without its comments and blank lines: what Flink runs."""
    bare = _COMMENT.sub(lambda found: found["kept"] or "", text)
    return "\n".join(line.rstrip() for line in bare.splitlines() if line.strip())


def only_comments_differ(old: Path, new: Path) -> bool:
    names = {file.name for tree in (old, new) for file in (tree / FOLDER).glob("*.sql")}
    return all(without_comments(_text(old, name)) == without_comments(_text(new, name)) for name in names)


@dataclass(frozen=True, kw_only=True)
class StateSettings:
    """retention_hours: of the source stream, from which counts are built again; raised: whether the setting
    analytics.state_generation is, so that the deployment drops the state; snapshots: whether the application
    takes them, so that a deployment keeps the state; parallelism and lateness_hours: before and after, None
    where not known; drops_repeated: whether repeated click ids are dropped, before and after."""

    retention_hours: object
    raised: bool
    snapshots: bool = True
    parallelism: tuple[int, int] | None = None
    lateness_hours: tuple[int, int] | None = None
    drops_repeated: tuple[bool, bool] = (False, False)


def state_findings(old: Path, new: Path, settings: StateSettings) -> Iterator[Finding]:
    """What becomes of the running state, from the recorded operators of both trees."""
    before, after = read_record(old / FOLDER), read_record(new / FOLDER)
    rules_differ = not only_comments_differ(old, new)
    lost = after is not None and (
        before is None or any(_moved(name, one, after) for name, one in before["operators"].items())
    )
    yield from _too_many_tasks(settings)
    yield from _expired_counts(settings)
    yield from _click_ids(settings)
    if after is None:
        if rules_differ:
            yield Finding(
                kind=Kind.NOT_UNDERSTOOD,
                text=f"{FOLDER}/{FILE} is missing, so whether the running state can be restored is not "
                "known.",
            )
    elif lost:
        yield _starts_fresh(before, after, settings.retention_hours)
        if settings.snapshots and not settings.raised:
            yield Finding(
                kind=Kind.FAILS,
                text="**The update of the analytics application will fail: its state cannot be restored**, "
                "and "
                "`analytics.state_generation` is not raised.",
                details=(
                    "Raise it by one in the environment's file: docs/start/deployment.md, "
                    "Start without state.",
                ),
            )
    elif settings.raised:
        yield Finding(
            kind=Kind.FRESH_STATE,
            text="**The application starts fresh, as `analytics.state_generation` is raised, and is rebuilt "
            "from "
            f"the stream within {settings.retention_hours} h.** Its state could be restored.",
            details=(_FRESH,),
        )
    elif not settings.snapshots and (before != after or sql_diffs(old, new)):
        yield Finding(
            kind=Kind.FRESH_STATE,
            text="**The application starts fresh and is rebuilt from the stream within "
            f"{settings.retention_hours} h**: its snapshots are off, so no update keeps its state.",
            details=(_FRESH,),
        )
    elif before is not None and (gone := _gone(before, after)):
        yield from _leaves_state_behind(before, after, gone, rules_differ=rules_differ)
    elif rules_differ or before != after:
        yield _keeps_state(before or after, after, rules_differ=rules_differ)
    elif sql_diffs(old, new):
        yield Finding(kind=Kind.NOTE, text="Only comments of the SQL differ: it **keeps state**.")


def _too_many_tasks(settings: StateSettings) -> Iterator[Finding]:
    if settings.parallelism is None or settings.raised or not settings.snapshots:
        return
    before, after = settings.parallelism
    if after > (most := default_max_parallelism(before)):
        yield Finding(
            kind=Kind.FAILS,
            text="**The update of the analytics application will fail: a state begun with "
            f"{before} tasks can be restored with {most} at most**, not with {after}, unless it was begun "
            f"with more than {before}.",
            details=(
                "Raise `analytics.state_generation` with the parallelism: docs/start/deployment.md, "
                "Parallelism.",
            ),
        )


def _expired_counts(settings: StateSettings) -> Iterator[Finding]:
    if settings.lateness_hours is None or settings.raised or not settings.snapshots:
        return
    before, after = settings.lateness_hours
    if after > before:
        yield Finding(
            kind=Kind.REPLAY,
            text=f"**A click that was more than {before} h old when this is deployed is accepted and not "
            "counted**: the state has forgotten the count of its key, which begins at 1 again and loses "
            "against the larger one.",
            details=(
                f"That ends {after - before} h after the deployment. Raise "
                "`analytics.allowed_lateness_hours` so long before it is needed, or count those hours again "
                "with a replay.",
            ),
        )


def _click_ids(settings: StateSettings) -> Iterator[Finding]:
    match settings.drops_repeated:
        case (False, True):
            yield Finding(
                kind=Kind.NOTE,
                text="**Repeated click ids are rejected as `repeated_click_id` from this deployment on**: it "
                "remembers the ids that it reads from then, and every count goes on.",
            )
        case (True, False):
            yield Finding(
                kind=Kind.DATA_LOSS,
                text="**Repeated click ids count again, and the ids that were remembered are given up**; "
                "every count goes on. The application stops with a snapshot and starts from it with "
                "`AllowNonRestoredState`.",
            )


def _moved(name: str, operator: Mapping[str, Any], after: Record) -> bool:
    now = after["operators"].get(name)
    return now is not None and now["id"] != operator["id"]


def _starts_fresh(before: Record | None, after: Record, retention_hours: object) -> Finding:
    changed = [
        (name, operator["state"] or {}, after["operators"][name]["state"] or {})
        for name, operator in (before["operators"] if before else {}).items()
        if name in after["operators"] and operator["state"] != after["operators"][name]["state"]
    ]
    keys = [
        (name, before_key, after_key)
        for name, was, now in changed
        for before_key, after_key in [(was.get("key", []), now.get("key", []))]
        if before_key != after_key
    ]
    other = [name for name, was, now in keys if sorted(was) != sorted(now)]
    if other := other or raised_generations(before, after.get("sinks", {})):
        return Finding(
            kind=Kind.REPLAY,
            text="**The application needs a replay**: the key under which it counts changes "
            f"({_said(other)}), so "
            f"its state cannot be read. What the stream still holds ({retention_hours} h) is counted again "
            "under "
            "the new key; older days are not until a replay of the raw backup.",
            details=(
                "Raise its generation in contract/sink.py (of click-counts in contract/count.py), so that "
                "the new counts get indices of their own: in one index a sum would hold a click twice.",
                _FRESH,
            ),
        )
    why = (
        "the release before did not number its operators"
        if before is None
        else "its operators have new numbers"
    )
    if keys:
        why = (
            f"the columns of the key of {_said([name for name, _, _ in keys])} stand in another order, so "
            "its state would be counted under other keys"
        )
    elif before and (gone := _gone(before, after)):
        added = [name for name in after["operators"] if name not in before["operators"]]
        why = (
            f"{_said(list(gone.values()))} is gone and {_said(added)} is new, so the former state belongs to "
            "no operator any more"
        )
    elif changed:
        why = f"the state of {_said([name for name, _, _ in changed])} is of another kind"
    return Finding(
        kind=Kind.FRESH_STATE,
        text=f"**The application starts fresh and is rebuilt from the stream within {retention_hours} h**: "
        f"{why}.",
        details=(_FRESH,),
    )


def _gone(before: Record, after: Record) -> dict[str, str]:
    """By number, the operators of before that are no more."""
    return {
        str(operator["id"]): name
        for name, operator in before["operators"].items()
        if name not in after["operators"]
    }


def _leaves_state_behind(
    before: Record, after: Record, gone: Mapping[str, str], *, rules_differ: bool
) -> Iterator[Finding]:
    names = _said(list(gone.values()))
    # Back over a release that added them: there they have no number yet.
    named = all(number in after.get("removed", {}) or int(number) >= after["next"] for number in gone)
    if not named:
        yield Finding(
            kind=Kind.FAILS,
            text=f"**The deployment will be refused: {names} would lose its state**, and {FOLDER}/{FILE} "
            "does not name it as removed.",
            details=("Run `make operators` over the record of the release before, and commit its result.",),
        )
    yield Finding(
        kind=Kind.DATA_LOSS,
        text=f"**The state of {names} is given up**; every other operator keeps its own. The application "
        "stops with a snapshot and starts from it with `AllowNonRestoredState`.",
        details=(
            "What a removed sink still held when the application stops is not delivered.",
            "Its query cannot simply come back: it begins anew, in indices of a next `generation`.",
            *_details(before, after, rules_differ=rules_differ),
        ),
    )


def _keeps_state(before: Record, after: Record, *, rules_differ: bool) -> Finding:
    return Finding(
        kind=Kind.NOTE,
        text="The application **keeps state**: every operator with state has the number and the kind of "
        "state that it had.",
        details=tuple(_details(before, after, rules_differ=rules_differ)),
    )


def _details(before: Record, after: Record, *, rules_differ: bool) -> Iterator[str]:
    added = [
        name
        for name, operator in after["operators"].items()
        if name not in before["operators"] and not operator.get("optional")
    ]
    if rules_differ:
        yield (
            "What was counted by the old rules stays as it is. A replay can raise a count, never lower it, "
            "because the largest wins: where the old rules counted too much, delete that day's index before "
            "the replay."
        )
    if counted := [name for name in added if after["operators"][name]["state"]]:
        yield f"{_said(counted)} begins with this deployment; earlier clicks are in it only after a replay."
    if rules_differ:
        yield f"{FOLDER}/{FILE} says so; `make test` checks that it fits the SQL."


def _said(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_FRESH = (
    "It reads the stream from its oldest record. While it catches up, the counts of the last hours are not "
    "yet "
    "complete; none becomes smaller, because the largest wins."
)


def _text(tree: Path, name: str) -> str:
    file = tree / FOLDER / name
    return file.read_text("utf-8") if file.is_file() else ""


def _diff(path: str, old: str, new: str) -> Iterator[str]:
    yield from difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="", n=3
    )
