"""Every way to damage a template: each resource and each property deleted, there twice, of a wrong type."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operations.review.assembly import Assembly
from tests.operations.review.edits import Templates

WRONG: tuple[Any, ...] = ("wrong", -7, True, ["wrong"], {"Wrong": "wrong"}, {"Ref": "Nothing"}, [], {})


@dataclass(frozen=True)
class Mutation:
    """path: below the resource, empty for itself; how: `delete`, `twice`, or `as` one of WRONG."""

    stack: str
    logical_id: str
    type: str
    path: tuple[str | int, ...]
    how: str
    wrong: int = 0

    def __str__(self) -> str:
        said = f"{self.how} {WRONG[self.wrong]!r}" if self.how == "as" else self.how
        return f"{self.stack}.{self.logical_id} {'.'.join(map(str, self.path))}: {said}"

    @property
    def place(self) -> str:
        """Without names: `AWS::Lambda::Function Properties.Timeout delete`."""
        keys = [str(key) for key in self.path if not isinstance(key, int)]
        return f"{self.type} {'.'.join(keys)} {self.how}"

    def __call__(self, templates: Templates) -> None:
        resources = templates[self.stack]["Resources"]
        if not self.path:
            whole = resources.pop(self.logical_id)
            if self.how == "twice":
                resources.update({self.logical_id: whole, f"{self.logical_id}Twin": copy.deepcopy(whole)})
            elif self.how == "as":
                resources[self.logical_id] = {**whole, "Properties": WRONG[self.wrong]}
            return
        *parents, last = self.path
        inner: Any = resources[self.logical_id]
        for key in parents:
            inner = inner[key]
        if self.how == "delete":
            del inner[last]
        elif self.how == "twice":
            inner.insert(last, copy.deepcopy(inner[last]))
        else:
            inner[last] = WRONG[self.wrong]


def mutations(assembly: Assembly) -> Iterator[Mutation]:
    for stack in assembly.stacks:
        for logical_id, resource in stack.resources.items():
            for path, in_a_list in [((), False), *_paths(resource)]:
                if path == ("Type",):
                    continue
                place = (stack.title, logical_id, resource["Type"], path)
                yield Mutation(*place, "delete")
                if in_a_list or not path:
                    yield Mutation(*place, "twice")
                for wrong in range(len(WRONG)):
                    yield Mutation(*place, "as", wrong)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], bool]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield (*path, key), isinstance(value, list)
        yield from _paths(item, (*path, key))
