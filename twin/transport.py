"""The `files` transport: carries records between the emulated AWS and folders that Flink's file connector
uses.

It replaces the Kinesis and Firehose connectors where their jar is missing. It uses the application's role, so
missing permissions fail here too. A file appears in a folder complete, by renaming. Flink's file connector
breaks its input at newlines, so this takes aggregated records apart itself (contract/aggregation.py).
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contract.aggregation import user_records
from names import OREGON, SEGMENTS_PREFIX, Names, segments_version_key
from twin.emulator import Emulator
from twin.shards import ShardReader, ShardRecord
from twin.table_options import Properties, tables_of
from twin.unread_share import UnreadShare
from twin.worker import Worker

POLL_SECONDS = 0.4
SEGMENTS_POLL_SECONDS = 1.0
_RECORDS_A_PUT = 500
_BYTES_A_PUT = 4 * 1024 * 1024
_FAILS_TO_BE_READ = "/proc/self/mem"
_BYTES_A_NAME = 200  # file systems take 255, S3 1,024


def as_lines(record: bytes) -> bytes:
    """The lines of a record, or of an aggregate's user records, each with its end."""
    inner = user_records(record)
    return b"".join(map(_ended, [record] if inner is None else inner)) or b"\n"


def _ended(record: bytes) -> bytes:
    return record if record.endswith(b"\n") else record + b"\n"


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
        self._unreadable: Path | None = None
        """While the role may not list the prefix: a version that fails to be read, as on a broken disk: so
        Flink's checks fail."""
        self._s3 = emulator.client_as(application_role_arn, "s3", OREGON)
        folder.mkdir(parents=True)
        self._follow()  # the first click finds the existing versions
        self._worker = Worker("segments to files", self._follow, idle_seconds=SEGMENTS_POLL_SECONDS)

    def _follow(self) -> bool:
        try:
            keys = self._keys()
            new, gone = keys.keys() - self._there, self._there - keys.keys()
            contents = {name: self._content(keys[name]) for name in sorted(new)}
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "NoSuchKey":  # deleted since it was listed: look again
                return False
            if code != "AccessDenied":
                raise
            if self._unreadable is None:
                key = segments_version_key(datetime.now(UTC))
                self._unreadable = self._folder / key.removeprefix(SEGMENTS_PREFIX)
                self._unreadable.symlink_to(_FAILS_TO_BE_READ)
            return False
        if self._unreadable is not None:
            self._unreadable.unlink()
            self._unreadable = None
        for name, content in contents.items():
            if content is None:
                (self._folder / name).mkdir(exist_ok=True)
            else:
                _write(self._folder, name, content)
        for name in gone:
            path = self._folder / name
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        self._there = set(keys)
        return bool(new or gone)

    def _keys(self) -> dict[str, str]:
        """By their names in the folder."""
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=SEGMENTS_PREFIX).get("Contents", [])
        return {name: item["Key"] for item in listed if (name := _name_in_folder(item["Key"]))}

    def _content(self, key: str) -> bytes | None:
        """None for what Flink lists as a folder."""
        if "/" in key.removeprefix(SEGMENTS_PREFIX):
            return None
        body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body

    def options(self, deployed: Mapping[str, str]) -> dict[str, str]:
        """Those of the deployed table, over the folder and over copies beside it of the corrections."""
        copies = []
        for uri in deployed.get("corrections", "").split(";"):
            if key := uri.removeprefix(f"s3://{self._bucket}/"):
                copy = self._folder.parent / key
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
                copies.append(copy.as_uri())
        corrections = {"corrections": ";".join(copies)} if copies else {}
        return {**deployed, "path": self._folder.as_uri(), **corrections}

    def check(self) -> None:
        self._worker.check()

    def start_again(self) -> None:
        self._worker.start_again()

    def stop(self) -> None:
        self._worker.stop()


class FilesTransport:
    """Moves clicks to `root`, and counts and rejected clicks from there: a folder for the table of the source
    and one for each delivery stream."""

    def __init__(
        self, emulator: Emulator, deployed: Properties, *, application_role_arn: str, root: Path
    ) -> None:
        [source] = tables_of(deployed, "kinesis")
        (root / source).mkdir(parents=True, exist_ok=True)
        self.clicks = root / source
        self._root = root
        self._files_written = 0
        self._taken: list[ShardRecord] = []  # kept until they are in a file: the disk may be full
        self._arrived: dict[Path, datetime] = {}  # file of clicks -> its oldest record's arrival
        self._unread: dict[Path, datetime] = {}
        self._share = UnreadShare()
        kinesis = emulator.client_as(application_role_arn, "kinesis", OREGON)
        self._source = ShardReader(kinesis, deployed[source]["stream.arn"])
        self._firehose = emulator.client_as(application_role_arn, "firehose", OREGON)
        self._workers = [Worker(f"{source} to files", self._move_clicks, idle_seconds=POLL_SECONDS)]
        self._ending = threading.Event()
        self._put: set[str] = set()  # delivery streams whose folder has a worker

    def _move_clicks(self) -> bool:
        self._taken += self._source.read_all()
        if self._taken:
            content = b"".join(as_lines(record.data) for record in self._taken)
            name = f"clicks-{self._files_written + 1:08}.json"
            oldest = min(record.arrived_at for record in self._taken)
            self._arrived[self.clicks / name] = self._unread[self.clicks / name] = oldest
            _write(self.clicks, name, content)
            self._files_written += 1
            self._share.add(content)
            self._taken = []
        return self._source.has_more

    def unparseable_percent(self) -> float:
        """Of what arrived in the last full minute, as a decoder would report it."""
        return self._share.percent()

    def begin_anew(self, restored_at: float, deployed: Properties) -> None:
        """A job starts: it has read none of the clicks that were copied after its state was saved.

        restored_at: the time of that state, 0 without one; deployed: its property groups.
        """
        for table in tables_of(deployed, "firehose"):
            self._put_into(deployed[table]["delivery-stream"])
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

    def _put_into(self, delivery_stream: str) -> None:
        """Start its worker, unless it has one: what a former job wrote still goes to the former stream."""
        if delivery_stream not in self._put:
            self._put.add(delivery_stream)
            (self._root / delivery_stream).mkdir(exist_ok=True)
            work = partial(self._put_files, delivery_stream)
            self._workers.append(Worker(f"{delivery_stream} from files", work, idle_seconds=POLL_SECONDS))

    def _put_files(self, delivery_stream: str) -> bool:
        """Put the lines of every completed file; a file is deleted once all its lines are accepted."""
        try:
            return self._put_completed(delivery_stream)
        except FileNotFoundError:  # a drill has moved the folder; what was put twice is counted once
            return False

    def folder_of(self, delivery_stream: str) -> Path:
        """Into which Flink writes what goes to the stream."""
        return self._root / delivery_stream

    def _put_completed(self, delivery_stream: str) -> bool:
        completed = sorted(
            path
            for path in (self._root / delivery_stream).rglob("*")
            if path.is_file() and path.name[0] not in "._"
        )
        for path in completed:
            for batch in put_batches(path.read_bytes().splitlines(keepends=True)):
                self._put_batch(delivery_stream, batch)
            path.unlink()
        return bool(completed)

    def _put_batch(self, delivery_stream: str, lines: list[bytes]) -> None:
        while lines:
            try:
                answer: dict[str, Any] = self._firehose.put_record_batch(
                    DeliveryStreamName=delivery_stream, Records=[{"Data": line} for line in lines]
                )
            except self._firehose.exceptions.ServiceUnavailableException:
                if self._ending.is_set():
                    return
                continue  # as the connector; botocore has paused before
            lines = [
                line
                for line, response in zip(lines, answer["RequestResponses"], strict=True)
                if "ErrorCode" in response
            ]

    def check(self) -> None:
        for worker in self._workers:
            worker.check()

    def start_again(self) -> None:
        for worker in self._workers:
            worker.start_again()

    def stop(self) -> None:
        self._ending.set()
        for worker in self._workers:
            worker.stop()
