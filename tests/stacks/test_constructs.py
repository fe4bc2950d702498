"""What a construct takes: its own section of the settings or single values, by keyword."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT

STACKS = PROJECT / "stacks"
CHECKS_ALL_SETTINGS = {"policy_checks"}
MODULES = sorted(module for module in STACKS.glob("*/*.py") if module.parent.name not in CHECKS_ALL_SETTINGS)


def functions(module: Path) -> Iterator[ast.FunctionDef]:
    tree = ast.parse(module.read_text())
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(STACKS).as_posix())
def test_nothing_below_the_stacks_takes_all_of_the_settings(module: Path) -> None:
    for function in functions(module):
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        taking = [one.arg for one in arguments if "Settings" in names_in(one.annotation)]
        assert not taking, f"{function.name} takes all of Settings as {taking}: give it its own section"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(STACKS).as_posix())
def test_a_construct_takes_its_arguments_by_keyword(module: Path) -> None:
    for function in functions(module):
        positional = [one.arg for one in function.args.args]
        if function.name == "__init__" and "construct_id" in positional:
            assert positional[:3] == ["self", "scope", "construct_id"]
            assert positional[3:] in ([], ["definition"])


def names_in(annotation: ast.expr | None) -> set[str]:
    """Also of one that is written as a string."""
    return set(re.findall(r"\w+", ast.unparse(annotation))) if annotation else set()
