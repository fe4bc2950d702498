"""Expired records of the twin's Kinesis, with MiniStack's module in this process."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import kinesis

from twin.stream_expiry import NEEDED_OF_KINESIS, expire_the_oldest

STREAM = "clicks"


@pytest.fixture
def shard(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The only shard of a stream with ten records, five of them older than a day."""
    for name in NEEDED_OF_KINESIS:
        monkeypatch.setattr(kinesis, name, getattr(kinesis, name))  # restored afterwards
    kinesis.reset()
    expire_the_oldest(kinesis)
    kinesis._create_stream({"StreamName": STREAM, "ShardCount": 1})
    stream = kinesis._streams[STREAM]
    kinesis._ensure_active(stream)
    records = [{"PartitionKey": "key", "Data": base64.b64encode(b"%d" % n).decode()} for n in range(10)]
    kinesis._put_records({"StreamName": STREAM, "Records": records})
    (shard,) = stream["shards"].values()
    yield shard
    kinesis.reset()


def expire(shard: dict[str, Any], records: int) -> None:
    for record in shard["records"][:records]:
        record["ApproximateArrivalTimestamp"] -= 25 * 3600


def call(operation: Any, **request: Any) -> dict[str, Any]:
    status, _, body = operation({"StreamName": STREAM, **request})
    answer: dict[str, Any] = json.loads(body)
    assert status == 200, answer
    return answer


def iterator() -> str:
    answer = call(
        kinesis._get_shard_iterator, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    return str(answer["ShardIterator"])


def read(token: str, limit: int = 10_000) -> tuple[list[int], str]:
    answer = call(kinesis._get_records, ShardIterator=token, Limit=limit)
    return [int(base64.b64decode(record["Data"])) for record in answer["Records"]], answer[
        "NextShardIterator"
    ]


def test_records_older_than_the_retention_are_gone(shard: dict[str, Any]) -> None:
    expire(shard, 5)
    assert read(iterator())[0] == [5, 6, 7, 8, 9]


def test_a_consumer_skips_nothing_when_earlier_records_expire(shard: dict[str, Any]) -> None:
    before, token = read(iterator(), limit=6)
    expire(shard, 5)
    assert (before, read(token)[0]) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])


def test_a_late_consumer_continues_with_the_oldest_record(shard: dict[str, Any]) -> None:
    _, token = read(iterator(), limit=2)
    expire(shard, 5)
    assert read(token)[0] == [5, 6, 7, 8, 9]


@pytest.mark.usefixtures("shard")
def test_only_an_old_iterator_expires() -> None:
    old, now = iterator(), time.time()
    kinesis._shard_iterators[old]["created_at"] = now - kinesis.ITERATOR_EXPIRY_SECONDS - 1
    young = iterator()
    kinesis._expire_iterators()
    assert old not in kinesis._shard_iterators
    assert young in kinesis._shard_iterators


def test_a_call_looks_only_at_the_oldest_record(shard: dict[str, Any]) -> None:
    class Untouched(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise AssertionError(f"looked at {key} of a record that cannot be the oldest")

    shard["records"][1:] = [Untouched(record) for record in shard["records"][1:]]
    kinesis._expire_records(kinesis._streams[STREAM])
    assert len(shard["records"]) == 10
