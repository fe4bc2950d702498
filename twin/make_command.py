"""Commands that `make` gives: what is wrong with a variable is said in one line, without Python's usage."""

import re
import sys
from typing import Any, NoReturn

from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

_OPTION = re.compile(r"'?--([a-z]+)'?")


def _said(error: TyperException) -> str:
    """With variables of the Makefile in place of options, which have their names."""
    return _OPTION.sub(lambda option: option[1].upper(), error.format_message())


class _Made:
    def main(self, *arguments: Any, **others: Any) -> NoReturn:
        others["standalone_mode"] = False
        try:
            code = super().main(*arguments, **others)  # type: ignore[misc]
        except TyperException as error:
            print(f"Error: {_said(error)}", file=sys.stderr)
            code = 2
        sys.exit(code)


class MadeCommand(_Made, TyperCommand):
    pass


class MadeGroup(_Made, TyperGroup):
    pass
