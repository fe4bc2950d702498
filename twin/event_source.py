"""Lambda's Kinesis event source mapping in the twin: as the templates configure it, with the function's role.

Each shard is read once and split by partition key into as many lanes as the parallelization factor. A lane
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
from datetime import UTC, datetime
from typing import Any

from names import FAILED_BATCHES_PREFIX, TOKYO
from twin.emulator import Emulator
from twin.on_failure_destination import check_on_failure_destination
from twin.shards import ShardReader, ShardRecord
from twin.worker import Worker

POLL_SECONDS = 0.4
RETRY_PAUSE_SECONDS = 0.5
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024
_RECORD_OVERHEAD_BYTES = 600  # an event record's fields besides its data
_ON_FAILURE_TIME_FORMAT = "%Y-%m-%dT%H.%M.%S"


def batches(records: Sequence[ShardRecord], batch_size: int) -> Iterator[list[ShardRecord]]:
    """Cut records into batches of at most `batch_size` records and 6 MiB of payload, in order."""
    batch: list[ShardRecord] = []
    size = 0
    for record in records:
        record_bytes = len(record.data) * 4 // 3 + _RECORD_OVERHEAD_BYTES
        if batch and (len(batch) == batch_size or size + record_bytes > PAYLOAD_LIMIT_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += record_bytes
    if batch:
        yield batch


class EventSource:
    """A running event source mapping. `invocations` and `discarded` (records given up) count since the
    start."""

    def __init__(self, emulator: Emulator, mapping: dict[str, Any]) -> None:
        self._mapping = mapping
        self._lambda = emulator.client("lambda", TOKYO)
        function = self._lambda.get_function_configuration(FunctionName=mapping["FunctionArn"])
        check_on_failure_destination(emulator, mapping, role_arn=function["Role"])
        self._kinesis = emulator.client_as(function["Role"], "kinesis", TOKYO)
        self._s3 = emulator.client_as(function["Role"], "s3", TOKYO)
        self._reader = ShardReader(self._kinesis, mapping["EventSourceArn"])
        self._lanes: dict[tuple[str, int], queue.Queue[ShardRecord]] = {}
        self._workers: list[Worker] = []
        self.invocations = 0
        self.discarded = 0
        self.received = 0
        factor = mapping.get("ParallelizationFactor", 1)
        self._factor = factor
        for shard_id in self._reader.shard_ids:
            for lane in range(factor):
                self._start_lane(shard_id, lane)
        self._workers.append(Worker("event source reader", self._read, idle_seconds=POLL_SECONDS))

    def _start_lane(self, shard_id: str, lane: int) -> None:
        waiting: queue.Queue[ShardRecord] = queue.Queue()
        self._lanes[shard_id, lane] = waiting

        def step() -> bool:
            return self._consume(waiting)

        self._workers.append(Worker(f"event source {shard_id} lane {lane}", step, idle_seconds=POLL_SECONDS))

    def _read(self) -> bool:
        records = self._reader.read_all()
        for record in records:
            digest = hashlib.md5(record.partition_key.encode(), usedforsecurity=False).digest()
            self._lanes[record.shard_id, digest[0] % self._factor].put(record)
        self.received += len(records)
        return bool(records)

    def _consume(self, waiting: queue.Queue[ShardRecord]) -> bool:
        batch_size = self._mapping.get("BatchSize", 100)
        records: list[ShardRecord] = []
        try:
            while len(records) < batch_size:
                records.append(waiting.get_nowait())
        except queue.Empty:
            pass
        for batch in batches(records, batch_size):
            self._process(batch)
        for _ in records:
            waiting.task_done()
        return bool(records)

    @property
    def under_way(self) -> int:
        """Records read from the stream and neither done nor given up."""
        return sum(lane.unfinished_tasks for lane in self._lanes.values())

    def _process(self, batch: list[ShardRecord], attempts: int = 0) -> None:
        """Invoke the function until every record of the batch is done or given up."""
        while batch:
            failed_from, condition = self._invoke(batch)
            batch = batch[failed_from:]
            if not batch:
                return
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
        answer = self._lambda.invoke(
            FunctionName=self._mapping["FunctionArn"],
            Payload=json.dumps({"Records": [self._event_record(record) for record in batch]}),
        )
        self.invocations += 1
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
        return (limit not in (-1, None) and attempts > limit) or (max_age not in (-1, None) and age > max_age)

    def _give_up(self, batch: list[ShardRecord], attempts: int, condition: str) -> None:
        self.discarded += len(batch)
        destination = self._mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if not destination:
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
        self._s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(invocation).encode())

    def check(self) -> None:
        for worker in self._workers:
            worker.check()

    def stop(self) -> None:
        """Let the batches in flight end, then stop reading."""
        for worker in reversed(self._workers):
            worker.stop()


def start_event_sources(emulator: Emulator) -> list[EventSource]:
    """Every Kinesis event source mapping of the templates in Tokyo."""
    mappings = emulator.client("lambda", TOKYO).list_event_source_mappings()["EventSourceMappings"]
    return [EventSource(emulator, mapping) for mapping in mappings]
