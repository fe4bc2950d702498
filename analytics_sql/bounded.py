"""Counts the clicks of files once, in Flink's batch mode: a backfill, or a replay of the raw backup.

  python analytics_sql/main.py --clicks DIR --segments DIR --out DIR

The SQL is the application's. Clicks of any age are counted. Prints what became of the clicks; a click that
is in no result ends the run with an error.
"""

import argparse
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analytics_sql.local_flink import connector_jar, find_java
from analytics_sql.main import Properties, run
from contract.click import MAX_CLOCK_AHEAD_SECONDS, clicks_in
from contract.sink import REJECTS_TABLE, SINKS

NO_AGE_LIMIT_SECONDS = 10**11
"""Back to before the year 1."""


def properties(clicks: Path, segments: Path, out: Path) -> Properties:
    """Property groups for every *.json and *.json.gz file under `clicks`; each table writes below `out`.

    Paths are plain, not URIs: Flink doesn't take a URI's percent signs apart.
    """
    groups: Properties = {
        "clicks": {
            "connector": "filesystem",
            "path": str(clicks),
            "source.path.regex-pattern": r".*\.json(\.gz)?",
        },
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
            # One validation for both readers of 35_validated_clicks.batch.sql. A lookup that two sinks need
            # has no plan that way; each sink then validates by itself, and ClickAccount.check compares them.
            "table.optimizer.reuse-optimize-block-with-digest-enabled": str(len(SINKS) == 1).lower(),
        },
    }
    groups["flink"]["pipeline.jars"] = connector_jar(groups).as_uri()
    return groups


def output_tables() -> list[str]:
    return [*(sink.table for sink in SINKS), REJECTS_TABLE]


def click_files(clicks: Path) -> list[Path]:
    """The files that a run reads. SystemExit if there is none, or one that Flink would pass over."""
    files = sorted(file for file in clicks.rglob("*") if file.name.endswith((".json", ".json.gz")))
    if not files:
        raise SystemExit(f"--clicks {clicks}: no *.json or *.json.gz file is there")
    hidden = [file for file in files if any(part[0] in "._" for part in file.relative_to(clicks).parts)]
    if hidden:
        raise SystemExit(
            f"{hidden[0]}: Flink passes over names that start with '.' or '_'; rename it or take it away"
        )
    return files


def check_folders(clicks: Path, segments: Path, out: Path) -> None:
    """SystemExit, naming the option, where an input is missing or `out` holds something."""
    for option, folder in (("--clicks", clicks), ("--segments", segments)):
        if not folder.is_dir():
            raise SystemExit(f"{option} {folder}: there is no such directory")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SystemExit(f"--out {out} is not an empty directory: choose another or empty it first")


@dataclass(frozen=True, kw_only=True)
class ClickAccount:
    """What became of the clicks of some files.

    records: lines that aren't blank; unparseable: those without a click (contract/click.py); clicks: in the
    others; counted and rejected: clicks, as the run wrote them; keys: of the counts, by table.
    """

    files: int
    records: int
    clicks: int
    unparseable: int
    counted: dict[str, int]
    keys: dict[str, int]
    rejected: int

    def __str__(self) -> str:
        counted = ", ".join(
            f"{clicks:,} counted under {_many(self.keys[table], 'key')}"
            + ("" if table == SINKS[0].table else f" in {table}")
            for table, clicks in self.counted.items()
        )
        in_arrays = self.clicks - (self.records - self.unparseable)
        return (
            f"{_many(self.records, 'record')} in {_many(self.files, 'file')}: {counted}, "
            f"{self.rejected:,} rejected, {self.unparseable:,} unparseable"
            + (f" (arrays held {in_arrays:,} clicks more than one a record)" if in_arrays else "")
        )

    def check(self) -> None:
        """SystemExit where a table's counts and the rejects are not all clicks."""
        for table, clicks in self.counted.items():
            if difference := self.clicks - clicks - self.rejected:
                raise SystemExit(
                    f"{self}\n{table} and the rejected clicks differ from the clicks of the files by "
                    f"{difference:,}: don't use this result. Were files changed during the run?"
                )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def account(files: list[Path], out: Path) -> ClickAccount:
    """Read the input once more and what was written; each number is counted, none is a remainder."""
    in_each_record = [len(clicks_in(line)) for file in files for line in _lines(file)]
    counts = {sink.table: [json.loads(row)["clicks"] for row in _rows(out / sink.table)] for sink in SINKS}
    return ClickAccount(
        files=len(files),
        records=len(in_each_record),
        clicks=sum(in_each_record),
        unparseable=in_each_record.count(0),
        counted={table: sum(clicks) for table, clicks in counts.items()},
        keys={table: len(clicks) for table, clicks in counts.items()},
        rejected=sum(1 for _ in _rows(out / REJECTS_TABLE)),
    )


def _lines(file: Path) -> Iterator[bytes]:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as content:
        yield from (line.removesuffix(b"\n") for line in content if not line.isspace())


def _rows(table: Path) -> Iterator[bytes]:
    for file in table.iterdir():
        yield from _lines(file)


def main() -> None:
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
    check_folders(clicks, segments, out)
    files = click_files(clicks)
    for table in output_tables():
        (out / table).mkdir(parents=True)
    find_java()
    run(properties(clicks, segments, out), on_msf=False)
    result = account(files, out)
    result.check()
    print(result)
    print("written: " + ", ".join(str(out / table) for table in output_tables()))
