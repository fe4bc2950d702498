"""What differs between two assemblies, down to single values; hashes of assets apart."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudformation import is_intrinsic
from operations.review import display_names
from operations.review.assembly import Assembly, Asset, ReviewedStack
from operations.review.engine import EngineAnswer, impacts
from operations.review.findings import Place

_IDENTIFYING_KEYS = ("PropertyGroupId", "Sid", "PolicyName", "Id", "Key", "Name", "AttributeName")


@dataclass(frozen=True, kw_only=True)
class ValueChange:
    """One value. path: `Properties.ShardCount`; None on a side where it is absent."""

    path: str
    old: Any
    new: Any

    @property
    def name(self) -> str:
        """The path below the resource's properties."""
        return self.path.removeprefix("Properties.")

    @property
    def shown(self) -> str:
        return f"`{self.name}` {display_names.shown(self.old)} → {display_names.shown(self.new)}"

    @property
    def property(self) -> str:
        """`ShardCount`, or an empty text when it is none of the resource's properties."""
        parts = self.path.split(".")
        return parts[1].split("[")[0] if parts[0] == "Properties" and len(parts) > 1 else ""


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """A resource that is new, gone or changed. title: with its old name, if that changes; impact: the
    engine's answer; impact_of: of each property."""

    stack: ReviewedStack
    logical_id: str
    title: str
    impact: str
    impact_of: Mapping[str, str | None]
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    values: tuple[ValueChange, ...]

    @property
    def type(self) -> str:
        return str((self.new or self.old or {}).get("Type", "?"))

    def place(self, path: str = "") -> Place:
        """Of a value, by its path; left out: of the whole resource."""
        return self.stack.name, self.logical_id, path

    @property
    def replaced(self) -> bool:
        return self.impact in {"WILL_REPLACE", "MAY_REPLACE"}

    @property
    def gone(self) -> bool:
        return self.new is None

    def replacing(self) -> tuple[ValueChange, ...]:
        """The values for which the engine says that the resource is, or may be, replaced."""
        return tuple(
            value
            for value in self.values
            if self.impact_of.get(value.property) in {"WILL_REPLACE", "MAY_REPLACE"}
        )

    def value(self, path: str) -> ValueChange | None:
        return next((value for value in self.values if value.path == path), None)


@dataclass(frozen=True, kw_only=True)
class AssetChange:
    """The code of a construct. users: titles of the resources that name it, with their types; files: inside
    its zip, added, changed or gone."""

    title: str
    users: tuple[tuple[str, str], ...]
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TemplateChange:
    """A part of a template that is no resource: an output, a rule, a condition, or of its stack."""

    stack: ReviewedStack
    path: str
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True)
class Differences:
    """old, new: the two assemblies, to look up what stands beside a change."""

    old: Assembly
    new: Assembly
    resources: tuple[ResourceChange, ...]
    assets: tuple[AssetChange, ...]
    others: tuple[TemplateChange, ...]
    added_stacks: tuple[ReviewedStack, ...]
    removed_stacks: tuple[ReviewedStack, ...]

    def of_type(self, *types: str) -> Iterator[ResourceChange]:
        return (change for change in self.resources if change.type in types)


def differences(old: Assembly, new: Assembly) -> Differences:
    """Everything that differs. Raises ReviewError when the engine cannot run."""
    pairs = list(_pairs(old, new))
    answers = impacts({after.name: (before.template, after.template) for before, after in pairs})
    return Differences(
        old=old,
        new=new,
        resources=tuple(
            change for before, after in pairs for change in _resources(before, after, answers[after.name])
        ),
        assets=tuple(change for before, after in pairs for change in _assets(before, after)),
        others=tuple(change for before, after in pairs for change in _others(before, after)),
        added_stacks=tuple(stack for stack in new.stacks if not old.same(stack)),
        removed_stacks=tuple(stack for stack in old.stacks if not new.same(stack)),
    )


def _pairs(old: Assembly, new: Assembly) -> Iterator[tuple[ReviewedStack, ReviewedStack]]:
    """Stacks in order of deployment, a new one beside an empty one. A stack that is gone from the app is left
    out: no deployment touches it."""
    for stack in new.stacks:
        yield old.same(stack) or _empty(stack), stack


def _empty(stack: ReviewedStack) -> ReviewedStack:
    nothing: dict[str, Any] = {"Resources": {}}
    return ReviewedStack(
        name=stack.name,
        account=stack.account,
        region=stack.region,
        protected=stack.protected,
        template=nothing,
        raw=nothing,
    )


def _resources(
    old: ReviewedStack, new: ReviewedStack, answers: Mapping[str, EngineAnswer]
) -> Iterator[ResourceChange]:
    for logical_id in [*new.resources, *(gone for gone in old.resources if gone not in new.resources)]:
        before, after = old.resources.get(logical_id), new.resources.get(logical_id)
        answer = answers.get(logical_id)
        values = tuple(value_changes(before, after)) if before and after else ()
        if before and after and not values and (answer is None or answer.impact == "UNKNOWN"):
            continue
        owner = new if after else old
        yield ResourceChange(
            stack=owner if owner.paths else old,
            logical_id=logical_id,
            title=display_names.title(old if before else new, logical_id, before or after or {}),
            impact=answer.impact if answer else "WILL_UPDATE",
            impact_of=answer.properties if answer else {},
            old=before,
            new=after,
            values=values,
        )


def _assets(old: ReviewedStack, new: ReviewedStack) -> Iterator[AssetChange]:
    before = {asset.title: asset for asset in old.assets}
    for asset in new.assets:
        previous = before.get(asset.title)
        if previous and previous.hash != asset.hash:
            yield AssetChange(
                title=asset.title,
                users=tuple(
                    (display_names.title(new, logical_id, resource), resource["Type"])
                    for logical_id, resource in new.raw["Resources"].items()
                    if asset.hash in str(resource) and resource["Type"] != "AWS::IAM::Role"
                ),
                files=_changed_files(previous, asset),
            )


def _changed_files(old: Asset, new: Asset) -> tuple[str, ...]:
    names = sorted({*old.files, *new.files})
    return tuple(name for name in names if old.files.get(name) != new.files.get(name))


def _others(old: ReviewedStack, new: ReviewedStack) -> Iterator[TemplateChange]:
    for section in [*new.template, *(gone for gone in old.template if gone not in new.template)]:
        if section == "Resources":
            continue
        for change in value_changes(old.template.get(section), new.template.get(section), path=section):
            yield TemplateChange(stack=new, path=change.path, old=change.old, new=change.new)
    if old.resources and new.resources and old.protected != new.protected:
        yield TemplateChange(stack=new, path="termination protection", old=old.protected, new=new.protected)
    if old.resources and new.resources and set(old.needs) != set(new.needs):
        yield TemplateChange(
            stack=new, path="stacks deployed before it", old=list(old.needs), new=list(new.needs)
        )


def value_changes(old: Any, new: Any, *, path: str = "") -> Iterator[ValueChange]:
    """The deepest values that differ, by path; an intrinsic function (`Ref`, `Fn::Join`) is one value."""
    if json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True):
        return
    deeper: list[ValueChange] = []
    if isinstance(old, Mapping) and isinstance(new, Mapping) and not (is_intrinsic(old) or is_intrinsic(new)):
        for key in [*new, *(gone for gone in old if gone not in new)]:
            place = f"{path}.{key}" if path else str(key)
            deeper += value_changes(old.get(key), new.get(key), path=place)
    elif isinstance(old, list) and isinstance(new, list):
        for place, before, after in _matched(old, new) or ():
            deeper += value_changes(before, after, path=f"{path}[{place}]")
    # Nothing deeper differs when only the order of a list does: then the list itself is the change.
    yield from deeper or (ValueChange(path=path, old=old, new=new),)


def _matched(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[str, Any, Any]] | None:
    """Elements side by side, by what identifies them or by their place; None: the list is one value."""
    both = [*old, *new]
    if not all(isinstance(element, Mapping) and not is_intrinsic(element) for element in both):
        return None
    for key in _IDENTIFYING_KEYS:
        before, after = _by(key, old), _by(key, new)
        if before is not None and after is not None:
            names = [*after, *(gone for gone in before if gone not in after)]
            return [(name, before.get(name), after.get(name)) for name in names]
    if len(old) == len(new):
        return [
            (str(place), before, after) for place, (before, after) in enumerate(zip(old, new, strict=True))
        ]
    return None


def _by(key: str, elements: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]] | None:
    names = [element.get(key) for element in elements]
    if not all(isinstance(name, str) for name in names) or len(set(map(str, names))) != len(names):
        return None
    return {str(name): element for name, element in zip(names, elements, strict=True)}
