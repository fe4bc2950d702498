"""Records and events of Lambda's Kinesis event source mapping."""

import base64
import json
from collections.abc import Sequence
from typing import Any

SHARD = "shardId-000000000007"
FIRST_SEQUENCE_NUMBER = 49590338271490256608559692538361571095921575989136588898
ARRIVED_AT = 1767225600.123  # 2026-01-01T00:00:00.123Z


def click(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A click in the contract's form; a change to None removes the field."""
    fields = {
        "click_id": f"click-{number}",
        "clicked_at": "2026-01-31T12:34:56.789Z",
        "user_id": f"user-{number % 100}",
        "article_id": "記事-1",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def as_bytes(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def clicks(count: int, *, line_bytes: int = 0) -> list[bytes]:
    """Lines; longer ones of so many bytes each."""
    lines = [as_bytes(click(number)) for number in range(count)]
    return [line[:-2] + b" " * (line_bytes - len(line)) + b"}\n" for line in lines]


def packed(lines: Sequence[bytes], clicks_per_record: int) -> list[bytes]:
    """The lines in records of so many."""
    return [
        b"".join(lines[first : first + clicks_per_record])
        for first in range(0, len(lines), clicks_per_record)
    ]


def sequence_number(position: int) -> str:
    return str(FIRST_SEQUENCE_NUMBER + position)


def event(records: Sequence[bytes], *, first: int = 0) -> dict[str, Any]:
    """A batch of one shard; `first` is the position of its first record in the shard."""
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": f"user-{position}",
                    "sequenceNumber": sequence_number(position),
                    "data": base64.b64encode(data).decode(),
                    "approximateArrivalTimestamp": ARRIVED_AT,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{SHARD}:{sequence_number(position)}",
                "eventName": "aws:kinesis:record",
                "awsRegion": "ap-northeast-1",
                "eventSourceARN": "arn:aws:kinesis:ap-northeast-1:000000000000:stream/mobile",
            }
            for position, data in enumerate(records, start=first)
        ]
    }
