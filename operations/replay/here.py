"""A replay on this machine: fetch, count with the application's SQL, put the counts."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics_sql.local_flink import cause_of, connector_jar, find_java
from analytics_sql.main import SQL_FOLDER
from contract.sink import SINKS, Sink
from lambdas.replay.click_range import ClickRange
from lambdas.replay.generations import in_generations
from lambdas.replay.objects import Stored, needed_versions, objects_of, valid_from
from lambdas.replay.properties import SUCCESS, replay_properties
from lambdas.replay.putting import NotTakenError, Putting
from names import REJECTED_PREFIX
from operations.operator import Operator, OperatorError, Standing
from operations.replay import fetching
from operations.replay.live_rejects import LiveRejects

WORK_SHARE = 5
"""Bytes on disk for each byte of the compressed raw objects: these, and what Flink sorts."""
MAIN = SQL_FOLDER / "main.py"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a replay will read. hours: prefixes that were listed, and those without an object; corrections: by
    the key of a version, the key of what is read in its place; unknown_before: no version of the segments
    held when the range began."""

    raw: list[Stored]
    hours: int
    empty_hours: list[str]
    versions: list[Stored]
    corrections: Mapping[str, str]
    unknown_before: bool

    def __str__(self) -> str:
        size = sum(stored.bytes for stored in self.raw) / 1e6
        told = (
            f"{len(self.raw):,} raw objects of {size:,.1f} MB, {len(self.versions)} versions of the segments"
        )
        if self.corrections:
            told += f", {len(self.corrections)} of them corrected"
        if self.empty_hours:
            first = self.empty_hours[0]
            told += f"\n{len(self.empty_hours):,} of {self.hours:,} hours have none, first {first}"
        if self.unknown_before:
            told += "\nno version held when the range begins: until one does, readers count as unknown"
        return told


@dataclass(kw_only=True)
class CountedHere:
    """clicks, keys: of the first table of counts; put: documents of all."""

    clicks: int = 0
    keys: int = 0
    put: int = 0


def look(operator: Operator, asked: ClickRange, corrections: Mapping[str, str] | None = None) -> Found:
    """corrections: of versions of the segments, needed or not. Raises OperatorError if there is nothing to
    count, or no room."""
    names = operator.names
    s3 = operator.client("s3", names.oregon)
    raw = [stored for stored in objects_of(s3, names.raw_bucket, asked) if stored.bytes]
    hours = asked.prefixes
    if not raw:
        raise OperatorError(
            f"s3://{names.raw_bucket} has no object from {hours[0]} to {hours[-1]}: there is nothing to count"
        )
    needed = sum(stored.bytes for stored in raw) * WORK_SHARE
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < needed:
        raise OperatorError(
            f"{tempfile.gettempdir()} has {free / 1e9:,.1f} GB free, and the replay may need "
            f"{needed / 1e9:,.1f}: make room, set TMPDIR, or replay a shorter range"
        )
    versions = needed_versions(s3, names.segments_bucket, asked)
    with_objects = {stored.key.rpartition("/")[0] for stored in raw}
    return Found(
        raw=raw,
        hours=len(hours),
        empty_hours=[hour for hour in hours if hour.rstrip("/") not in with_objects],
        versions=versions,
        corrections={each.key: by for each in versions if (by := (corrections or {}).get(each.key))},
        unknown_before=not any(valid_from(version) <= asked.begin for version in versions),
    )


def replay_here(
    operator: Operator,
    asked: ClickRange,
    found: Found,
    *,
    generations: Mapping[str, int],
    tell: Callable[[str], None],
    standing: Standing | None = None,
) -> CountedHere:
    """generations: for lambdas/replay/generations.py. Raises OperatorError; counts are put only once all are
    counted."""
    putting: Putting | None = None

    def put() -> str:
        under_way = 0 if putting is None else putting.put
        return (
            f"{outcome.put + under_way:,} counts or some more are put, the others not: "
            "give the command again, repeated counts do no harm"
        )

    names = operator.names
    with tempfile.TemporaryDirectory(prefix="click-trends-replay-") as work:
        folder = Path(work)
        outcome = count_here(operator, asked, found, folder, tell=tell)
        tell(f"counted {outcome.clicks:,} clicks under {outcome.keys:,} keys; putting the counts")
        if standing is not None:
            standing.says = put
        firehose = operator.client("firehose", names.oregon)
        for sink in SINKS:
            stream = names.delivery_stream(sink.name)
            putting = Putting(firehose, stream, per_second=operator.settings.peak.counts_per_second)
            try:
                putting.put_lines(in_generations(lines_of_counts(folder, sink), generations))
            except NotTakenError as error:
                raise OperatorError(str(error)) from error
            outcome.put, putting = outcome.put + putting.put, None
    return outcome


def count_here(
    operator: Operator, asked: ClickRange, found: Found, folder: Path, *, tell: Callable[[str], None]
) -> CountedHere:
    """Count each distinct click of the range into `folder`, which is empty. Puts nothing. Raises
    OperatorError."""
    names = operator.names
    s3 = operator.client("s3", names.oregon)
    fetching.fetch(s3, names.raw_bucket, found.raw, folder / "clicks")
    fetching.fetch(s3, names.segments_bucket, found.versions, folder / "segments", found.corrections)
    tell("fetched; counting")
    _count(folder, asked, operator.settings.analytics.drop_repeated_click_ids_hours)
    return _counted(folder)


def live_rejects(operator: Operator, asked: ClickRange) -> LiveRejects:
    names = operator.names
    s3 = operator.client("s3", names.oregon)
    rejects = LiveRejects(asked)
    for stored in objects_of(s3, names.rejected_bucket, asked, REJECTED_PREFIX):
        rejects.read(fetching.lines_of(s3, names.rejected_bucket, stored))
    return rejects


def _count(folder: Path, asked: ClickRange, remembered_hours: int | None) -> None:
    """Raises OperatorError with Flink's own cause."""
    groups = replay_properties(
        asked,
        clicks={"path": str(folder / "clicks")},
        segments=str(folder / "segments"),
        counts={sink.table: str(folder / sink.table) for sink in SINKS},
        remembered_hours=remembered_hours,
    )
    try:
        groups["flink"] |= {"pipeline.jars": connector_jar(groups).as_uri(), "io.tmp.dirs": str(folder)}
    except SystemExit as error:
        raise OperatorError(str(error)) from error
    properties = folder / "properties.json"
    properties.write_text(
        json.dumps([{"PropertyGroupId": name, "PropertyMap": group} for name, group in groups.items()])
    )
    find_java()
    done = subprocess.run(
        [sys.executable, str(MAIN), "--properties", str(properties)],
        env={**os.environ, "FLINK_LOG_DIR": str(folder / "log")},
        capture_output=True,
        text=True,
        check=False,
    )
    complete = all((folder / sink.table / SUCCESS).is_file() for sink in SINKS)
    if done.returncode or not complete:
        raise OperatorError(f"the clicks could not be counted, and no count was put: {cause_of(done.stderr)}")


def _counted(folder: Path) -> CountedHere:
    outcome = CountedHere()
    for line in lines_of_counts(folder, SINKS[0]):
        count: dict[str, Any] = json.loads(line)
        outcome.clicks += count["clicks"]
        outcome.keys += 1
    return outcome


def lines_of_counts(folder: Path, sink: Sink) -> Iterator[bytes]:
    """Of every file that a run into this folder has completed."""
    for file in sorted((folder / sink.table).iterdir()):
        if file.is_file() and file.name[0] not in "._":
            with file.open("rb") as content:
                yield from content
