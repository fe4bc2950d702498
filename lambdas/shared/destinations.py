"""Destinations of records: Kinesis data streams and Firehose delivery streams.

Both take many records in one request and may refuse some of them. The clients make one attempt: delivery
decides about retries, because only it knows the time left.
"""

import random
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
    """A record to deliver. position: in the batch, of the first record of which a line is in it."""

    position: int
    lines: int
    data: bytes


class Destination(Protocol):
    @property
    def limits(self) -> RequestLimits: ...

    @property
    def key_bytes(self) -> int:
        """Of each record's partition key."""

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        """One request. Returns each record's error code, None if it was taken.

        Raises UnreadableAnswerError, botocore's errors, and anything else if botocore cannot read the answer.
        """


class DataStream:
    """Kinesis data stream."""

    limits = PUT_RECORDS
    key_bytes = 16

    def __init__(self, arn: str, client: Any) -> None:
        self._arn = arn
        self._client = client

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        response = self._client.put_records(
            StreamARN=self._arn,
            # Random, so that the next attempt for a record of a throttled shard goes to another one.
            Records=[
                {"Data": record.data, "PartitionKey": f"{random.getrandbits(64):016x}"} for record in records
            ],
        )
        return _error_codes(response.get("Records"), len(records), taken_has="SequenceNumber")


class DeliveryStream:
    """Firehose delivery stream."""

    limits = PUT_RECORD_BATCH
    key_bytes = 0

    def __init__(self, arn: str, client: Any) -> None:
        self._name = arn.rpartition("/")[2]
        self._client = client

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        response = self._client.put_record_batch(
            DeliveryStreamName=self._name, Records=[{"Data": record.data} for record in records]
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
