"""A change that the tool does not understand is shown, never left out."""

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.review.assembly import Assembly
from operations.review.differences import value_changes
from operations.review.page import page
from operations.review.report import review
from tests.operations.review.edits import revision
from tests.operations.review.small_assemblies import one

MUTATIONS = 12


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to every scalar, and to every list and object, whose absence is a change too."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))


def mutated(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + rng.choice([1, -1, 1000])
    if isinstance(value, str):
        return value + rng.choice(["-x", "*", "é", " "])
    if isinstance(value, list):
        return [*value, "one more"]
    return {**value, "Unheard": "of"}


def change_one(template: dict[str, Any], rng: random.Random) -> str:
    """Mutates or removes one value of a random resource, and returns its logical id."""
    logical_id: str = rng.choice(list(template["Resources"]))
    resource = template["Resources"][logical_id]
    paths = [path for path in leaves(resource) if path != ("Type",)]
    if not paths:
        return logical_id
    path = rng.choice(paths)
    parent = resource
    for key in path[:-1]:
        parent = parent[key]
    if rng.random() < 0.3:
        del parent[path[-1]]
    else:
        parent[path[-1]] = mutated(parent[path[-1]], rng)
    return logical_id


@given(seed=st.integers(0, 2**32))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_changed_resource_is_on_the_page_and_every_value_is_explained_or_shown(
    production: Assembly, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    stacks = {stack.name: copy.deepcopy(dict(stack.template)) for stack in production.stacks}
    changed = set()
    for _ in range(MUTATIONS):
        name = rng.choice(list(stacks))
        changed.add((name, change_one(stacks[name], rng)))
    after = Assembly(stacks=tuple(replace(stack, template=stacks[stack.name]) for stack in production.stacks))
    report = review("production", revision("a", production, tmp_path), revision("b", after, tmp_path))

    seen = {(change.stack.name, change.logical_id): change for change in report.changes.resources}
    really = {
        (stack.name, logical_id)
        for stack in after.stacks
        for logical_id, resource in stack.resources.items()
        if (before := production.get(stack.name)) and before.resources[logical_id] != resource
    }
    assert really <= changed
    assert really <= set(seen)
    visible = page(report).split("<summary>The templates")[0]
    covered = [cover for finding in report.findings for cover in finding.covers]
    for place in really:
        name = seen[place].title.split("`")[1]
        assert name in visible, place
        for value in seen[place].values:
            assert value.path.removeprefix("Properties.") in visible or any(
                cover[:2] == place for cover in covered
            ), (place, value)


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"a": 1}, {"a": True}, ["a"]),
        ({"a": "1"}, {"a": 1}, ["a"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
        ({"a": {}}, {}, ["a"]),
        ({"a": [{"Key": "x", "v": 1}]}, {"a": [{"Key": "x", "v": 2}]}, ["a[x].v"]),
        ({"a": [{"Key": "x"}, {"Key": "y"}]}, {"a": [{"Key": "y"}, {"Key": "x"}]}, ["a"]),
        ({"a": {"Ref": "B"}}, {"a": {"Fn::GetAtt": ["B", "Arn"]}}, ["a"]),
        ({"a": [{"v": 1}]}, {"a": [{"v": 1}, {"v": 2}]}, ["a"]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2, "d": 3}}}, ["a.b.c", "a.b.d"]),
    ],
)
def test_the_deepest_value_that_differs_is_named(old: Any, new: Any, paths: list[str]) -> None:
    assert [change.path for change in value_changes(old, new)] == paths


def test_other_sections_of_a_template_are_shown(tmp_path: Path) -> None:
    old, new = (
        one({"X": {"Type": "T"}}),
        one({"X": {"Type": "T"}}, Conditions={"Never": "x"}, Transform="Macro"),
    )
    report = review("production", revision("a", old, tmp_path), revision("b", new, tmp_path))
    text = "\n".join(finding.text for finding in report.unknown)
    assert "Conditions" in text
    assert "Transform" in text
