"""How many words the pages have: `python -m tests.docs.words`.

A word holds a letter or a digit, so the bars of a table are none. What is made from the code does not count:
whole pages, and blocks between `<!-- x -->` and `<!-- end x -->`.
"""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
AT_THE_TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
GENERATED = {
    "settings.md",
    "metrics.md",
    "benchmarks.md",
    "drills.md",
    "alarm_faults.md",
    "permissions.md",
    "soak.md",
}
MAX_WORDS = 29_108
_BLOCK = re.compile(r"<!-- ([a-z-]+) -->\n.*?<!-- end \1 -->", re.DOTALL)
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def words(text: str) -> int:
    return sum(1 for word in _BLOCK.sub("", text).split() if _LETTER_OR_DIGIT.search(word))


def words_of_pages(project: Path = PROJECT) -> dict[str, int]:
    """By path, largest first."""
    pages = [project / name for name in AT_THE_TOP if (project / name).exists()]
    pages += [page for page in (project / "docs").rglob("*.md") if page.name not in GENERATED]
    counted = {str(page.relative_to(project)): words(page.read_text(encoding="utf-8")) for page in pages}
    return dict(sorted(counted.items(), key=lambda each: -each[1]))


if __name__ == "__main__":
    found = words_of_pages()
    for name, number in {**found, "in all": sum(found.values())}.items():
        print(f"{number:7,}  {name}")
