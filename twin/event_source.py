"""Lambda's Kinesis event source mapping in the twin: as the templates configure it, with the function's role.

Each shard is read once and split by partition key into as many lanes as the parallelization factor; a shard
that came of a split or a merge once its parents' records are done (assumed: Lambda's documentation promises
the order of a partition key within a shard only). A lane
invokes the function with one batch at a time, in order. A failed batch is cut at its first failed record,
bisected and retried within the mapping's limits, then put whole into the on-failure bucket
(https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html).
"""

import base64
import hashlib
import json
import queue
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import ceil
from typing import Any

from botocore.exceptions import ClientError

from names import FAILED_BATCHES_PREFIX, TOKYO
from twin.alarms.clock import WALL_CLOCK, AlarmClock
from twin.alarms.publisher import MetricPublisher
from twin.emulator import Emulator
from twin.on_failure_destination import check_on_failure_destination
from twin.shards import ShardReader, ShardRecord
from twin.worker import Worker

POLL_SECONDS = 0.4
ENABLED_SECONDS = 1.0
RETRY_PAUSE_SECONDS = 0.5
_THROTTLED = "throttled"
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024
_RECORD_OVERHEAD_BYTES = 600  # an event record's fields besides its data and partition key
_ON_FAILURE_TIME_FORMAT = "%Y-%m-%dT%H.%M.%S"


def batches(records: Sequence[ShardRecord], batch_size: int) -> Iterator[list[ShardRecord]]:
    """Cut records into batches of at most `batch_size` records and 6 MiB of payload, in order."""
    batch: list[ShardRecord] = []
    size = 0
    for record in records:
        record_bytes = payload_bytes(record)
        if batch and (len(batch) == batch_size or size + record_bytes > PAYLOAD_LIMIT_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += record_bytes
    if batch:
        yield batch


def payload_bytes(record: ShardRecord) -> int:
    """The most that a record takes in an invocation's payload: its data in base64, and its fields."""
    return 4 * ceil(len(record.data) / 3) + len(json.dumps(record.partition_key)) + _RECORD_OVERHEAD_BYTES


class EventSource:
    """A running event source mapping. Its numbers are of records, whatever the clicks in each, since the
    start: `received` from the stream, `discarded` (given up); `invocations` are of the function."""

    def __init__(
        self,
        emulator: Emulator,
        mapping: dict[str, Any],
        publisher: MetricPublisher,
        clock: AlarmClock = WALL_CLOCK,
    ) -> None:
        """publisher: of Tokyo's metrics; clock: by which a record grows too old."""
        self._clock = clock
        self._mapping = mapping
        self.name = str(mapping["FunctionArn"].rsplit(":", 1)[-1])
        """Of the function."""
        self._publisher = publisher
        self._uuid = {"EventSourceMappingUUID": mapping["UUID"]}
        self._function = {"FunctionName": self.name}
        self._lambda = emulator.client("lambda", TOKYO)
        function = self._lambda.get_function_configuration(FunctionName=mapping["FunctionArn"])
        check_on_failure_destination(emulator, mapping, role_arn=function["Role"])
        self._kinesis = emulator.client_as(function["Role"], "kinesis", TOKYO)
        self._s3 = emulator.client_as(function["Role"], "s3", TOKYO)
        self._reader = ShardReader(self._kinesis, mapping["EventSourceArn"], is_done=self._is_done)
        self._lanes: dict[tuple[str, int], queue.Queue[ShardRecord]] = {}
        self._workers: list[Worker] = []
        self._stopping = False
        self.invocations = 0
        self.discarded = 0
        self.received = 0
        self._is_enabled = True
        self._asked_at = 0.0
        self._factor = mapping.get("ParallelizationFactor", 1)

        def read() -> bool:
            return self._enabled() and self._read()

        self._workers.append(Worker("event source reader", read, idle_seconds=POLL_SECONDS))

    def _is_done(self, shard_id: str) -> bool:
        """Whether every record read of a shard is done or given up."""
        return not any(lane.unfinished_tasks for (of, _), lane in self._lanes.items() if of == shard_id)

    @property
    def seconds_behind(self) -> float:
        """How late the furthest-behind shard was read."""
        return self._reader.seconds_behind

    def _start_lane(self, shard_id: str, lane: int) -> None:
        waiting: queue.Queue[ShardRecord] = queue.Queue()
        self._lanes[shard_id, lane] = waiting
        taken: list[ShardRecord] = []  # kept until they are done, should the lane end and start again

        def step() -> bool:
            return self._enabled() and self._consume(waiting, taken)

        worker = Worker(f"event source {shard_id} lane {lane}", step, idle_seconds=POLL_SECONDS)
        self._workers.insert(0, worker)  # so that the reader stays the last, and stops first

    def _enabled(self) -> bool:
        """Whether the mapping is enabled, asked of the control plane every ENABLED_SECONDS."""
        now = time.monotonic()
        if now - self._asked_at >= ENABLED_SECONDS:
            self._asked_at = now
            mapping = self._lambda.get_event_source_mapping(UUID=self._mapping["UUID"])
            self._mapping = {**self._mapping, **mapping}
            self._is_enabled = mapping["State"] != "Disabled"
        return self._is_enabled

    def _read(self) -> bool:
        records = self._reader.read_all()
        for record in records:
            digest = hashlib.md5(record.partition_key.encode(), usedforsecurity=False).digest()
            lane = digest[0] % self._factor
            if (record.shard_id, lane) not in self._lanes:
                self._start_lane(record.shard_id, lane)
            self._lanes[record.shard_id, lane].put(record)
        self.received += len(records)
        self._publisher.count("AWS/Lambda PolledEventCount", self._uuid, len(records))
        return self._reader.has_more

    def _consume(self, waiting: queue.Queue[ShardRecord], taken: list[ShardRecord]) -> bool:
        batch_size = self._mapping.get("BatchSize", 100)
        with suppress(queue.Empty):
            while len(taken) < batch_size:
                taken.append(waiting.get_nowait())
        for batch in batches(taken, batch_size):
            self._process(batch)
        for _ in taken:
            waiting.task_done()
        found = bool(taken)
        taken.clear()
        return found

    @property
    def under_way(self) -> int:
        """Records read from the stream and neither done nor given up."""
        return sum(lane.unfinished_tasks for lane in list(self._lanes.values()))

    def _process(self, batch: list[ShardRecord], attempts: int = 0) -> None:
        """Invoke the function until every record of the batch is done or given up, or the twin stops."""
        while batch:
            failed_from, condition = self._invoke(batch)
            batch = batch[failed_from:]
            if not batch or self._stopping:
                return
            if condition == _THROTTLED:  # tried until it works, or the records are too old
                if self._exhausted(batch, attempts):
                    self._give_up(batch, attempts, condition)
                    return
                time.sleep(RETRY_PAUSE_SECONDS)
                continue
            attempts += 1
            if self._exhausted(batch, attempts):
                self._give_up(batch, attempts, condition)
                return
            if self._mapping.get("BisectBatchOnFunctionError") and len(batch) > 1:
                middle = len(batch) // 2
                self._process(batch[:middle], attempts - 1)
                self._process(batch[middle:], attempts - 1)
                return
            time.sleep(RETRY_PAUSE_SECONDS)

    def _invoke(self, batch: list[ShardRecord]) -> tuple[int, str]:
        """The index of the first record that is not done (len(batch) if all are), and why."""
        try:
            answer = self._lambda.invoke(
                FunctionName=self._mapping["FunctionArn"],
                Payload=json.dumps({"Records": [self._event_record(record) for record in batch]}),
            )
        except self._lambda.exceptions.TooManyRequestsException:
            return 0, _THROTTLED
        self.invocations += 1
        age = datetime.now(UTC) - batch[-1].arrived_at
        milliseconds = age.total_seconds() * 1000
        self._publisher.count("AWS/Lambda IteratorAge", self._function, milliseconds, "Milliseconds")
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            return 0, str(payload)
        failures = (payload or {}).get("batchItemFailures", [])
        if "ReportBatchItemFailures" not in self._mapping.get("FunctionResponseTypes", []) or not failures:
            return len(batch), ""
        failed = {failure["itemIdentifier"] for failure in failures}
        positions = [index for index, record in enumerate(batch) if record.sequence_number in failed]
        return min(positions, default=0), "the function reported failed records"

    def _event_record(self, record: ShardRecord) -> dict[str, Any]:
        source = self._mapping["EventSourceArn"]
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record.partition_key,
                "sequenceNumber": record.sequence_number,
                "data": base64.b64encode(record.data).decode(),
                "approximateArrivalTimestamp": record.arrived_at.timestamp(),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{record.shard_id}:{record.sequence_number}",
            "eventName": "aws:kinesis:record",
            "awsRegion": TOKYO,
            "eventSourceARN": source,
        }

    def _exhausted(self, batch: list[ShardRecord], attempts: int) -> bool:
        limit = self._mapping.get("MaximumRetryAttempts", -1)
        max_age = self._mapping.get("MaximumRecordAgeInSeconds", -1)
        age = datetime.now(UTC).timestamp() - batch[0].arrived_at.timestamp()
        return (limit not in (-1, None) and attempts > limit) or (
            max_age not in (-1, None) and age > self._clock.wall_seconds(max_age)
        )

    def _give_up(self, batch: list[ShardRecord], attempts: int, condition: str) -> None:
        self.discarded += len(batch)
        destination = self._mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if not destination:
            self._publisher.count("AWS/Lambda DroppedEventCount", self._uuid, len(batch))
            return
        now = datetime.now(UTC)
        first, last = batch[0], batch[-1]
        invocation = {
            "requestContext": {
                "functionArn": self._mapping["FunctionArn"],
                "condition": "RetryAttemptsExhausted",
                "reason": condition,
                "approximateInvokeCount": attempts,
            },
            "timestamp": now.isoformat(),
            "KinesisBatchInfo": {
                "shardId": first.shard_id,
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "batchSize": len(batch),
                "streamArn": self._mapping["EventSourceArn"],
            },
            "payload": json.dumps({"Records": [self._event_record(record) for record in batch]}),
        }
        key = (
            f"{FAILED_BATCHES_PREFIX}{self._mapping['UUID']}/{first.shard_id}/{now:%Y/%m/%d}/"
            f"{now.strftime(_ON_FAILURE_TIME_FORMAT)}-{uuid.uuid4()}"
        )
        bucket = destination.rsplit(":", 1)[-1]
        try:
            self._s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(invocation).encode())
        except ClientError:
            self._publisher.count("AWS/Lambda DroppedEventCount", self._uuid, len(batch))
            return
        delivered = "AWS/Lambda OnFailureDestinationDeliveredEventCount"
        self._publisher.count(delivered, self._uuid, len(batch))

    def check(self) -> None:
        for worker in list(self._workers):
            worker.check()

    def start_again(self) -> None:
        for worker in list(self._workers):
            worker.start_again()

    def stop(self) -> None:
        """Let the invocations in flight end, then stop reading. What failed is not tried again."""
        self._stopping = True
        for worker in reversed(self._workers):
            worker.stop()


def start_event_sources(
    emulator: Emulator, publisher: MetricPublisher, clock: AlarmClock
) -> list[EventSource]:
    """Every Kinesis event source mapping of the templates in Tokyo."""
    mappings = emulator.client("lambda", TOKYO).list_event_source_mappings()["EventSourceMappings"]
    return [EventSource(emulator, mapping, publisher, clock) for mapping in mappings]
