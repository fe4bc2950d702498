"""A shard that is split or merged: what the twin's Kinesis keeps of it, and in which order it is read."""

import itertools
import json
import urllib.request
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from names import OREGON, TWIN_ACCOUNT, Names
from twin.emulator import Emulator
from twin.shards import ShardReader
from twin.unreachable_streams import UNREACHABLE_PATH

MIDDLE = str(2**127)
_NUMBERS = itertools.count(1)


@pytest.fixture
def names() -> Names:
    return Names(environment=f"resharding-{next(_NUMBERS)}", account=TWIN_ACCOUNT)


@pytest.fixture
def stream(emulator: Emulator, names: Names) -> Any:
    """A client of Kinesis with one stream, of one shard."""
    kinesis = emulator.client("kinesis", OREGON)
    kinesis.create_stream(StreamName=names.source_stream, ShardCount=1)
    return kinesis


def _put(kinesis: Any, names: Names, *data: bytes) -> None:
    """Each record under the same partition key."""
    for each in data:
        kinesis.put_record(StreamName=names.source_stream, Data=each, PartitionKey="reader")


def _open(kinesis: Any, names: Names) -> list[str]:
    shards = kinesis.list_shards(StreamName=names.source_stream)["Shards"]
    return sorted(
        shard["ShardId"] for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
    )


def _split(kinesis: Any, names: Names) -> None:
    [shard_id] = _open(kinesis, names)
    kinesis.split_shard(StreamName=names.source_stream, ShardToSplit=shard_id, NewStartingHashKey=MIDDLE)


def _merge(kinesis: Any, names: Names) -> None:
    one, other = _open(kinesis, names)
    kinesis.merge_shards(StreamName=names.source_stream, ShardToMerge=one, AdjacentShardToMerge=other)


def _read(reader: ShardReader, rounds: int = 4) -> list[bytes]:
    return [record.data for _ in range(rounds) for record in reader.read_all()]


@pytest.mark.parametrize("begins", ["before", "after"])
def test_records_before_a_split_and_a_merge_are_read_before_those_after(
    stream: Any, names: Names, begins: str
) -> None:
    reader = ShardReader(stream, names.source_stream_arn) if begins == "before" else None
    _put(stream, names, b"1", b"2")
    _split(stream, names)
    _put(stream, names, b"3")
    _merge(stream, names)
    _put(stream, names, b"4")
    reader = reader or ShardReader(stream, names.source_stream_arn)
    assert _read(reader) == [b"1", b"2", b"3", b"4"]
    summary = stream.describe_stream_summary(StreamName=names.source_stream)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == len(reader.shard_ids) == 1


@pytest.mark.parametrize("begins", ["before", "after"])
def test_children_wait_until_the_records_of_their_parent_are_done(
    stream: Any, names: Names, begins: str
) -> None:
    done: set[str] = set()

    def reading() -> ShardReader:
        return ShardReader(stream, names.source_stream_arn, is_done=done.__contains__)

    reader = reading() if begins == "before" else None
    _put(stream, names, b"1")
    parent = _open(stream, names)[0]
    _split(stream, names)
    _put(stream, names, b"2")
    reader = reader or reading()
    assert _read(reader) == [b"1"]
    assert reader.seconds_behind > 0
    done.add(parent)
    assert _read(reader) == [b"2"]


def test_a_merged_shard_waits_for_both_of_its_parents(stream: Any, names: Names) -> None:
    reader = ShardReader(stream, names.source_stream_arn)
    _split(stream, names)
    one, other = _open(stream, names)
    _read(reader)
    _merge(stream, names)
    _put(stream, names, b"1")
    assert reader.read(one) == []
    assert reader.shard_ids == (other,)
    assert _read(reader) == [b"1"]


def test_a_closed_shard_is_neither_split_nor_merged_again(stream: Any, names: Names) -> None:
    [closed] = _open(stream, names)
    _split(stream, names)
    one, _ = _open(stream, names)
    name = names.source_stream
    with pytest.raises(ClientError, match="ResourceInUse"):
        stream.split_shard(StreamName=name, ShardToSplit=closed, NewStartingHashKey=MIDDLE)
    with pytest.raises(ClientError, match="ResourceInUse"):
        stream.merge_shards(StreamName=name, ShardToMerge=closed, AdjacentShardToMerge=one)
    with pytest.raises(ClientError, match="split and merge"):
        stream.update_shard_count(StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")


def test_shards_that_are_not_neighbours_are_not_merged(emulator: Emulator, names: Names) -> None:
    kinesis = emulator.client("kinesis", OREGON)
    kinesis.create_stream(StreamName=names.source_stream, ShardCount=3)
    first, _, last = _open(kinesis, names)
    with pytest.raises(ClientError, match="not adjacent"):
        kinesis.merge_shards(StreamName=names.source_stream, ShardToMerge=first, AdjacentShardToMerge=last)


def test_an_unreachable_stream_takes_nothing_until_it_is_back(
    emulator: Emulator, stream: Any, names: Names
) -> None:
    def unreachable(*streams: str) -> None:
        url = f"{emulator.endpoint}{UNREACHABLE_PATH}"
        urllib.request.urlopen(url, data=json.dumps(streams).encode(), timeout=30).close()

    once = emulator.client("kinesis", OREGON, Config(retries={"total_max_attempts": 1}))
    unreachable(names.source_stream)
    try:
        record = {"Data": b"1", "PartitionKey": "reader"}
        for target in ({"StreamName": names.source_stream}, {"StreamARN": names.source_stream_arn}):
            with pytest.raises(ClientError, match="ServiceUnavailable") as refused:
                once.put_records(**target, Records=[record])
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    finally:
        unreachable()
    _put(stream, names, b"2")
    assert _read(ShardReader(stream, names.source_stream_arn)) == [b"2"]
