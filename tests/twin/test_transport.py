"""The files transport's treatment of records and of the segments' keys."""

import io
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from contract.click import Click, Unread, read, read_line
from names import SEGMENTS_PREFIX, Names
from tests.aggregated import aggregated, field, sealed
from twin.emulator import Emulator
from twin.processes import wait_for
from twin.transport import SegmentsFolder, as_lines, put_batches


def units_after_transport(record: bytes) -> list[Click | Unread]:
    """What the decoder finds in the file: with LINE_OPTIONS it takes no line for an aggregate."""
    return [unit for line in as_lines(record).split(b"\n") for unit in read_line(line)]


CLICK = b'{"a": 1}'
ON_ONE_LINE = sealed(field(3, b"\x08\x00" + field(3, CLICK)))  # no key table: its field begins with a newline
assert b"\n" not in ON_ONE_LINE


@pytest.mark.parametrize(
    "record",
    [
        CLICK,
        CLICK + b"\n",
        CLICK * 3 + b"\n\n" + CLICK + b" no json\n[" + CLICK + b"]",
        b'{"a":\n 1}\n',
        b'{"a":\r\n1}\r\n',
        CLICK + b"\r" + CLICK + b"\r" + CLICK,
        b"\r\n",
        b"\n" * 10_000,
        b"",
        b"\xef\xbb\xbf" + CLICK + b"\n\xef\xbb\xbf" + CLICK,
        CLICK + b"\xef\xbb\xbf" + CLICK,
        aggregated([CLICK, CLICK * 2 + b"\n" + CLICK, b"", b"no json", CLICK]),
        aggregated([b""] * 100),
        aggregated([]),
        aggregated([aggregated([CLICK]), CLICK]),
        aggregated([ON_ONE_LINE, CLICK]),
        aggregated([CLICK])[:-1] + b"?",
        ON_ONE_LINE,
        ON_ONE_LINE + b"\n" + CLICK,
        CLICK + b"\n" + ON_ONE_LINE,
        CLICK.decode().encode("utf-16"),
        b"\0" + CLICK,
    ],
)
def test_the_lines_of_a_record_hold_what_the_record_holds(record: bytes) -> None:
    def clicks_and_rests(units: list[Click | Unread]) -> list[Click | bytes]:
        return [unit.data if isinstance(unit, Unread) else unit for unit in units]

    lines = as_lines(record)
    assert lines.endswith(b"\n")
    assert clicks_and_rests(units_after_transport(record)) == clicks_and_rests(read(record))


def test_a_carriage_return_stays_within_its_line() -> None:
    assert as_lines(b'{"a": "\r"}\r\n{}') == b'{"a": "\r"}\r\n{}\n'


def test_a_put_has_at_most_500_records_and_4_mebibytes() -> None:
    lines = [b"x" * 100] * 1200
    assert [len(batch) for batch in put_batches(lines)] == [500, 500, 200]
    large = [b"x" * 1_000_000] * 10
    assert [len(batch) for batch in put_batches(large)] == [4, 4, 2]


class SegmentsObjects:
    """S3 and its emulator: objects under the segments' prefix."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.denied = False

    def client_as(self, *_: object) -> "SegmentsObjects":
        return self

    def list_objects_v2(self, **_: object) -> dict[str, Any]:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")
        return {"Contents": [{"Key": SEGMENTS_PREFIX + name} for name in sorted(self.names)]}

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(Key.encode())}


def test_the_segments_folder_follows_keys_of_any_kind(tmp_path: Path) -> None:
    bucket = SegmentsObjects(
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


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_a_version_that_cannot_be_read_after_it_was_listed_ends_no_worker(tmp_path: Path, code: str) -> None:
    """Deleted meanwhile, or forbidden."""
    bucket = SegmentsObjects("20260131T000000Z.csv")
    folder, refused = tmp_path / "segments", threading.Event()
    names = Names(environment="local", account="000000000000")
    follows = SegmentsFolder(cast(Emulator, bucket), names, application_role_arn="", folder=folder)

    def refuse(**_: object) -> dict[str, Any]:
        bucket.names.discard("20260201T000000Z.csv")
        refused.set()
        raise ClientError({"Error": {"Code": code}}, "GetObject")

    read, later = bucket.get_object, "20260202T000000Z.csv"
    try:
        bucket.get_object = refuse  # type: ignore[method-assign]
        bucket.names.add("20260201T000000Z.csv")
        assert refused.wait(30)
        bucket.get_object = read  # type: ignore[method-assign]
        bucket.names.add(later)
        wait_for((folder / later).exists, what="the next version", timeout_seconds=30)
        follows.check()
        assert {path.name for path in folder.iterdir()} == {"20260131T000000Z.csv", later}
    finally:
        follows.stop()


def test_a_role_that_may_not_list_segments_leaves_flink_one_it_cannot_read(tmp_path: Path) -> None:
    bucket = SegmentsObjects("20260131T000000Z.csv")
    folder = tmp_path / "segments"
    names = Names(environment="local", account="000000000000")
    follows = SegmentsFolder(cast(Emulator, bucket), names, application_role_arn="", folder=folder)

    def broken() -> bool:
        for path in folder.iterdir():
            try:
                path.read_bytes()
            except OSError:
                return True
        return False

    try:
        bucket.denied = True
        wait_for(broken, what="an entry that cannot be read", timeout_seconds=30, poll_seconds=0.1)
        bucket.denied = False
        wait_for(lambda: not broken(), what="its end", timeout_seconds=30, poll_seconds=0.1)
        assert [path.name for path in folder.iterdir()] == ["20260131T000000Z.csv"]
        follows.check()
    finally:
        follows.stop()
