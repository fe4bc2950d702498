"""The `files` transport: carries records between the emulated AWS and folders that Flink's file connector
uses.

It replaces the Kinesis and Firehose connectors where their jar is missing. It uses the application's role, so
missing permissions fail here too. A file appears in a folder complete, by renaming.
"""

import os
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from names import OREGON, SEGMENTS_PREFIX, Names
from twin.emulator import Emulator
from twin.shards import ShardReader
from twin.table_options import Properties, tables_of
from twin.worker import Worker

POLL_SECONDS = 0.4
SEGMENTS_POLL_SECONDS = 1.0
_RECORDS_A_PUT = 500
_BYTES_A_PUT = 4 * 1024 * 1024
_BYTES_A_NAME = 200  # file systems take 255, S3 1,024


def as_line(record: bytes) -> bytes:
    """A record as one line: line breaks become blanks, which change no JSON text."""
    return record.rstrip(b"\r\n").replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


def put_batches(lines: list[bytes]) -> Iterator[list[bytes]]:
    """Cut lines into batches for PutRecordBatch (500 records, 4 MiB)."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == _RECORDS_A_PUT or size + len(line) > _BYTES_A_PUT):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


def _write(folder: Path, name: str, content: bytes) -> None:
    hidden = folder / f".{name}"
    hidden.write_bytes(content)
    _mark_unread(hidden)
    hidden.rename(folder / name)


def _mark_unread(file: Path) -> None:
    """Reading renews the time of access, if the file system keeps one."""
    os.utime(file, ns=(0, file.stat().st_mtime_ns))


def _is_read(file: Path) -> bool:
    return file.stat().st_atime_ns > 0


def _name_in_folder(key: str) -> str | None:
    """The name as Flink's S3 file system lists a key: up to the next slash; None for the prefix itself. Too
    long names are cut."""
    name = key.removeprefix(SEGMENTS_PREFIX).partition("/")[0]
    cut = name.encode()[:_BYTES_A_NAME].decode(errors="ignore")
    return None if cut in ("", ".", "..") else cut


class SegmentsFolder:
    """Keeps a folder equal to the segments' prefix in S3, with the application's role.

    On AWS Flink reads s3:// itself; PyFlink lacks the file system for it.
    """

    def __init__(self, emulator: Emulator, names: Names, *, application_role_arn: str, folder: Path) -> None:
        self._folder = folder
        self._bucket = names.segments_bucket
        self._there: set[str] = set()
        self._s3 = emulator.client_as(application_role_arn, "s3", OREGON)
        folder.mkdir(parents=True)
        self._follow()  # the first click finds the existing versions
        self._worker = Worker("segments to files", self._follow, idle_seconds=SEGMENTS_POLL_SECONDS)

    def _follow(self) -> bool:
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=SEGMENTS_PREFIX).get("Contents", [])
        keys = {name: item["Key"] for item in listed if (name := _name_in_folder(item["Key"]))}
        new, gone = keys.keys() - self._there, self._there - keys.keys()
        for name in sorted(new):
            if "/" in keys[name].removeprefix(SEGMENTS_PREFIX):
                (self._folder / name).mkdir()
            else:
                body = self._s3.get_object(Bucket=self._bucket, Key=keys[name])["Body"].read()
                _write(self._folder, name, body)
        for name in gone:
            path = self._folder / name
            path.rmdir() if path.is_dir() else path.unlink()
        self._there = set(keys)
        return bool(new or gone)

    def check(self) -> None:
        self._worker.check()

    def stop(self) -> None:
        self._worker.stop()


class FilesTransport:
    """Moves clicks to `root`, and counts and rejected clicks from there; one folder for each table."""

    def __init__(
        self, emulator: Emulator, deployed: Properties, *, application_role_arn: str, root: Path
    ) -> None:
        [source] = tables_of(deployed, "kinesis")
        sinks = {table: deployed[table]["delivery-stream"] for table in tables_of(deployed, "firehose")}
        for table in (source, *sinks):
            (root / table).mkdir(parents=True, exist_ok=True)
        self.clicks = root / source
        self._root = root
        self._files_written = 0
        self._arrived: dict[Path, datetime] = {}  # file of clicks -> its oldest record's arrival
        self._unread: dict[Path, datetime] = {}
        kinesis = emulator.client_as(application_role_arn, "kinesis", OREGON)
        self._source = ShardReader(kinesis, deployed[source]["stream.arn"])
        self._firehose = emulator.client_as(application_role_arn, "firehose", OREGON)
        self._workers = [
            Worker(f"{source} to files", self._move_clicks, idle_seconds=POLL_SECONDS),
            *(
                Worker(
                    f"{table} from files",
                    partial(self._put_files, table, delivery_stream),
                    idle_seconds=POLL_SECONDS,
                )
                for table, delivery_stream in sinks.items()
            ),
        ]

    def _move_clicks(self) -> bool:
        records = self._source.read_all()
        if records:
            self._files_written += 1
            content = b"".join(as_line(record.data) for record in records)
            name = f"clicks-{self._files_written:08}.json"
            oldest = min(record.arrived_at for record in records)
            self._arrived[self.clicks / name] = self._unread[self.clicks / name] = oldest
            _write(self.clicks, name, content)
        return bool(records)

    def begin_anew(self, restored_at: float) -> None:
        """A job starts: it has read none of the clicks that were copied after its state was saved.

        restored_at: the time of that state, 0 without one.
        """
        for file, arrived_at in list(self._arrived.items()):
            if file.exists() and file.stat().st_mtime > restored_at:
                _mark_unread(file)
                self._unread[file] = arrived_at

    @property
    def seconds_behind(self) -> float:
        """How long ago the oldest click arrived that Flink has not read. It grows on a file system without
        times of access, where nobody knows what was read."""
        behind = self._source.seconds_behind
        for file, arrived_at in list(self._unread.items()):
            if file.exists() and _is_read(file):
                del self._unread[file]
            else:
                behind = max(behind, time.time() - arrived_at.timestamp())
        return behind

    def _put_files(self, folder: str, delivery_stream: str) -> bool:
        """Put the lines of every completed file; a file is deleted once all its lines are accepted."""
        completed = sorted(
            path for path in (self._root / folder).rglob("*") if path.is_file() and path.name[0] not in "._"
        )
        for path in completed:
            for batch in put_batches(path.read_bytes().splitlines(keepends=True)):
                self._put(delivery_stream, batch)
            path.unlink()
        return bool(completed)

    def _put(self, delivery_stream: str, lines: list[bytes]) -> None:
        while lines:
            answer: dict[str, Any] = self._firehose.put_record_batch(
                DeliveryStreamName=delivery_stream, Records=[{"Data": line} for line in lines]
            )
            lines = [
                line
                for line, response in zip(lines, answer["RequestResponses"], strict=True)
                if "ErrorCode" in response
            ]

    def check(self) -> None:
        for worker in self._workers:
            worker.check()

    def stop(self) -> None:
        for worker in self._workers:
            worker.stop()
