"""The files transport's treatment of records and of the segments' keys."""

import io
import json
from pathlib import Path
from typing import Any, cast

import pytest

from names import SEGMENTS_PREFIX, Names
from twin.emulator import Emulator
from twin.processes import wait_for
from twin.transport import SegmentsFolder, as_line, put_batches


@pytest.mark.parametrize(
    "record", [b'{"a": 1}\n', b'{"a":\n 1}\n', b'{"a": 1}', b'{"a":\r\n1}\r\n', b'{"a": "\\n"}']
)
def test_a_record_becomes_one_equivalent_line(record: bytes) -> None:
    line = as_line(record)
    assert line.count(b"\n") == 1
    assert json.loads(line) == json.loads(record)


def test_a_put_has_at_most_500_records_and_4_mebibytes() -> None:
    lines = [b"x" * 100] * 1200
    assert [len(batch) for batch in put_batches(lines)] == [500, 500, 200]
    large = [b"x" * 1_000_000] * 10
    assert [len(batch) for batch in put_batches(large)] == [4, 4, 2]


class SegmentsBucket:
    """S3 and its emulator: objects under the segments' prefix."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)

    def client_as(self, *_: object) -> "SegmentsBucket":
        return self

    def list_objects_v2(self, **_: object) -> dict[str, Any]:
        return {"Contents": [{"Key": SEGMENTS_PREFIX + name} for name in sorted(self.names)]}

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(Key.encode())}


def test_the_segments_folder_follows_keys_of_any_kind(tmp_path: Path) -> None:
    bucket = SegmentsBucket(
        "",  # the "folder" that the console creates
        "20260131T000000Z.csv",
        "2026-01-31T00:00:00Z.csv",
        "a b%20.csv",
        "old/20260101T000000Z.csv",
        "old/20260102T000000Z.csv",
        "made/",
        "..",
        "二月" * 100 + ".csv",
    )
    folder = tmp_path / "segments"
    names = Names(environment="local", account="000000000000")
    follows = SegmentsFolder(cast(Emulator, bucket), names, application_role_arn="", folder=folder)
    try:
        assert {path.name[:30] for path in folder.iterdir()} == {
            "20260131T000000Z.csv",
            "2026-01-31T00:00:00Z.csv",
            "a b%20.csv",
            "old",
            "made",
            "二月" * 15,
        }
        bucket.names = {"20260131T000000Z.csv"}
        wait_for(
            lambda: [path.name for path in folder.iterdir()] == ["20260131T000000Z.csv"],
            what="the deletions",
            timeout_seconds=30,
            poll_seconds=0.1,
        )
        follows.check()
    finally:
        follows.stop()
