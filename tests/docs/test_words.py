"""One word for a thing: the table of CONTRIBUTING.md is kept. And the pages stay short."""

import io
import re
import tokenize
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.docs.words import MAX_WORDS, words, words_of_pages

PAGES, CODE, FILES, MAKEFILE = "pages", "code", "files", "Makefile"
OTHER_CODE = {".java", ".sql", ".toml"}
_ROW = re.compile(r"^\| (?P<say>[^|]+?) \| (?P<refused>[^|]+?) \| (?P<places>[^|]*?)\s*\|$", re.MULTILINE)
_NOT_PROSE = re.compile(
    r"^```.*?^```$|^## Words$.*?(?=^## )|<!--.*?-->|`[^`]*`|\]\([^)]*\)",
    re.MULTILINE | re.DOTALL,
)
"""Code, the table itself, comments, and where links lead."""
_PARTS_OF_A_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Word:
    say: str
    refused: str
    places: frozenset[str]

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![a-z]){self.refused.replace(' ', chr(92) + 's+')}(?![a-z])", re.IGNORECASE)


def table() -> list[Word]:
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("\n## Words\n")[2].partition("\n## ")[0]
    return [
        Word(row["say"], refused, frozenset(row["places"].split(", ")))
        for row in list(_ROW.finditer(section))[1:]  # the first is the head
        for refused in row["refused"].split(", ")
        if row["places"]
    ]


WORDS = table()


@cache
def prose(page: str) -> str:
    """What a reader reads of it, each other part as one space; lines stay."""
    return _NOT_PROSE.sub(lambda found: " " + "\n" * found[0].count("\n"), page)


def words_of_names(text: str) -> str:
    return " ".join(_PARTS_OF_A_NAME.findall(text))


@cache
def spoken(source: str) -> list[tuple[int, str]]:
    """(line, text) of the names, comments and sentences of a module. A string without a space is a name
    that somebody else gives: a field, a metric, a resource."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            found.append((token.start[0], words_of_names(token.string)))
        elif token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
            found.append((token.start[0], token.string))
    return found


def refused_in_page(text: str, word: Word) -> list[int]:
    found = prose(text)
    return [found.count("\n", 0, match.start()) + 1 for match in word.pattern.finditer(found)]


def refused_in_module(source: str, word: Word) -> list[int]:
    return [line for line, text in spoken(source) if word.pattern.search(text)]


def refused_in_other_code(source: str, word: Word) -> list[int]:
    lines = enumerate(source.splitlines(), 1)
    return [number for number, line in lines if word.pattern.search(words_of_names(line))]


def of_place(place: str) -> list[Word]:
    return [word for word in WORDS if place in word.places]


@pytest.mark.parametrize("word", of_place(PAGES), ids=lambda word: word.refused)
def test_a_page_says_the_word_of_the_table(word: Word, tree: list[Path]) -> None:
    found = {
        f"{path}:{line}"
        for path in tree
        if path.suffix == ".md" and path.parts[0] != "tests"
        for line in refused_in_page((PROJECT / path).read_text("utf-8"), word)
    }
    assert not found, f"say {word.say}"


@pytest.mark.parametrize("word", of_place(CODE), ids=lambda word: word.refused)
def test_the_code_says_the_word_of_the_table(word: Word, tree: list[Path]) -> None:
    found = set()
    for path in tree:
        if path.suffix in {".py", *OTHER_CODE} and path.name != "test_words.py":
            refused = refused_in_module if path.suffix == ".py" else refused_in_other_code
            lines = refused((PROJECT / path).read_text("utf-8"), word)
            found |= {f"{path}:{line}" for line in lines}
    assert not found, f"say {word.say}"


@pytest.mark.parametrize("word", of_place(MAKEFILE), ids=lambda word: word.refused)
def test_the_makefile_says_the_word_of_the_table(word: Word) -> None:
    lines = refused_in_other_code((PROJECT / "Makefile").read_text("utf-8"), word)
    assert not lines, f"say {word.say}"


@pytest.mark.parametrize("word", of_place(FILES), ids=lambda word: word.refused)
def test_a_file_is_named_by_the_word_of_the_table(word: Word, tree: list[Path]) -> None:
    modules = [path for path in tree if path.suffix == ".py" and not path.name.startswith("test_")]
    found = {str(path) for path in modules if word.pattern.fullmatch(words_of_names(path.stem))}
    found |= {
        str(path)
        for path in modules
        for part in path.parts[:-1]
        if word.pattern.fullmatch(words_of_names(part))
    }
    assert not found, f"say {word.say}"


def test_the_table_is_read() -> None:
    assert {"rooms", "horizon", "put again"} <= {word.refused for word in WORDS}
    assert {place for word in WORDS for place in word.places} == {PAGES, CODE, FILES, MAKEFILE}


HEAP = Word("stack", "heap", frozenset())


@pytest.mark.parametrize("text", ["The heap.", "a Heap of", "| heap |", "a\nheap"])
def test_a_refused_word_of_a_page_is_found(text: str) -> None:
    assert refused_in_page(text, HEAP)


@pytest.mark.parametrize(
    "text", ["`HEAP`", "cheaply", "```sh\nheap\n```", "[a](heap.md)", "## Words\nheap\n## "]
)
def test_what_is_no_prose_of_a_page_is_passed_over(text: str) -> None:
    assert not refused_in_page(text, HEAP)


@pytest.mark.parametrize(
    "source", ["HEAP = 1", "new_heap = 1", "class AHeap: ...", "# a heap", "x = 'the heap'"]
)
def test_a_refused_word_of_a_module_is_found(source: str) -> None:
    assert refused_in_module(source, HEAP)


@pytest.mark.parametrize("line", ["long heapMillis;", "-- a heap", "HEAP_SECONDS"])
def test_a_refused_word_of_other_code_is_found(line: str) -> None:
    assert refused_in_other_code(line, HEAP)


def test_a_field_that_somebody_else_named_is_passed_over() -> None:
    assert not refused_in_module("x = {'heap': 1}", HEAP)


def test_a_made_block_and_the_bars_of_a_table_are_no_words() -> None:
    assert words("| one | two - |\n<!-- parts -->\nthree\n<!-- end parts -->\n`four`") == 3


def test_the_pages_stay_short() -> None:
    counted = words_of_pages()
    assert sum(counted.values()) <= MAX_WORDS, "python -m tests.docs.words"
