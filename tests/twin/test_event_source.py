"""The event source mapping's decisions, with lists as Lambda and stream."""

import io
import json
import queue
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from twin.alarms.clock import WALL_CLOCK, AlarmClock
from twin.alarms.publisher import MetricPublisher
from twin.event_source import PAYLOAD_LIMIT_BYTES, EventSource, batches, payload_bytes
from twin.processes import wait_for
from twin.shards import ShardReader, ShardRecord

NOW = datetime.now(UTC)


def record(
    number: int, *, data: bytes = b"{}\n", arrived_at: datetime = NOW, key: str = "key"
) -> ShardRecord:
    return ShardRecord("shard-0", f"{number:04}", key, data, arrived_at)


@dataclass
class FakeLambda:
    """Fails every record whose sequence number is in `poison`, by an error or by reporting it."""

    poison: set[str]
    reports: bool = True
    throttled: int = 0
    invoked: list[list[str]] = field(default_factory=list)
    state: str = "Enabled"

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, str]:  # noqa: N803, ARG002
        return {"State": self.state}

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803, ARG002 (boto3's names)
        if self.throttled:
            self.throttled -= 1
            raise self.exceptions.TooManyRequestsException({"Error": {"Code": "429"}}, "Invoke")
        sequence = [item["kinesis"]["sequenceNumber"] for item in json.loads(Payload)["Records"]]
        self.invoked.append(sequence)
        failed = [number for number in sequence if number in self.poison]
        if failed and not self.reports:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no"}')}
        failures = [{"itemIdentifier": number} for number in failed]
        return {"Payload": io.BytesIO(json.dumps({"batchItemFailures": failures}).encode())}

    class exceptions:  # noqa: N801 (boto3's name)
        class TooManyRequestsException(ClientError):  # noqa: N818 (boto3's name)
            pass


@dataclass
class FakeBucket:
    objects: list[dict[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803, ARG002
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
        self.objects.append(json.loads(Body))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.event_source.RETRY_PAUSE_SECONDS", 0)


def event_source(function: FakeLambda, bucket: FakeBucket, **mapping: Any) -> EventSource:
    source = EventSource.__new__(EventSource)
    source._lambda = function
    source._s3 = bucket
    source._publisher = mock.Mock(spec=MetricPublisher)
    source._uuid, source._function = {"EventSourceMappingUUID": "mapping"}, {"FunctionName": "function"}
    source._stopping, source._clock = False, WALL_CLOCK
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
    assert [len(batch) for batch in cut] == [4, 4, 1]


@pytest.mark.parametrize("size", [0, 1, 25_000, 100_001, 1024 * 1024 - 256])
def test_a_batch_of_large_records_fits_an_invocation_with_its_fields(size: int) -> None:
    key, data = "記" * 256, b"x" * size
    source = event_source(FakeLambda(set()), FakeBucket())
    [batch, *_] = batches([record(number, data=data, key=key) for number in range(4_000)], 10_000)
    payload = json.dumps({"Records": [source._event_record(each) for each in batch]})
    assert len(payload) <= PAYLOAD_LIMIT_BYTES
    assert sum(map(payload_bytes, batch)) >= len(payload) - len('{"Records": []}')


def test_only_records_from_the_first_failed_one_on_are_retried() -> None:
    function, bucket = FakeLambda({"0003"}), FakeBucket()
    event_source(function, bucket)._process([record(number) for number in range(5)])
    assert function.invoked == [["0000", "0001", "0002", "0003", "0004"], ["0003", "0004"], ["0003", "0004"]]


@pytest.mark.parametrize(("reports", "bisects"), [(True, False), (False, False), (False, True)])
def test_a_batch_that_fails_again_and_again_does_not_keep_the_twin_from_stopping(
    monkeypatch: pytest.MonkeyPatch, reports: bool, bisects: bool
) -> None:
    """As while Oregon is away: it would be tried until its records are hours old."""
    function, bucket = FakeLambda({"0000"}, reports=reports), FakeBucket()
    mapping = {"MaximumRetryAttempts": -1, "BisectBatchOnFunctionError": bisects}
    source = event_source(function, bucket, **mapping)
    answer = function.invoke

    def asked_to_stop_meanwhile(**invocation: Any) -> dict[str, Any]:
        source._stopping = True
        return answer(**invocation)

    monkeypatch.setattr(function, "invoke", asked_to_stop_meanwhile)
    source._process([record(0), record(1)])
    assert (function.invoked, bucket.objects) == ([["0000", "0001"]], [])


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


def test_a_record_grows_too_old_by_the_clock_of_the_alarms() -> None:
    function, bucket = FakeLambda({"0000"}), FakeBucket()
    source = event_source(function, bucket, MaximumRetryAttempts=-1, MaximumRecordAgeInSeconds=60)
    source._clock = AlarmClock(10.0)
    source._process([record(0, arrived_at=NOW - timedelta(seconds=30))])
    assert (source.discarded, len(function.invoked)) == (1, 1)


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
    source._consume(lane, [])
    assert source.under_way == 2
    source._consume(lane, [])
    assert (source.under_way, source.discarded) == (0, 2)


class FunctionAwayOnce(FakeLambda):
    """Cannot be reached at the first invocation."""

    def __init__(self) -> None:
        super().__init__(set())
        self.calls = 0

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        if self.calls == 1:
            raise ConnectionError("the emulator is away")
        return super().invoke(**arguments)


def test_a_lane_that_ended_goes_on_with_the_records_it_had_taken() -> None:
    function = FunctionAwayOnce()
    source = event_source(function, FakeBucket())
    lane: queue.Queue[ShardRecord] = queue.Queue()
    source._lanes = {("shard-0", 0): lane}
    lane.put(record(0))
    taken: list[ShardRecord] = []
    with pytest.raises(ConnectionError):
        source._consume(lane, taken)
    assert source.under_way == 1
    assert source._consume(lane, taken)
    assert (source.under_way, len(function.invoked)) == (0, 1)
    assert not source._consume(lane, taken), "what is done is not done again"
    assert len(function.invoked) == 1


def test_a_disabled_mapping_reads_and_invokes_nothing_until_it_is_enabled() -> None:
    function = FakeLambda(set())
    function.state = "Disabled"
    source = event_source(function, FakeBucket())
    source._asked_at = float("-inf")
    assert not source._enabled()
    function.state = "Enabled"
    source._asked_at = float("-inf")
    assert source._enabled()


class ShardOfSome:
    """A shard with records, of which a call gets at most `at_once`."""

    def __init__(self, records: int, at_once: int = 1) -> None:
        self.left = records
        self.at_once = at_once

    def list_shards(self, **_: str) -> dict[str, Any]:
        return {"Shards": [{"ShardId": "shard-0"}]}

    def get_shard_iterator(self, **_: str) -> dict[str, Any]:
        return {"ShardIterator": "next"}

    def get_records(self, **_: object) -> dict[str, Any]:
        got = min(self.at_once, self.left)
        self.left -= got
        read = {"SequenceNumber": "1", "PartitionKey": "key", "Data": b"{}\n"}
        records = [{**read, "ApproximateArrivalTimestamp": NOW}] * got
        return {"Records": records, "NextShardIterator": "next", "MillisBehindLatest": 7 * self.left}


@pytest.mark.parametrize(
    ("kinesis", "reads_on", "received"),
    [
        (ShardOfSome(3), [True, True, False, False], 3),
        (ShardOfSome(3, at_once=0), [False, False], 0),  # a stalled shard
    ],
)
def test_a_stream_is_read_on_at_once_only_while_a_read_leaves_records(
    kinesis: ShardOfSome, reads_on: list[bool], received: int
) -> None:
    source = event_source(FakeLambda(set()), FakeBucket())
    source._reader = ShardReader(kinesis, "stream")
    source._lanes, source._factor, source.received = {("shard-0", 0): queue.Queue()}, 1, 0
    assert [source._read() for _ in reads_on] == reads_on
    assert source.received == received


def _counted(source: EventSource) -> dict[str, float]:
    """What was sent of the mapping's metrics, by name."""
    publisher: Any = source._publisher
    calls = publisher.count.call_args_list
    return {call.args[0].split(" ")[1]: call.args[2] for call in calls}


def test_a_throttled_batch_waits_and_uses_up_no_attempt() -> None:
    function, bucket = FakeLambda(poison=set(), throttled=5), FakeBucket()
    source = event_source(function, bucket)
    source._process([record(1)])
    assert function.invoked == [["0001"]]
    assert not bucket.objects


@pytest.mark.parametrize(
    ("refuses", "counted"), [(False, "OnFailureDestinationDeliveredEventCount"), (True, "DroppedEventCount")]
)
def test_a_batch_given_up_counts_by_what_became_of_it(refuses: bool, counted: str) -> None:
    source = event_source(FakeLambda(poison={"0001"}), FakeBucket(refuses=refuses))
    source._process([record(1)])
    assert _counted(source).keys() == {"IteratorAge", counted}
    assert _counted(source)[counted] == 1


def test_a_new_shard_gets_lanes_and_is_done_once_they_are_empty() -> None:
    source = event_source(FakeLambda(set()), FakeBucket())
    source._reader = ShardReader(ShardOfSome(3), "stream", is_done=source._is_done)
    source._lanes, source._factor, source.received, source._workers = {}, 1, 0, []
    source._is_enabled, source._asked_at = False, float("inf")  # its lanes take nothing
    source._read()
    assert [source._is_done(shard) for shard in ("shard-0", "shard-1")] == [False, True]
    source._is_enabled = True
    wait_for(lambda: source._is_done("shard-0"), what="the batch done", timeout_seconds=10)
    source.stop()


def test_a_record_that_grows_too_old_while_the_function_is_throttled_is_given_up() -> None:
    function, bucket = FakeLambda(poison=set(), throttled=5), FakeBucket()
    source = event_source(function, bucket, MaximumRetryAttempts=-1, MaximumRecordAgeInSeconds=60)
    source._process([record(0, arrived_at=NOW - timedelta(hours=1))])
    assert (source.discarded, function.invoked, len(bucket.objects)) == (1, [], 1)
