"""The event source mapping's decisions, with lists as Lambda and stream."""

import io
import json
import queue
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from twin.event_source import PAYLOAD_LIMIT_BYTES, EventSource, batches
from twin.shards import ShardRecord

NOW = datetime.now(UTC)


def record(number: int, *, data: bytes = b"{}\n", arrived_at: datetime = NOW) -> ShardRecord:
    return ShardRecord("shard-0", f"{number:04}", "key", data, arrived_at)


@dataclass
class FakeLambda:
    """Fails every record whose sequence number is in `poison`, by an error or by reporting it."""

    poison: set[str]
    reports: bool = True
    invoked: list[list[str]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803, ARG002 (boto3's names)
        sequence = [item["kinesis"]["sequenceNumber"] for item in json.loads(Payload)["Records"]]
        self.invoked.append(sequence)
        failed = [number for number in sequence if number in self.poison]
        if failed and not self.reports:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no"}')}
        failures = [{"itemIdentifier": number} for number in failed]
        return {"Payload": io.BytesIO(json.dumps({"batchItemFailures": failures}).encode())}


@dataclass
class FakeBucket:
    objects: list[dict[str, Any]] = field(default_factory=list)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803, ARG002
        self.objects.append(json.loads(Body))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.event_source.RETRY_PAUSE_SECONDS", 0)


def event_source(function: FakeLambda, bucket: FakeBucket, **mapping: Any) -> EventSource:
    source = EventSource.__new__(EventSource)
    source._lambda = function
    source._s3 = bucket
    source.invocations = source.discarded = 0
    source._mapping = {
        "FunctionArn": "function",
        "EventSourceArn": "stream",
        "UUID": "mapping",
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if function.reports else [],
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::dead-letters"}},
        "MaximumRetryAttempts": 2,
        **mapping,
    }
    return source


def test_a_batch_keeps_to_an_invocations_records_and_bytes() -> None:
    records = [record(number) for number in range(250)]
    assert [len(batch) for batch in batches(records, 100)] == [100, 100, 50]
    large = [record(number, data=b"x" * 1_000_000) for number in range(9)]
    cut = list(batches(large, 100))
    assert [record for batch in cut for record in batch] == large
    assert all(len(batch) * 1_000_000 * 4 / 3 <= PAYLOAD_LIMIT_BYTES for batch in cut)


def test_only_records_from_the_first_failed_one_on_are_retried() -> None:
    function, bucket = FakeLambda({"0003"}), FakeBucket()
    event_source(function, bucket)._process([record(number) for number in range(5)])
    assert function.invoked == [["0000", "0001", "0002", "0003", "0004"], ["0003", "0004"], ["0003", "0004"]]


def test_a_batch_given_up_is_whole_in_the_on_failure_bucket() -> None:
    function, bucket = FakeLambda({"0003"}), FakeBucket()
    source = event_source(function, bucket)
    source._process([record(number) for number in range(5)])
    assert source.discarded == 2
    assert bucket.objects[0]["KinesisBatchInfo"]["startSequenceNumber"] == "0003"
    kept = json.loads(bucket.objects[0]["payload"])["Records"]
    assert [item["kinesis"]["sequenceNumber"] for item in kept] == ["0003", "0004"]


def test_bisecting_gives_up_only_the_poison() -> None:
    function, bucket = FakeLambda({"0003"}, reports=False), FakeBucket()
    source = event_source(function, bucket, BisectBatchOnFunctionError=True)
    source._process([record(number) for number in range(8)])
    assert source.discarded == 1
    assert bucket.objects[0]["KinesisBatchInfo"]["startSequenceNumber"] == "0003"
    delivered = {number for invoked in function.invoked for number in invoked}
    assert delivered == {f"{number:04}" for number in range(8)}


def test_a_record_past_its_age_limit_is_given_up_at_its_first_failure() -> None:
    function, bucket = FakeLambda({"0000"}), FakeBucket()
    source = event_source(function, bucket, MaximumRetryAttempts=-1, MaximumRecordAgeInSeconds=60)
    source._process([record(0, arrived_at=NOW - timedelta(hours=1))])
    assert source.discarded == 1
    assert len(function.invoked) == 1


def test_records_are_in_progress_until_done_or_given_up() -> None:
    source = event_source(FakeLambda({"0003"}), FakeBucket())
    lane: queue.Queue[ShardRecord] = queue.Queue()
    source._lanes = {("shard-0", 0): lane}
    for number in range(5):
        lane.put(record(number))
    assert source.under_way == 5
    source._mapping["BatchSize"] = 3
    source._consume(lane)
    assert source.under_way == 2
    source._consume(lane)
    assert (source.under_way, source.discarded) == (0, 2)
