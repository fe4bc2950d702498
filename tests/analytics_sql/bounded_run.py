"""Runs the analytics application over files, as its users do, and reads what it wrote."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.count import COUNT_KEY

PROJECT = Path(__file__).parent.parent.parent
MAIN = PROJECT / "analytics_sql" / "main.py"
TIMEOUT_SECONDS = 300

Key = tuple[str, ...]  # the values of COUNT_KEY


@dataclass(frozen=True)
class BoundedRun:
    """`counts`: each key's clicks; `rejected`: the rows; `printed`: all that was printed."""

    counts: dict[Key, int]
    rows: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    printed: str


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """The NDJSON rows of every visible file: names with a dot are still being written."""
    return [
        json.loads(line)
        for file in sorted(folder.iterdir())
        if file.is_file() and not file.name.startswith(".")
        for line in file.read_text(encoding="utf-8").split("\n")
        if line
    ]


def key_of(row: dict[str, Any]) -> Key:
    return tuple(row[column] for column in COUNT_KEY)


def run_over_files(clicks: Path, segments: Path, out: Path, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(MAIN), "--clicks", str(clicks), "--segments", str(segments), "--out", str(out)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def count_files(clicks: Path, segments: Path, out: Path, *, cwd: Path) -> BoundedRun:
    done = run_over_files(clicks, segments, out, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = read_rows(out / "click_counts")
    return BoundedRun(
        counts={key_of(row): row["clicks"] for row in rows},
        rows=rows,
        rejected=read_rows(out / "rejected_clicks"),
        printed=done.stdout + done.stderr,
    )
