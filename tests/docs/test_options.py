"""The commands of our own that the pages show take the options that they are given there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from operations.review.command import app as review
from tests.conftest import PROJECT
from tests.docs.test_help import APPS

PAGES = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md"))]
COMMAND = re.compile(
    r"(?:python (?:-m )?(?P<program>[a-z_./]+)|(?<![\w/-])click-trends(?= ))(?P<words>[^|`\n]*)"
)
OPTION = re.compile(r"(?<=\s)--[a-z][a-z-]*")
TYPER = {**APPS, "operations.review": review}
ARGPARSE = {
    "analytics_sql/main.py": ("analytics_sql/main.py", "analytics_sql/bounded.py"),
    "bench": ("bench/__main__.py",),
    "bench.cpu_slope": ("bench/cpu_slope.py",),
}
"""Program -> the files that declare its options."""


def options(program: str, subcommand: str) -> set[str]:
    if program in ARGPARSE:
        sources = [(PROJECT / file).read_text(encoding="utf-8") for file in ARGPARSE[program]]
        return {option for source in sources for option in re.findall(r'"(--[a-z-]+)"', source)}
    whole = get_command(TYPER[program])
    commands = vars(whole).get("commands", {})
    assert not commands or not subcommand or subcommand in commands, f"{program} has no {subcommand}"
    command = commands.get(subcommand, whole)
    return {option for each in command.params for option in each.opts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_of_a_page_takes_the_options_that_it_is_given(page: Path) -> None:
    for command in COMMAND.finditer(page.read_text(encoding="utf-8")):
        program = command["program"] or "click-trends"
        subcommand = re.match(r" ([a-z][a-z-]*)", command["words"])
        given = set(OPTION.findall(command["words"]))
        assert not given or given <= options(program, subcommand[1] if subcommand else ""), command[0]
