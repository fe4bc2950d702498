"""Firehose in the twin: delivers the records of the templates' delivery streams, with their roles.

To S3: buffered by size and time, compressed, under the evaluated prefix. To OpenSearch: bulk requests, signed
for the domain. Retryable refusals (429, 5xx) are retried for the retry duration; other documents go to the
failed-documents prefix in Firehose's format. Whether Firehose retries a version conflict (409) is
undocumented: here it is refused at once, or retried if twin/delivery_faults.py says so, and counted apart
from failures. Deliveries are repeated and delayed as that module says.

If the role may not write to the bucket, it is asked again until it may; Firehose gives up after a day.
Buffering and retries take as long as the clock of the alarms says (twin/alarms/clock.py).

Aggregated records of a source stream are taken apart before their delivery
(https://docs.aws.amazon.com/streams/latest/dev/kpl-with-firehose.html), those of a direct put are not.
"""

import base64
import gzip
import json
import re
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from opensearchpy import OpenSearch, TransportError, Urllib3AWSV4SignerAuth

from contract.aggregation import user_records
from names import OREGON
from twin.alarms.clock import WALL_CLOCK, AlarmClock
from twin.alarms.publisher import MetricPublisher
from twin.delivery_faults import DeliveryFaults, FaultyDelivery
from twin.emulator import Emulator
from twin.shards import ShardReader
from twin.worker import Worker

FETCH_SECONDS = 0.2
REFUSED_PAUSE_SECONDS = 1.0
MIN_DELAY_SECONDS = 2.0  # a delayed delivery: the next one overtakes it
STREAM_POLL_SECONDS = 1.0  # a shard allows five reads a second, for all its consumers together
_MEBIBYTE = 1024 * 1024
_DOCUMENTS_A_BULK_REQUEST = 1_000
_RETRY_PAUSE_SECONDS = 1.0
VERSION_CONFLICT = 409
_RETRYABLE = frozenset({429, 500, 502, 503, 504})
_JAVA_TO_STRFTIME = (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"))
ERROR_TYPE = "!{firehose:error-output-type}"


def object_prefix(template: str, at: datetime, *, error_type: str = "") -> str:
    """The S3 prefix of a delivery at `at` (UTC), with expressions replaced; it always has error type and
    hour."""

    def timestamp(match: re.Match[str]) -> str:
        pattern = match.group(1)
        for java, strftime in _JAVA_TO_STRFTIME:
            pattern = pattern.replace(java, strftime)
        return at.strftime(pattern.replace("'", ""))

    prefix = re.sub(r"!\{timestamp:([^}]*)\}", timestamp, template)
    if error_type and ERROR_TYPE not in template:
        prefix += f"{error_type}/"
    prefix = prefix.replace(ERROR_TYPE, error_type)
    return prefix if "!{timestamp:" in template else f"{prefix}{at:%Y/%m/%d/%H}/"


def retryable(*, conflicts_retried: bool) -> frozenset[int]:
    """The HTTP statuses of documents that are sent again."""
    return _RETRYABLE | {VERSION_CONFLICT} if conflicts_retried else _RETRYABLE


class S3Destination:
    """Writes one object per delivery."""

    def __init__(self, emulator: Emulator, name: str, description: dict[str, Any]) -> None:
        self._name = name
        self._bucket = description["BucketARN"].rsplit(":", 1)[-1]
        self._prefix = description.get("Prefix", "")
        self._gzip = description.get("CompressionFormat") == "GZIP"
        self._extension = description.get("FileExtension") or (".gz" if self._gzip else "")
        processors = description.get("ProcessingConfiguration", {}).get("Processors", [])
        self._delimiter = b"\n" if any(p["Type"] == "AppendDelimiterToRecord" for p in processors) else b""
        self._s3 = emulator.client_as(description["RoleARN"], "s3", OREGON)

    def deliver(self, records: Sequence[bytes], error_type: str = "") -> None:
        body = b"".join(record + self._delimiter for record in records)
        now = datetime.now(UTC)
        prefix = object_prefix(self._prefix, now, error_type=error_type)
        key = f"{prefix}{self._name}-1-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"
        content = gzip.compress(body, compresslevel=1) if self._gzip else body
        self._s3.put_object(Bucket=self._bucket, Key=key + self._extension, Body=content)


class SearchDestination:
    """Sends documents to the search domain, and refused ones to S3."""

    def __init__(
        self,
        emulator: Emulator,
        name: str,
        description: dict[str, Any],
        *,
        conflicts_retried: bool,
        clock: AlarmClock = WALL_CLOCK,
    ) -> None:
        self._index = description["IndexName"]
        self._retryable = retryable(conflicts_retried=conflicts_retried)
        duration = description.get("RetryOptions", {}).get("DurationInSeconds", 300)
        self._retry_seconds = clock.wall_seconds(duration)
        document_id = description.get("DocumentIdOptions", {}).get(
            "DefaultDocumentIdFormat", "FIREHOSE_DEFAULT"
        )
        self._own_document_ids = document_id == "FIREHOSE_DEFAULT"
        self._failed = S3Destination(emulator, name, description["S3DestinationDescription"])
        session = emulator.session_as(description["RoleARN"], OREGON)
        self._search = OpenSearch(
            hosts=[emulator.search_endpoint],
            http_auth=Urllib3AWSV4SignerAuth(session.get_credentials(), OREGON, "es"),
            timeout=30,
            max_retries=0,
        )

    def deliver(self, records: Sequence[bytes]) -> None:
        for start in range(0, len(records), _DOCUMENTS_A_BULK_REQUEST):
            self._deliver_bulk(list(records[start : start + _DOCUMENTS_A_BULK_REQUEST]))

    def _deliver_bulk(self, records: list[bytes]) -> None:
        started = time.monotonic()
        attempts = 0
        while records:
            attempts += 1
            again: list[bytes] = []
            failed: list[bytes] = []
            for record, (status, reason) in zip(records, self._bulk(records), strict=True):
                if status < 300:
                    continue
                if status in self._retryable and time.monotonic() - started < self._retry_seconds:
                    again.append(record)
                else:
                    failed.append(self._failed_document(record, status, reason, attempts))
            if failed:
                self._failed.deliver(failed, "AmazonOpenSearchService_failed")
            records = again
            if records:
                time.sleep(_RETRY_PAUSE_SECONDS)

    def _bulk(self, records: Sequence[bytes]) -> Iterable[tuple[int, str]]:
        """Each record's (HTTP status, reason)."""
        lines: list[bytes] = []
        for record in records:
            action: dict[str, str] = {"_index": self._index}
            if self._own_document_ids:
                action["_id"] = uuid.uuid4().hex
            lines += [json.dumps({"index": action}).encode(), record.rstrip(b"\n")]
        try:
            answer = self._search.bulk(body=b"\n".join(lines) + b"\n")
        except TransportError as error:
            status = error.status_code if isinstance(error.status_code, int) else 503
            return [(status, str(error))] * len(records)
        return [
            (item["index"]["status"], item["index"].get("error", {}).get("reason", ""))
            for item in answer["items"]
        ]

    def _failed_document(self, record: bytes, status: int, reason: str, attempts: int) -> bytes:
        now = int(time.time() * 1000)
        document = {
            "attemptsMade": attempts,
            "arrivalTimestamp": now,
            "errorCode": str(status),
            "errorMessage": reason,
            "attemptEndingTimestamp": now,
            "rawData": base64.b64encode(record).decode(),
            "esIndexName": self._index,
        }
        return json.dumps(document).encode() + b"\n"


def delivered_parts(record: bytes) -> list[bytes]:
    """What Firehose delivers of a stream's record: an aggregate's user records, or the record itself."""
    inner = user_records(record)
    return [record] if inner is None else inner


class EmulatedDeliveryStream:
    """A delivery stream of the deployed templates. `journal` keeps the lines of all its records; `received`
    counts the records: each count and each reject is one, clicks are many in one."""

    def __init__(
        self,
        emulator: Emulator,
        name: str,
        journal: Path,
        faults: DeliveryFaults,
        *,
        publisher: MetricPublisher,
        clock: AlarmClock = WALL_CLOCK,
    ) -> None:
        """publisher: of Oregon's metrics."""
        description = emulator.client("firehose", OREGON).describe_delivery_stream(DeliveryStreamName=name)
        self.name = name
        self.journal = journal / f"{name}.ndjson"
        self.received = 0
        self._emulator = emulator
        self._lock = threading.Lock()
        self._taken: list[bytes] = []  # kept until the journal has them: the disk may be full
        self._buffer: list[bytes] = []
        self._buffered_since: float | None = None
        self._refused_until = float("-inf")
        described = description["DeliveryStreamDescription"]
        self._source = self._stream_source(described.get("Source", {}).get("KinesisStreamSourceDescription"))
        destination = described["Destinations"][0]
        search = destination.get("AmazonopensearchserviceDestinationDescription")
        configuration = search or destination["ExtendedS3DestinationDescription"]
        self._destination: S3Destination | SearchDestination = (
            SearchDestination(emulator, name, search, conflicts_retried=faults.conflicts_retried, clock=clock)
            if search
            else S3Destination(emulator, name, configuration)
        )
        hints = configuration["BufferingHints"]
        self._interval_seconds = clock.wall_seconds(float(hints["IntervalInSeconds"]))
        self._publisher = publisher
        self._dimensions = {"DeliveryStreamName": name}
        self._delivery_metric = f"AWS/Firehose DeliveryTo{'AmazonOpenSearchService' if search else 'S3'}"
        fresh = f"{self._delivery_metric}.DataFreshness"
        publisher.gauge(fresh, self._dimensions, "Seconds", self._seconds_held)
        self._delivery = FaultyDelivery(
            self._destination.deliver,
            faults,
            delay_seconds=max(self._interval_seconds, MIN_DELAY_SECONDS),
        )
        self._size_bytes = int(hints["SizeInMBs"]) * _MEBIBYTE
        idle_seconds = FETCH_SECONDS if self._source is None else STREAM_POLL_SECONDS
        self._worker = Worker(f"delivery stream {name}", self._step, idle_seconds=idle_seconds)

    @property
    def faults(self) -> DeliveryFaults:
        return self._delivery.faults

    @faults.setter
    def faults(self, faults: DeliveryFaults) -> None:
        self._delivery.faults = faults

    def _stream_source(self, source: dict[str, Any] | None) -> ShardReader | None:
        if source is None:
            return None
        kinesis = self._emulator.client_as(source["RoleARN"], "kinesis", OREGON)
        return ShardReader(kinesis, source["KinesisStreamARN"])

    def _fetch(self) -> list[bytes]:
        if self._source is not None:
            return [part for record in self._source.read_all() for part in delivered_parts(record.data)]
        url = f"{self._emulator.endpoint}/_twin/delivery-streams/{OREGON}/{self.name}/records"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return [base64.b64decode(record) for record in json.load(answer)]

    def _seconds_held(self) -> float | None:
        """Of the oldest record that is not delivered; None without one."""
        since = self._buffered_since
        return None if since is None else time.monotonic() - since

    def _step(self) -> bool:
        with self._lock:
            self._take_and_deliver()
            return self._source is not None and self._source.has_more

    def _take_and_deliver(self, *, now: bool = False) -> bool:
        self._taken += self._fetch()
        records = self._taken
        if records:
            _append(self.journal, b"".join(record.rstrip(b"\n") + b"\n" for record in records))
            self._taken = []
            if not self._buffer:
                self._buffered_since = time.monotonic()
            self._buffer += records
            self.received += len(records)
        if now or time.monotonic() >= self._refused_until:
            try:
                self._deliver_due(now=now)
            except ClientError as error:
                if now or error.response["Error"]["Code"] != "AccessDenied":
                    raise
                self._refused_until = time.monotonic() + REFUSED_PAUSE_SECONDS
        return bool(records)

    def _deliver_due(self, *, now: bool) -> None:
        old = (self._seconds_held() or 0.0) >= self._interval_seconds
        large = sum(map(len, self._buffer)) >= self._size_bytes
        if self._buffer and (now or old or large):
            self._delivery.deliver(self._buffer, time.monotonic())
            self._publisher.count(f"{self._delivery_metric}.Records", self._dimensions, len(self._buffer))
            self._buffer, self._buffered_since = [], None
        if now:
            self._delivery.deliver_all_held()
        else:
            self._delivery.deliver_held(time.monotonic())

    def flush(self) -> None:
        """Deliver everything received so far, without waiting for the buffering interval."""
        self._worker.check()
        with self._lock:
            while self._take_and_deliver(now=True):
                pass

    def check(self) -> None:
        self._worker.check()

    def start_again(self) -> None:
        self._worker.start_again()

    def stop(self) -> None:
        self._worker.stop()


def _append(file: Path, content: bytes) -> None:
    """All of it, or nothing."""
    with file.open("ab", buffering=0) as written:
        size = written.tell()
        left = memoryview(content)
        try:
            while left:
                left = left[written.write(left) :]
        except OSError:
            written.truncate(size)
            raise


def deliver_streams(
    running: dict[str, EmulatedDeliveryStream],
    emulator: Emulator,
    journal: Path,
    faults: DeliveryFaults,
    *,
    publisher: MetricPublisher,
    clock: AlarmClock,
) -> None:
    """Start what delivers each stream that is deployed by now, unless it is running."""
    journal.mkdir(exist_ok=True)
    listed = emulator.client("firehose", OREGON).list_delivery_streams(Limit=100)
    for name in set(listed["DeliveryStreamNames"]).difference(running):
        running[name] = EmulatedDeliveryStream(
            emulator, name, journal, faults, publisher=publisher, clock=clock
        )
