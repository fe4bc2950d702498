"""Where in our code roles and statements are made."""

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aws_cdk import aws_iam as iam

from tests.conftest import PROJECT

KINDS = ("PolicyStatement", "Role")


def _place(file: Path, line: int, kind: str) -> str:
    return f"{file.relative_to(PROJECT)}:{line} {kind}"


def every_place() -> set[str]:
    """Each call of `iam.PolicyStatement` and `iam.Role` in stacks/."""
    found = set()
    for file in (PROJECT / "stacks").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"iam.{kind}" for kind in KINDS}:
                found.add(_place(file, node.lineno, ast.unparse(node.func).removeprefix("iam.")))
    return found


@contextmanager
def places_that_make_permissions() -> Iterator[set[str]]:
    """Filled while the constructs of an app are made."""
    found: set[str] = set()

    def noted(kind: str) -> Callable[..., Any]:
        make = getattr(iam, kind)

        def made(*given: Any, **options: Any) -> Any:
            caller = sys._getframe(1)
            file = Path(caller.f_code.co_filename)
            if file.is_relative_to(PROJECT / "stacks"):
                found.add(_place(file, caller.f_lineno, kind))
            return make(*given, **options)

        return made

    with ExitStack() as patches:
        for kind in KINDS:
            patches.enter_context(patch.object(iam, kind, noted(kind)))
        yield found
