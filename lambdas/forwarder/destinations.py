"""Where records can go: a Kinesis data stream or a Firehose delivery stream, with their limits per request.

Both take many records in one request and may refuse only some of them. The clients make one attempt each: the
delivery decides about repetitions, as only it knows the time that is left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import boto3
from botocore.config import Config

MIB = 1024 * 1024

CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 5


class UnreadableAnswerError(Exception):
    """An answer that was cut off or garbled on its way: nobody knows which records were taken."""


class Outgoing(NamedTuple):
    """One line to deliver; `position` is that of its record in the batch of the event."""

    position: int
    partition_key: str
    line: bytes


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """How much a request may hold. Sizes in bytes; a record's includes its partition key, if it has one."""

    records: int
    request_bytes: int
    record_bytes: int


class Destination(Protocol):
    @property
    def limits(self) -> RequestLimits: ...

    def size(self, record: Outgoing) -> int: ...

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        """One request: for each record the code of its error, None where it was taken.

        Raises UnreadableAnswerError, botocore's errors, and anything at all where botocore cannot read the
        answer.
        """


class DataStream:
    """Kinesis data stream.

    PutRecords itself takes 10 MiB since 2025, but a stream takes records over 1 MiB only if it was told to,
    and 5 MiB is what emulators take as well; 500 clicks of 300 bytes are far from both.
    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
    https://docs.aws.amazon.com/streams/latest/dev/large-records.html
    """

    limits = RequestLimits(records=500, request_bytes=5 * MIB, record_bytes=1 * MIB)

    def __init__(self, arn: str, client: Any) -> None:
        self._arn = arn
        self._client = client

    def size(self, record: Outgoing) -> int:
        return len(record.line) + len(record.partition_key.encode())

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        response = self._client.put_records(
            StreamARN=self._arn,
            Records=[{"Data": record.line, "PartitionKey": record.partition_key} for record in records],
        )
        return _error_codes(response.get("Records"), len(records), taken_has="SequenceNumber")


class DeliveryStream:
    """Firehose delivery stream. https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html"""

    limits = RequestLimits(records=500, request_bytes=4 * MIB, record_bytes=1000 * 1024)

    def __init__(self, arn: str, client: Any) -> None:
        self._name = arn.rpartition("/")[2]
        self._client = client

    def size(self, record: Outgoing) -> int:
        return len(record.line)

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        response = self._client.put_record_batch(
            DeliveryStreamName=self._name, Records=[{"Data": record.line} for record in records]
        )
        return _error_codes(response.get("RequestResponses"), len(records), taken_has="RecordId")


def _error_codes(
    entries: Sequence[Mapping[str, Any] | None] | None, expected: int, *, taken_has: str
) -> list[str | None]:
    """taken_has: what an entry holds whose record was taken."""
    if entries is None or len(entries) != expected:
        raise UnreadableAnswerError(
            f"expected {expected} entries, got {'none' if entries is None else len(entries)}"
        )
    codes: list[str | None] = []
    for entry in entries:
        code = None if entry is None else entry.get("ErrorCode")
        if not code and (entry is None or not entry.get(taken_has)):
            raise UnreadableAnswerError(f"an entry has neither ErrorCode nor {taken_has}")
        codes.append(str(code) if code else None)
    return codes


_KINDS: Mapping[str, Callable[[str, Any], Destination]] = {"kinesis": DataStream, "firehose": DeliveryStream}


def connect(arn: str, *, connections: int) -> Destination:
    """A destination by its ARN, in the ARN's region, with `connections` kept open between requests."""
    _, _, service, region, *_ = arn.split(":")
    client = boto3.client(
        service,  # type: ignore[call-overload]  # one of _KINDS
        region_name=region,
        config=Config(
            max_pool_connections=connections,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 1},
            tcp_keepalive=True,
        ),
    )
    return _KINDS[service](arn, client)
