"""Many changes of production's templates at once: the engine is asked once for all of them."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operations.review import differences
from operations.review.assembly import Assembly
from operations.review.engine import EngineAnswer, Template, impacts
from operations.review.figures import NONE
from operations.review.report import Report, review
from operations.review.revisions import Revision

Templates = dict[str, dict[str, Any]]
"""By the title of their stack, as `OregonStorage`."""
Edit = Callable[[Templates], None]


def edited(assembly: Assembly, edit: Edit) -> Assembly:
    templates = {stack.title: copy.deepcopy(dict(stack.template)) for stack in assembly.stacks}
    edit(templates)
    return Assembly(
        stacks=tuple(
            stack
            if stack.template == templates[stack.title]
            else replace(stack, template=templates[stack.title])
            for stack in assembly.stacks
        )
    )


def reports(
    production: Assembly, edits: Mapping[str, Edit], tree: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Report]:
    """The review of each edit, by its name. tree: what stands for the files of both revisions."""
    changed = {name: edited(production, edit) for name, edit in edits.items()}
    pairs = {
        f"{name}|{after.name}": (before.template, after.template)
        for name, assembly in changed.items()
        for before, after in zip(production.stacks, assembly.stacks, strict=True)
        if before is not after
    }
    answers = impacts(pairs)

    def of(name: str, assembly: Assembly) -> Report:
        def known(asked: Mapping[str, tuple[Template, Template]]) -> dict[str, dict[str, EngineAnswer]]:
            return {stack: answers.get(f"{name}|{stack}", {}) for stack in asked}

        with monkeypatch.context() as patch:
            patch.setattr(differences, "impacts", known)
            return review(
                "production", revision("main", production, tree), revision("this tree", assembly, tree)
            )

    return {name: of(name, assembly) for name, assembly in changed.items()}


def revision(name: str, assembly: Assembly, tree: Path) -> Revision:
    return Revision(name=name, tree=tree, assembly=assembly, settings={}, figures=NONE)
