"""The results of the tests as a table in Markdown, for the summary of a job.

python -m operations.ci.summary .cache/pytest.xml connectors/target/surefire-reports >> "$GITHUB_STEP_SUMMARY"
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

MAX_CHARACTERS = 200_000
"""GitHub takes 1 MiB in a step's summary and drops what is longer."""
MAX_REASON_CHARACTERS = 4_000
SLOWEST = 10


@dataclass(kw_only=True)
class Suite:
    """Of one runner: cases by seconds, and those that did not pass with the reason."""

    name: str
    cases: list[tuple[float, str]] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def read(path: Path) -> Suite:
    """A JUnit file, or a folder of them. Raises OSError without one, ParseError where it was cut short."""
    if path.is_dir() and not any(path.glob("*.xml")):
        raise FileNotFoundError(path)
    suite = Suite(name=path.stem)
    for file in sorted(path.glob("*.xml")) if path.is_dir() else [path]:
        for case in ElementTree.parse(file).iter("testcase"):
            name = f"{case.get('classname', '')}.{case.get('name', '')}".strip(".")
            suite.cases.append((float(case.get("time", "0").replace(",", "")), name))
            for kind in ("failure", "error"):
                suite.failures += [(name, _reason(found)) for found in case.findall(kind)]
            suite.skipped += [(name, _reason(found)) for found in case.findall("skipped")]
    return suite


def _reason(element: ElementTree.Element) -> str:
    return (element.text or element.get("message") or "no reason given").strip()[:MAX_REASON_CHARACTERS]


def table(suites: list[Suite], missing: list[Path]) -> str:
    """A row a suite, every failure with its reason, the skipped, the slowest."""
    return "\n".join(_lines(suites, missing))[:MAX_CHARACTERS] + "\n"


def _lines(suites: list[Suite], missing: list[Path]) -> Iterator[str]:
    yield "| tests | run | failed | skipped | seconds |"
    yield "|---|---:|---:|---:|---:|"
    for suite in suites:
        counts = (len(suite.cases), len(suite.failures), len(suite.skipped))
        seconds = sum(time for time, _ in suite.cases)
        yield f"| {suite.name} | {' | '.join(map(str, counts))} | {seconds:.0f} |"
    for path in missing:
        yield f"| {path.stem} | **no results**: `{path}` was not written to its end | | | |"
    for suite in suites:
        for name, reason in suite.failures:
            yield f"\n<details><summary>❌ {_escaped(name)}</summary>\n"
            yield f"<pre>{_escaped(reason)}</pre>\n</details>"
        if suite.skipped:
            yield f"\n<details><summary>Skipped in {suite.name}</summary>\n"
            yield from (f"- {_escaped(name)}: {_escaped(reason)}" for name, reason in suite.skipped)
            yield "</details>"
    yield f"\n<details><summary>The {SLOWEST} slowest</summary>\n"
    cases = sorted((case for suite in suites for case in suite.cases), reverse=True)
    yield from (f"- {time:.1f} s {_escaped(name)}" for time, name in cases[:SLOWEST])
    yield "</details>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def main() -> None:
    suites: list[Suite] = []
    missing: list[Path] = []
    for path in map(Path, sys.argv[1:]):
        try:
            suites.append(read(path))
        except (OSError, ElementTree.ParseError):
            missing.append(path)
    print(table(suites, missing), end="")


if __name__ == "__main__":
    main()
