"""A correction reads corrected versions of the segments, and refuses days that are counted without them."""

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lambdas.replay.objects import Stored
from operations.correction import counting
from operations.operator import Operator, RefusedError
from operations.replay import fetching, here
from settings import load

NOW = datetime(2026, 2, 10, 9, tzinfo=UTC)
DAY = date(2026, 1, 29)
FAULTY, NEXT = "segments/20260128T000000Z.csv", "segments/20260129T120000Z.csv"
CORRECTION = "corrections/20260128T000000Z/0001.csv"


OBJECTS = {
    "raw/2026/01/29/10/a.json.gz": gzip.compress(b"{}\n"),
    FAULTY: b"faulty",
    NEXT: b"next",
    CORRECTION: b"right",
}


class CorrectedBucket:
    """S3."""

    def get_paginator(self, _operation: str) -> "CorrectedBucket":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: ARG002, N803
        keys = sorted(key for key in OBJECTS if key.startswith(Prefix))
        at = NOW - timedelta(days=1)
        return [{"Contents": [{"Key": key, "Size": 1, "LastModified": at} for key in keys]}]

    def download_file(self, _bucket: str, key: str, file: str) -> None:
        Path(file).write_bytes(OBJECTS[key])


class CorrectingNobody(Operator):
    def client(self, service: str, region: str) -> Any:  # noqa: ARG002
        return CorrectedBucket()


def test_a_corrected_version_is_fetched_under_the_name_of_the_version(tmp_path: Path) -> None:
    versions = [Stored(FAULTY, 1), Stored(NEXT, 1)]
    fetching.fetch(CorrectedBucket(), "segments", versions, tmp_path, {FAULTY: CORRECTION})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "20260128T000000Z.csv": b"right",
        "20260129T120000Z.csv": b"next",
    }


def counting_as(monkeypatch: pytest.MonkeyPatch, **analytics: Any) -> tuple[Operator, list[here.Found]]:
    """An operator of an environment with these settings, and what a run would read."""
    read: list[here.Found] = []

    def count(_operator: Operator, _asked: Any, found: here.Found, *_: Any, **__: Any) -> here.CountedHere:
        read.append(found)
        return here.CountedHere()

    monkeypatch.setattr(counting, "count_here", count)
    settings = load("local")
    settings = settings.model_copy(update={"analytics": settings.analytics.model_copy(update=analytics)})
    return CorrectingNobody(settings, None), read  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("live_since", "named"),
    [
        (None, {}),
        (date(2026, 1, 30), {}),  # since then the next version holds, which is right
        (DAY, {"20260128T000000Z/0001": 2}),
        (DAY, {"20260128T000000Z/0001": 2, "20260128T000000Z/0002": 3}),  # of a generation to come
    ],
)
def test_a_corrected_version_is_read_where_the_application_reads_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live_since: date | None, named: dict[str, int]
) -> None:
    operator, read = counting_as(monkeypatch, counts_generation=2, segments_corrections=named)
    count_days = counting.counted_from_raw(operator, now=NOW, tell=lambda _: None, live_since=live_since)
    assert "1 of them corrected" in count_days(DAY, date(2026, 1, 30), tmp_path)
    assert read[0].corrections == {FAULTY: CORRECTION}


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, r'with it as it was published\. Raise .* to 3, add "20260128T000000Z/0001" = 3 to'),
        ({"20260128T000000Z/0001": 3}, "with it as it was published"),
        ({"20260128T000000Z/0002": 2}, r'0002\.csv\. Raise .* add "20260128T000000Z/0001" = 3'),
        (
            {"20260128T000000Z/0001": 2, "20260129T120000Z/0001": 2},
            "20260129T120000Z/0001.csv, which is not there: take it out",
        ),
    ],
)
def test_days_that_the_application_counts_with_another_content_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, int], message: str
) -> None:
    operator, read = counting_as(monkeypatch, counts_generation=2, segments_corrections=named)
    count_days = counting.counted_from_raw(operator, now=NOW, tell=lambda _: None, live_since=DAY)
    with pytest.raises(RefusedError, match=message):
        count_days(DAY, date(2026, 1, 30), tmp_path)
    assert not read
