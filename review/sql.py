"""The SQL of the analytics application: its diff, and what becomes of the running state."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = "analytics_sql"


@dataclass(frozen=True, kw_only=True)
class FileDiff:
    """unified: with three lines around each change."""

    path: str
    unified: str


def sql_diffs(old: Path, new: Path) -> tuple[FileDiff, ...]:
    """Of every .sql file that differs between two trees."""
    names = sorted({file.name for tree in (old, new) for file in (tree / FOLDER).glob("*.sql")})
    return tuple(
        FileDiff(path=f"{FOLDER}/{name}", unified="\n".join(lines))
        for name in names
        if (lines := list(_diff(f"{FOLDER}/{name}", _text(old, name), _text(new, name))))
    )


def without_comments(text: str) -> str:
    """SQL without its comments and blank lines: what Flink runs."""
    lines = (line.split("--", 1)[0].rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line.strip())


def only_comments_differ(old: Path, new: Path) -> bool:
    names = {file.name for tree in (old, new) for file in (tree / FOLDER).glob("*.sql")}
    return all(without_comments(_text(old, name)) == without_comments(_text(new, name)) for name in names)


def _text(tree: Path, name: str) -> str:
    file = tree / FOLDER / name
    return file.read_text("utf-8") if file.is_file() else ""


def _diff(path: str, old: str, new: str) -> Iterator[str]:
    yield from difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="", n=3
    )
