"""Reconcile made clicks of an hour or a day, as the function and the command do:
python -m bench.reconcile_clicks FOLDER HOURS CLICKS [LATER]

FOLDER/clicks holds what `write_delivered` wrote. S3 is a folder, and OpenSearch a formula: neither is
measured. LATER clicks arrive in the hours after the time until it is final; each is read through.
"""

import json
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from lambdas.reconciliation.cells import Cell, cell_at
from lambdas.reconciliation.counts import ArticleKey, CountKey
from lambdas.reconciliation.final import UP_TO_DATE
from lambdas.reconciliation.hours import Buckets, Delays, ReconciledTime, reconcile_hours
from lambdas.reconciliation.objects import HOUR

SINCE = datetime(2026, 1, 31, tzinfo=UTC)
DELAYS = Delays.of(allowed_lateness_hours=24, archive_buffer_seconds=300)
CLICKS_AN_OBJECT = 100_000
REPEATED = 50
"""Every so many objects one is delivered twice."""
_CLICKS = """
COPY (
  SELECT
    md5(i::VARCHAR) AS click_id,
    strftime(make_timestamp(epoch_us(TIMESTAMP '{since}') + i * {spacing}), '%Y-%m-%dT%H:%M:%S.%g') || 'Z'
      AS clicked_at,
    format('user-{{:08d}}', (hash(i, 'user') % 200000)::BIGINT) AS user_id,
    format('article-{{:07d}}', (hash(i, 'article') % 5000)::BIGINT) AS article_id,
    'ios' AS platform,
    i % 24 AS position
  FROM range({first}, {end}) AS numbers(i)
) TO '{file}' (FORMAT json, COMPRESSION gzip)
"""


def spacing(hours: int, clicks: int) -> int:
    """Microseconds between two clicks."""
    return hours * 3_600_000_000 // clicks


def write_delivered(folder: Path, *, hours: int, clicks: int) -> None:
    """The clicks of the time in files of one object each, and an object of clicks after it."""
    target = folder / "clicks"
    target.mkdir(parents=True)
    after = SINCE + timedelta(hours=hours, days=1)
    with duckdb.connect() as connection:
        for first in [*range(0, clicks, CLICKS_AN_OBJECT), -1]:
            end = CLICKS_AN_OBJECT if first < 0 else min(first + CLICKS_AN_OBJECT, clicks)
            connection.execute(
                _CLICKS.format(
                    since=f"{after if first < 0 else SINCE:%Y-%m-%d %H:%M:%S}",
                    spacing=spacing(hours, clicks),
                    first=max(first, 0),
                    end=end,
                    file=target / ("later.json.gz" if first < 0 else f"{first:010}.json.gz"),
                )
            )


class FolderS3:
    """The objects of the raw backup; no other bucket has any."""

    def __init__(self, folder: Path, *, hours: int, clicks: int, later: int) -> None:
        self._files: dict[str, Path] = {}
        delivered = sorted(file for file in folder.iterdir() if file.name != "later.json.gz")
        for number, file in enumerate(delivered):
            at = SINCE + timedelta(microseconds=number * CLICKS_AN_OBJECT * spacing(hours, clicks))
            for name in (file.name, f"again-{file.name}")[: 2 if number % REPEATED == 1 else 1]:
                self._files[f"raw/{at:%Y/%m/%d/%H}/{name}"] = file
        late_hours = round(DELAYS.until_final / HOUR)
        for number in range(later // CLICKS_AN_OBJECT):
            at = SINCE + (hours + number % late_hours) * HOUR
            self._files[f"raw/{at:%Y/%m/%d/%H}/later-{number:06}.json.gz"] = folder / "later.json.gz"
        self._keys = sorted(self._files)

    def get_paginator(self, _name: str) -> Any:
        return SimpleNamespace(paginate=self._paginate)

    def _paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803 (boto3's names)
        found = []
        for key in self._keys[bisect_left(self._keys, Prefix) :] if Bucket == "raw" else ():
            if not key.startswith(Prefix):
                break
            found.append({"Key": key, "LastModified": SINCE, "ETag": f'"{key}"'})
        yield {"Contents": found}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: ARG002, N803
        return {"Body": self._files[Key].open("rb"), "ETag": f'"{Key}"'}


class EvenCounts:
    """Counts of every click once."""

    def __init__(self, *, hours: int, clicks: int) -> None:
        self._spacing, self._clicks = spacing(hours, clicks), clicks

    def of_windows(self, windows: range) -> dict[Cell, int]:
        first = cell_at(SINCE)
        return {cell: self._before(cell + 1 - first) - self._before(cell - first) for cell in windows}

    def _before(self, minutes: int) -> int:
        """Clicks of the first minutes."""
        return max(0, min(self._clicks, -(-minutes * 60_000_000 // self._spacing)))

    def of_articles(self, keys: Collection[ArticleKey]) -> dict[ArticleKey, int]:
        return dict.fromkeys(keys, 0)

    def of_keys(self, keys: Collection[CountKey]) -> dict[CountKey, int]:
        return dict.fromkeys(keys, 0)


def main(folder: Path, hours: int, clicks: int, later: int = 0) -> None:
    s3 = FolderS3(folder / "clicks", hours=hours, clicks=clicks, later=later)
    buckets = Buckets(
        oregon=s3,
        tokyo=s3,
        raw="raw",
        rejected="rejected",
        dead_letters="dead-letters",
        sink="counts",
        index="click-counts.undated",
    )
    until = SINCE + hours * HOUR
    now = until + 2 * DELAYS.until_final
    asked = ReconciledTime(since=SINCE, until=until, delays=DELAYS, now=now, reading=UP_TO_DATE)
    began, disk_bytes = time.monotonic(), 0
    with tempfile.TemporaryDirectory(dir=folder) as work:

        def progress(_key: str, _clicks: int) -> None:
            nonlocal disk_bytes
            files = [file for file in Path(work).rglob("*") if file.is_file()]
            disk_bytes = max(disk_bytes, sum(file.stat().st_size for file in files))

        counts = EvenCounts(hours=hours, clicks=clicks)
        found = reconcile_hours(buckets, counts, asked, folder=Path(work), progress=progress)
    answer = {
        "received": found.received,
        "counted": found.counted,
        "unexplained": found.unexplained,
        "repeated": sum(each.clicks for each in found.repetitions),
        "seconds": time.monotonic() - began,
        "disk_bytes": disk_bytes,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
