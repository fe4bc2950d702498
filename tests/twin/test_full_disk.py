"""A part that ends because the disk is full goes on where it stopped once there is room again."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ReadTimeoutError

from twin import transport as module
from twin.delivery_stream import EmulatedDeliveryStream
from twin.demonstration import what_goes_on
from twin.ended import EndedPart
from twin.processes import TwinError, wait_for
from twin.shards import ShardReader
from twin.transport import FilesTransport


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_clicks_that_could_not_be_copied_are_copied_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = {
        "SequenceNumber": "1",
        "PartitionKey": "a",
        "Data": b"{}",
        "ApproximateArrivalTimestamp": datetime.now(UTC),
    }
    kinesis = mock.MagicMock()
    kinesis.list_shards.return_value = {"Shards": [{"ShardId": "0"}]}
    first = {"Records": [record], "NextShardIterator": "next", "MillisBehindLatest": 0}
    kinesis.get_records.side_effect = chain([first], repeat({**first, "Records": []}))
    is_full, write = True, module._write

    def written(*file: Any) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(*file)

    monkeypatch.setattr(module, "_write", written)
    emulator = mock.Mock(**{"client_as.return_value": kinesis})
    deployed = {"clicks": {"connector": "kinesis", "stream.arn": "arn"}}
    transport = FilesTransport(emulator, deployed, application_role_arn="role", root=tmp_path)

    def has_ended() -> bool:
        try:
            transport.check()
        except TwinError:
            return True
        return False

    wait_for(has_ended, what="its end", timeout_seconds=10)
    is_full = False
    transport.start_again()
    try:
        copied = tmp_path / "clicks" / "clicks-00000001.json"
        wait_for(copied.exists, what="the click", timeout_seconds=10)
        assert copied.read_bytes() == b"{}\n"
    finally:
        transport.stop()


def test_records_that_a_delivery_stream_could_not_note_are_delivered_after_the_start(tmp_path: Path) -> None:
    stream = EmulatedDeliveryStream.__new__(EmulatedDeliveryStream)
    stream.journal, stream.received = tmp_path / "journal.ndjson", 0
    stream.journal.write_bytes(b"before\n")
    stream._buffer, stream._taken, stream._refused_until = [], [], float("inf")
    records = [b"a" * 9, b"b" * 9, b"c" * 9]
    with mock.patch.object(EmulatedDeliveryStream, "_fetch", side_effect=[records, []]):
        with files_of_at_most(20), pytest.raises(OSError, match="File too large"):
            stream._take_and_deliver()
        assert stream.journal.read_bytes() == b"before\n"
        stream._take_and_deliver()
    assert stream.journal.read_bytes() == b"before\n" + b"".join(record + b"\n" for record in records)
    assert (stream._buffer, stream.received) == (records, 3)


def test_records_of_a_shard_are_kept_when_the_read_of_another_fails() -> None:
    record = {
        "SequenceNumber": "1",
        "PartitionKey": "a",
        "Data": b"{}",
        "ApproximateArrivalTimestamp": datetime.now(UTC),
    }
    answers: list[Any] = [[record], ReadTimeoutError(endpoint_url="http://127.0.0.1:9"), [], []]

    def get_records(**_: object) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Records": answer, "NextShardIterator": "next", "MillisBehindLatest": 0}

    kinesis = mock.MagicMock(get_records=get_records)
    kinesis.list_shards.return_value = {"Shards": [{"ShardId": "0"}, {"ShardId": "1"}]}
    reader = ShardReader(kinesis, "arn")
    with pytest.raises(ReadTimeoutError):
        reader.read_all()
    assert [read.sequence_number for read in reader.read_all()] == ["1"]


def test_a_full_disk_is_said_once_above_the_parts_that_it_ended() -> None:
    full = "the worker ended: the disk is full: free room; OSError(28, 'No space left on device')"
    ended = [EndedPart(name=name, problem=full, can_start=True) for name in ("raw-backup", "transport")]
    lines = what_goes_on(ended, [], flows=True)
    assert [line.startswith("the disk is full: free room") for line in lines] == [True, False, False]
