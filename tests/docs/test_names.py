"""One name, one thing: no two classes share a name, and a term that was replaced does not come back.

And one thing, one place: no drawers, and no file too long to be one thing.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT

SOURCES = (".py", ".sql", ".java", ".js", ".css", ".md")
WRITTEN_HERE = (".py", ".sql", ".md", ".java", ".toml", ".json", ".template")
MAX_LINES = 400
MAX_TEST_NAME = 80
DRAWERS = {"utils", "common", "helpers", "misc", "manager", "util", "lib"}

# Parts of names that were replaced: the pattern must match nowhere but here. Words: test_words.py.
REPLACED = {
    "statements=": r"\bmay=",
    "MAX_": r"\b(MOST|LONGEST)_",
    "rng": r"\bchance\.(choice|random|randrange)",
    "retryable": r"_PASSING\b|\bPASSING_",
}


def texts(tree: list[Path], *suffixes: str) -> Iterator[tuple[Path, str]]:
    """(path, text) of the files with these suffixes."""
    return ((file, (PROJECT / file).read_text("utf-8")) for file in tree if file.suffix in suffixes)


def test_no_two_classes_share_a_name(tree: list[Path]) -> None:
    places = defaultdict(list)
    for path, text in texts(tree, ".py"):
        for node in ast.parse(text).body:  # one within a function is nobody else's
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_test_names_fit_on_a_line_of_the_report(tree: list[Path]) -> None:
    names = {
        node.name
        for path, text in texts(tree, ".py")
        if path.parts[0] == "tests"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert not {name for name in names if len(name) > MAX_TEST_NAME}


@pytest.mark.parametrize(("term", "replaced"), REPLACED.items(), ids=REPLACED)
def test_the_term_of_the_field_is_used(term: str, replaced: str, tree: list[Path]) -> None:
    found = [
        f"{path}:{number}"
        for path, text in texts(tree, *WRITTEN_HERE)
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(replaced, line) and path.name != "test_names.py"
    ]
    assert not found, f"say {term}"


def test_no_folder_or_module_is_a_drawer(tree: list[Path]) -> None:
    drawers = {str(file) for file in tree for part in file.with_suffix("").parts if part in DRAWERS}
    assert not drawers


def test_no_source_file_is_too_long_to_be_one_thing(tree: list[Path]) -> None:
    lengths = {str(path): len(text.splitlines()) for path, text in texts(tree, *SOURCES)}
    assert not {path: lines for path, lines in lengths.items() if lines > MAX_LINES}
