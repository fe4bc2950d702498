"""Counts the clicks of files once, in Flink's batch mode: a backfill, or a replay of the raw backup.

  python analytics_sql/main.py --clicks DIR --segments DIR --out DIR

The SQL is the application's. Clicks of any age are counted, and files with the same lines are read once.
Prints what became of the clicks. A click or an unread rest of a line missing from the results, or a refused
version of the segments, ends the run with an error.
"""

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics_sql.click_files import (
    LINE_OPTIONS,
    ClickFiles,
    click_files,
    link,
    many,
    numbered_lines,
    read_click_files,
    shown,
)
from analytics_sql.local_flink import cause_of, connector_jar, find_java
from contract.click import MAX_CLOCK_AHEAD_SECONDS
from contract.count import SEGMENT_COLUMNS, UNKNOWN
from contract.sink import REJECTS_TABLE, SINKS, UNPARSEABLE
from interruption import quiet_interruption

Properties = dict[str, dict[str, str]]  # property group -> key -> value
Run = Callable[[Properties], None]  # main.py's: run the job with these properties and wait for its end

_JAVA_CLASS = re.compile(r"^([\w$]+[.])+[\w$]+: ")

NO_AGE_LIMIT_SECONDS = 10**11
"""Back to before the year 1."""


def properties(clicks: Path, segments: Path, out: Path) -> Properties:
    """Property groups for all files in `clicks`; each table writes below `out`.

    Paths are plain, not URIs: Flink does not decode the percent signs of a URI.
    """
    groups: Properties = {
        "clicks": {"connector": "filesystem", "path": str(clicks), **LINE_OPTIONS},
        "segments": {"connector": "versioned-reference", "path": str(segments), "check-interval": "0 s"},
        **{
            table: {"connector": "filesystem", "format": "json", "path": str(out / table)}
            for table in output_tables()
        },
        "checks": {
            "max-age-seconds": str(NO_AGE_LIMIT_SECONDS),
            "max-clock-ahead-seconds": str(MAX_CLOCK_AHEAD_SECONDS),
        },
        "flink": {
            "execution.runtime-mode": "BATCH",
            # One validation for both uses of 35_validated_clicks.batch.sql. That way Flink finds no plan for
            # a lookup that two sinks need; each then validates by itself, and
            # ClickReconciliation.problem compares them.
            "table.optimizer.reuse-optimize-block-with-digest-enabled": str(len(SINKS) == 1).lower(),
        },
    }
    groups["flink"]["pipeline.jars"] = connector_jar(groups).as_uri()
    return groups


def output_tables() -> list[str]:
    return [*(sink.table for sink in SINKS), REJECTS_TABLE]


def check_folders(clicks: Path, segments: Path, out: Path) -> None:
    """Raises SystemExit with the option's name if an input is missing or `out` is not empty."""
    for option, folder in (("--clicks", clicks), ("--segments", segments)):
        if not folder.is_dir():
            raise SystemExit(f"{option} {shown(folder)}: no such directory")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SystemExit(f"--out {shown(out)} is not an empty directory: choose another or empty it first")


@dataclass(frozen=True, kw_only=True)
class ClickReconciliation:
    """What became of the clicks of some files: received = counted + rejected + unparseable.

    counted, rejected and unparseable (rests of lines): as the run wrote them; keys: of the counts, by table;
    unknown: clicks counted for readers in no version of the segments.
    """

    files: ClickFiles
    counted: dict[str, int]
    keys: dict[str, int]
    unknown: int
    rejected: int
    unparseable: int

    def __str__(self) -> str:
        files = self.files
        counted = ", ".join(
            f"{clicks:,} counted under {many(self.keys[table], 'key')}"
            + ("" if table == SINKS[0].table else f" in {table}")
            for table, clicks in self.counted.items()
        )
        outcome = (
            f"{files.received:,} received in {many(files.lines, 'line')} of {many(len(files.read), 'file')}: "
            f"{counted}, {self.rejected:,} rejected, {self.unparseable:,} unparseable"
        )
        unknown = [f"{many(self.unknown, 'click')} counted as {UNKNOWN}"] if self.unknown else []
        return "\n".join([outcome, *unknown, *files.remarks()])

    def problem(self) -> str | None:
        """Says if a table's counts and the rejects do not add up to all that the files hold."""
        if difference := self.files.unparseable - self.unparseable:
            return (
                f"The unparseable of the rejected clicks and of the files differ by {difference:,}. "
                "Were files changed during the run?"
            )
        for table, clicks in self.counted.items():
            if difference := self.files.clicks - clicks - self.rejected:
                return (
                    f"{table} and the rejected clicks differ from the clicks of the files by {difference:,}. "
                    "Were files changed during the run?"
                )
        return None


def reconciled(files: ClickFiles, out: Path) -> ClickReconciliation:
    """Read what was written; every number is counted, none is a remainder."""
    counted, keys, unknown = {}, {}, 0
    for sink in SINKS:
        counted[sink.table] = keys[sink.table] = 0
        for row in _rows(out / sink.table):
            count: dict[str, Any] = json.loads(row)
            counted[sink.table] += count["clicks"]
            keys[sink.table] += 1
            if sink is SINKS[0] and all(count[column] == UNKNOWN for column in SEGMENT_COLUMNS):
                unknown += count["clicks"]
    reasons = [json.loads(row)["reason"] for row in _rows(out / REJECTS_TABLE)]
    unparseable = reasons.count(UNPARSEABLE)
    return ClickReconciliation(
        files=files,
        counted=counted,
        keys=keys,
        unknown=unknown,
        rejected=len(reasons) - unparseable,
        unparseable=unparseable,
    )


def _rows(table: Path) -> Iterator[bytes]:
    for file in table.iterdir():
        yield from (row for _, row in numbered_lines(file))


def run_over_files(clicks: Path, segments: Path, out: Path, *, run: Run) -> ClickReconciliation:
    """Raises SystemExit with one sentence, whatever goes wrong."""
    check_folders(clicks, segments, out)
    files = read_click_files(click_files(clicks))
    try:
        for table in output_tables():
            (out / table).mkdir(parents=True)
        find_java()
        with tempfile.TemporaryDirectory() as links:
            link(files, Path(links))
            run(properties(Path(links), segments, out))
        return reconciled(files, out)
    except Exception as error:
        take_away_result(out)
        cause = _JAVA_CLASS.sub("", cause_of(str(error)))
        raise SystemExit(f"The run failed, and nothing is left in {shown(out)}: {cause}") from None
    except KeyboardInterrupt:
        take_away_result(out)
        raise


def take_away_result(out: Path) -> None:
    """Delete the results of an incomplete run, so that nobody uses them."""
    for table in output_tables():
        shutil.rmtree(out / table, ignore_errors=True)


def main(run: Run) -> None:
    with quiet_interruption():
        command(run)


def command(run: Run) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--clicks", type=Path, required=True, metavar="DIR", help="*.json and *.json.gz files, at any depth"
    )
    parser.add_argument(
        "--segments", type=Path, required=True, metavar="DIR", help="published versions, <valid_from>.csv"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new or empty; gets a folder a table"
    )
    given = parser.parse_args()
    clicks, segments, out = (folder.resolve() for folder in (given.clicks, given.segments, given.out))
    result = run_over_files(clicks, segments, out, run=run)
    if problem := result.problem():
        take_away_result(out)
        raise SystemExit(f"{result}\n{problem} Nothing is left in {shown(out)}.")
    print(result)
    print("written: " + ", ".join(shown(out / table) for table in output_tables()))
