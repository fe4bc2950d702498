"""Destinations of records: Kinesis data streams and Firehose delivery streams.

Both take many records in one request and may refuse some of them. The clients make one attempt: delivery
decides about retries, because only it knows the time left.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import boto3
from botocore.config import Config

from contract.limits import (
    CONNECT_TIMEOUT_SECONDS,
    PUT_RECORD_BATCH,
    PUT_RECORDS,
    READ_TIMEOUT_SECONDS,
    RequestLimits,
)


class UnreadableAnswerError(Exception):
    """An answer that was cut off or garbled: nobody knows which records were taken."""


class Outgoing(NamedTuple):
    """One line to deliver; `position`: of its record in the event's batch."""

    position: int
    partition_key: str
    line: bytes


class Destination(Protocol):
    @property
    def limits(self) -> RequestLimits: ...

    def size(self, record: Outgoing) -> int: ...

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        """One request. Returns each record's error code, None if it was taken.

        Raises UnreadableAnswerError, botocore's errors, and anything else if botocore cannot read the answer.
        """


class DataStream:
    """Kinesis data stream."""

    limits = PUT_RECORDS

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
    """Firehose delivery stream."""

    limits = PUT_RECORD_BATCH

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
    """taken_has: the field that only the entry of a taken record has."""
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
    """The destination with this ARN, in its region, keeping `connections` open between requests."""
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
