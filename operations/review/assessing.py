"""What a changed value means: rules by type and property, and which values no rule assesses."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from math import isinf
from typing import Any, Literal

from cloudformation import is_intrinsic, physical_name, resolver
from operations.review.assembly import Assembly, ReviewedStack
from operations.review.differences import Differences, ResourceChange, ValueChange
from operations.review.display_names import shown
from operations.review.findings import Finding, Kind, Place

FINE: Literal["fine"] = "fine"
Said = tuple[Kind, str]
Verdict = Said | Literal["fine"] | None
"""A kind with a sentence, in which {title}, {old} and {new} are filled in; nothing to say; not assessed."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A changed value as a rule sees it. path: without `Properties.`; absent: None."""

    changes: Differences
    change: ResourceChange
    path: str
    old: Any
    new: Any


Assess = Callable[[Value], Verdict]


@dataclass(frozen=True, kw_only=True)
class ValueRule:
    """paths: patterns of `Value.path`; type: of the resource, or a pattern of it."""

    type: str
    paths: tuple[str, ...]
    assess: Assess

    def holds_for(self, value: Value) -> bool:
        return fnmatchcase(value.change.type, self.type) and any(
            fnmatchcase(value.path, pattern) for pattern in self.paths
        )


def value_rules(by_type: Mapping[str, Mapping[str | tuple[str, ...], Assess]]) -> tuple[ValueRule, ...]:
    """By type of resources, or a pattern of it, and by patterns of `Value.path`."""
    return tuple(
        ValueRule(type=kind, paths=(paths,) if isinstance(paths, str) else paths, assess=assess)
        for kind, assessments in by_type.items()
        for paths, assess in assessments.items()
    )


def assessed(
    changes: Differences, known: Iterable[ValueRule]
) -> tuple[tuple[Finding, ...], frozenset[Place]]:
    """What the rules say, and the places of the values that they assess, with nothing to say too."""
    known = tuple(known)
    findings: dict[tuple[str, str, str], Finding] = {}
    places: set[Place] = set()
    for change in changes.resources:
        if change.old is None or change.new is None:
            continue
        for value in change.values:
            place = change.place(value.path)
            verdicts = [_verdict(leaf, known) for leaf in _leaves(changes, change, value)]
            if all(verdict is not None for verdict, _ in verdicts):
                places.add(place)
            for verdict, leaf in verdicts:
                if isinstance(verdict, tuple):
                    kind, text = verdict
                    said = _filled(text, title=change.title, old=shown(leaf.old), new=shown(leaf.new))
                    key = (change.stack.name, change.logical_id, said)
                    before = findings.get(key, Finding(kind=kind, text=said))
                    findings[key] = replace(before, covers=(*before.covers, place))
    return tuple(findings.values()), frozenset(places)


def _filled(text: str, **words: str) -> str:
    return re.sub(r"\{(title|old|new)\}", lambda found: words[found[1]], text)


def _verdict(value: Value, known: tuple[ValueRule, ...]) -> tuple[Verdict, Value]:
    """Of the first rule that assesses it."""
    verdicts = (rule.assess(value) for rule in known if rule.holds_for(value))
    return next((verdict for verdict in verdicts if verdict is not None), None), value


def _leaves(changes: Differences, change: ResourceChange, value: ValueChange) -> Iterator[Value]:
    """The value, or where a whole object comes or goes, each value in it."""

    def leaves(path: str, old: Any, new: Any) -> Iterator[Value]:
        inner = old if new is None else new if old is None else None
        if isinstance(inner, Mapping) and inner and not is_intrinsic(inner):
            for key, item in inner.items():
                sides = (item, None) if new is None else (None, item)
                yield from leaves(f"{path}.{key}", *sides)
        else:
            yield Value(changes=changes, change=change, path=path, old=old, new=new)

    yield from leaves(value.name, value.old, value.new)


def fine(_value: Value) -> Verdict:
    return FINE


def always(kind: Kind, text: str, *, absent: float | None = None) -> Assess:
    return lambda value: (kind, _with_default(text, value, absent))


def less(kind: Kind, text: str, *, absent: float | None = None, more: Said | None = None) -> Assess:
    """What a smaller value does. absent: what holds where the template says nothing; more: what a larger
    one does."""
    return _directed(smaller=(kind, text), larger=more, absent=absent)


def more(kind: Kind, text: str, *, absent: float | None = None) -> Assess:
    return _directed(smaller=None, larger=(kind, text), absent=absent)


def _directed(*, smaller: Said | None, larger: Said | None, absent: float | None) -> Assess:
    def assess(value: Value) -> Verdict:
        was, now = (_number(side, absent) for side in (value.old, value.new))
        if was is None or now is None:
            return None
        said = smaller if now < was else larger if now > was else None
        return (said[0], _with_default(said[1], value, absent)) if said else FINE

    return assess


def _with_default(text: str, value: Value, absent: float | None) -> str:
    """With the number that holds in place of a side that is left out."""
    if absent is None:
        return text
    default = "no limit" if isinf(absent) else f"`{absent:g}`"
    for side, given in (("{old}", value.old), ("{new}", value.new)):
        text = text.replace(side, default) if given is None else text
    return text


def unless(*wanted: Any, kind: Kind, text: str) -> Assess:
    """What any other value than these does."""
    return lambda value: FINE if value.new in wanted else (kind, text)


def elsewhere(kind: Kind, text: str) -> Assess:
    """What a value does that names something else than before, or nothing that this environment makes."""

    def assess(value: Value) -> Verdict:
        before = made(value.changes.old, value.change.stack.name, value.old)
        now = made(value.changes.new, value.change.stack.name, value.new)
        if now is None:
            return kind, f"{text}: {{old}} → {{new}}, which no stack of this environment makes."
        if value.old is None:
            return None
        return FINE if now == before else (kind, f"{text}: {{old}} → {{new}}.")

    return assess


def made(assembly: Assembly, stack_name: str, value: Any) -> tuple[str, str] | None:
    """Stack and logical id of the resource that a name, an ARN or a reference in a stack means; None where
    no stack of the assembly makes it."""
    stack = assembly.get(stack_name)
    named = resolver(assembly.stacks, stack)(value) if stack else value
    if not isinstance(named, str):
        return None
    parts = re.split(r"[:/]", named)
    for owner in assembly.stacks:
        for logical_id, resource in owner.resources.items():
            name = physical_name(resource) or owner.paths.get(logical_id, logical_id)
            if (name == named or name in parts) and _in_its_place(named, owner):
                return owner.name, logical_id
    return None


def _in_its_place(named: str, owner: ReviewedStack) -> bool:
    """Whether an ARN is of the account and the region of the stack; one of S3 has neither."""
    parts = named.split(":")
    if parts[0] != "arn" or len(parts) < 6:
        return True
    return parts[3] in {"", owner.region} and parts[4] in {"", owner.account}


def _number(value: Any, absent: float | None) -> float | None:
    """Also of a text, as environment variables and custom resources have it."""
    if value is None:
        return absent
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
