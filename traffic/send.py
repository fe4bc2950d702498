"""Puts records into streams at their pace, several calls at once, and accounts for every one of them.

Mobile apps put into the mobile stream in Tokyo, web servers (fluentd) into the source stream in Oregon;
each with the client, and so the credentials, that it is given. Whatever a call did not take is put again
until it is taken; what is left when `stop` is set is counted as unsent.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from traffic.record import Entrance, Record

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

# Limits of PutRecords (a stream may be set to larger records; these are not)
RECORDS_PER_CALL = 500
BYTES_PER_CALL = 5 * 1024 * 1024
BYTES_PER_RECORD = 1024 * 1024  # data and partition key

CALLS_AT_ONCE = 4
TICK_SECONDS = 0.1  # records that fall due within a tick share calls
FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 5.0
# For the clients: repeating is done here, where it can be counted.
CLIENT_CONFIG = Config(
    retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10, max_pool_connections=CALLS_AT_ONCE
)

_PASSING_ERRORS = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)


class TrafficError(Exception):
    """Records that a stream will never take; the message says which stream and why."""


@dataclass(frozen=True)
class Stream:
    client: "KinesisClient"
    name: str


@dataclass(frozen=True)
class TrafficTotals:
    """Numbers of records. `sent` are those that a stream acknowledged, by entrance and by label.

    `maybe_twice` were put again after a call without an answer: the stream may hold them twice.
    """

    sent: int
    unsent: int
    put_again: int
    maybe_twice: int
    sent_by_entrance: Mapping[Entrance, int]
    sent_by_label: Mapping[str, int]


class Tally:
    """Counts while sending; read from any thread with `totals()`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_entrance: Counter[Entrance] = Counter()
        self._by_label: Counter[str] = Counter()
        self._unsent = self._put_again = self._maybe_twice = 0

    def sent(self, records: Iterable[Record]) -> None:
        taken = [(record.entrance, record.label) for record in records]
        with self._lock:
            self._by_entrance.update(entrance for entrance, _ in taken)
            self._by_label.update(label for _, label in taken)

    def unsent(self, number: int) -> None:
        with self._lock:
            self._unsent += number

    def put_again(self, number: int, *, maybe_twice: bool) -> None:
        with self._lock:
            self._put_again += number
            self._maybe_twice += number if maybe_twice else 0

    def totals(self) -> TrafficTotals:
        with self._lock:
            return TrafficTotals(
                sent=self._by_entrance.total(),
                unsent=self._unsent,
                put_again=self._put_again,
                maybe_twice=self._maybe_twice,
                sent_by_entrance=dict(self._by_entrance),
                sent_by_label=dict(self._by_label),
            )


def send(
    records: Iterable[Record], streams: Mapping[Entrance, Stream], tally: Tally, stop: threading.Event
) -> None:
    """Put each record into its entrance's stream once it is due; returns when all are sent or `stop` is set.

    No record is put early. Raises TrafficError, and sets `stop`, when a stream refuses for good (such as no
    permission, or no such stream).
    """
    started = time.monotonic()
    with _Calls(streams, tally, stop) as calls:
        for record in records:
            while (wait := record.due - (time.monotonic() - started)) > 0 and not stop.is_set():
                calls.flush()
                stop.wait(max(wait, TICK_SECONDS))
            if stop.is_set():
                break
            calls.add(record)
        calls.flush()


class _Calls:
    """Gathers records into calls and makes a bounded number of them at once."""

    def __init__(self, streams: Mapping[Entrance, Stream], tally: Tally, stop: threading.Event) -> None:
        self._streams = streams
        self._tally = tally
        self._stop = stop
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="put-records")
        self._free = threading.BoundedSemaphore(CALLS_AT_ONCE)
        self._gathered: dict[Entrance, list[Record]] = {entrance: [] for entrance in streams}
        self._bytes = dict.fromkeys(streams, 0)
        self._running: list[Future[None]] = []

    def __enter__(self) -> "_Calls":
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self._stop.set()  # so that no call goes on repeating
            self._tally.unsent(sum(map(len, self._gathered.values())))
        self._pool.shutdown(wait=True)
        if error[0] is None:
            self._raise_failures()

    def add(self, record: Record) -> None:
        size = len(record.data) + len(record.partition_key.encode())
        if size > BYTES_PER_RECORD:
            self._tally.unsent(1)
            return
        gathered = self._gathered[record.entrance]
        if len(gathered) == RECORDS_PER_CALL or self._bytes[record.entrance] + size > BYTES_PER_CALL:
            self._flush(record.entrance)
        self._gathered[record.entrance].append(record)
        self._bytes[record.entrance] += size

    def flush(self) -> None:
        for entrance in self._gathered:
            self._flush(entrance)

    def _flush(self, entrance: Entrance) -> None:
        batch = self._gathered[entrance]
        if not batch:
            return
        self._free.acquire()
        self._raise_failures()
        self._gathered[entrance] = []
        self._bytes[entrance] = 0
        call = self._pool.submit(_put_until_taken, self._streams[entrance], batch, self._tally, self._stop)
        call.add_done_callback(lambda _: self._free.release())
        self._running.append(call)

    def _raise_failures(self) -> None:
        done = [call for call in self._running if call.done()]
        self._running = [call for call in self._running if not call.done()]
        for call in done:
            call.result()


def _put_until_taken(stream: Stream, batch: Sequence[Record], tally: Tally, stop: threading.Event) -> None:
    left = list(batch)
    backoff = FIRST_BACKOFF_SECONDS
    while True:
        try:
            refused, surely = _put(stream, left)
        except (BotoCoreError, ClientError) as error:
            tally.unsent(len(left))
            raise TrafficError(
                f"stream {stream.name} refuses records for good: {error}. "
                "Check that the stack that makes the stream is deployed and that the role may call "
                "kinesis:PutRecords on it"
            ) from error
        not_taken = set(map(id, refused))
        tally.sent(record for record in left if id(record) not in not_taken)
        if not refused:
            return
        if stop.is_set():
            tally.unsent(len(refused))
            return
        tally.put_again(len(refused), maybe_twice=not surely)
        stop.wait(random.uniform(backoff / 2, backoff))
        backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        left = refused


def _put(stream: Stream, records: list[Record]) -> tuple[list[Record], bool]:
    """One call: the records it did not take, and False where they may have arrived all the same."""
    entries: list[PutRecordsRequestEntryTypeDef] = [
        {"Data": record.data, "PartitionKey": record.partition_key} for record in records
    ]
    try:
        answer = stream.client.put_records(StreamName=stream.name, Records=entries)
    except (EndpointConnectionError, ConnectTimeoutError):
        return records, True
    except HTTPClientError:
        return records, False
    except ClientError as error:
        if error.response["Error"]["Code"] in _PASSING_ERRORS:
            return records, True
        raise
    results = zip(records, answer["Records"], strict=True)
    return [record for record, result in results if result.get("ErrorCode")], True
