"""Invalid clicks, kept with their reason and original bytes: one object of NDJSON per batch."""

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from contract.event_time import format_time
from lambdas.forwarder.kinesis_event import ReceivedRecord


class DeadLetter(NamedTuple):
    """An invalid click, the unread rest of a line, or a whole record.

    place: index of the unit in the record, None for a whole one; tag: None if it could not be read.
    """

    record: ReceivedRecord
    place: int | None
    reason: str
    tag: str | None
    data: bytes


class DeadLetters:
    """Writes dead letters to S3."""

    def __init__(self, bucket: str, prefix: str, region: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._client: Any = boto3.client(
            "s3",
            region_name=region,
            config=Config(
                connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
            ),
        )

    def write(self, letters: Sequence[DeadLetter], *, batch: Sequence[ReceivedRecord]) -> None:
        """Write the batch's letters as one object, replacing the one of an earlier attempt at this batch.

        Raises botocore's errors.
        """
        self._client.put_object(
            Bucket=self._bucket,
            Key=object_key(self._prefix, batch),
            Body=body(letters),
            ContentType="application/x-ndjson",
        )


def object_key(prefix: str, batch: Sequence[ReceivedRecord]) -> str:
    """Depends only on the batch's first record, so a retried batch overwrites its own object.

    Example: rejected-records/2026/01/31/shardId-000000000000-4959...898.ndjson (the UTC day of arrival).
    """
    first = batch[0]
    day = datetime.fromtimestamp(first.arrived_at, UTC)
    return f"{prefix}{day:%Y/%m/%d}/{first.shard}-{first.sequence_number}.ndjson"


def body(letters: Iterable[DeadLetter]) -> bytes:
    """Of an object with these letters: a line each."""
    return b"".join(map(_line, letters))


def _line(letter: DeadLetter) -> bytes:
    record = letter.record
    fields = {
        "reason": letter.reason,
        "tag": letter.tag,
        "data": base64.b64encode(letter.data).decode(),
        "partition_key": record.partition_key,
        "sequence_number": record.sequence_number,
        "shard": record.shard,
        "place": letter.place,
        "arrived_at": format_time(datetime.fromtimestamp(record.arrived_at, UTC)),
    }
    return (json.dumps(fields) + "\n").encode()
