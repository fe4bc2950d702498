"""The event of Lambda's Kinesis event source mapping: a batch of one shard's records."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple


class ReceivedRecord(NamedTuple):
    """A record of the mobile stream. Its sequence number is decimal and longer than 64 bits."""

    shard: str
    sequence_number: str
    partition_key: str
    arrived_at: float
    """Epoch seconds at which the mobile stream took it."""
    data: bytes


def read_event(event: Mapping[str, Any]) -> list[ReceivedRecord]:
    """The batch's records by sequence number, lowest first."""
    return [
        ReceivedRecord(
            entry["eventID"].partition(":")[0],
            entry["kinesis"]["sequenceNumber"],
            entry["kinesis"]["partitionKey"],
            entry["kinesis"]["approximateArrivalTimestamp"],
            base64.b64decode(entry["kinesis"]["data"]),
        )
        for entry in event["Records"]
    ]


def batch_response(repeat_from: ReceivedRecord | None) -> dict[str, list[dict[str, str]]]:
    """The answer to Lambda, which retries this record and all after it; None completes the batch.

    Lambda retries from the lowest sequence number named, so naming more would change nothing.
    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    return {"batchItemFailures": [{"itemIdentifier": repeat_from.sequence_number}] if repeat_from else []}
