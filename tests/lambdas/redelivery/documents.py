"""Failed documents as Firehose writes them: developer guide, "Handle data delivery failures"."""

import base64
import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from contract.sink import CLICK_COUNTS
from names import delivery_index

INDEX = delivery_index(CLICK_COUNTS.index_family)
PUBLISHED_AT = 1_767_225_600.0
PUBLISHED_TEXT = datetime.fromtimestamp(PUBLISHED_AT, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def count(clicks: int, *, article: str = "記事", published_at: str | None = None) -> dict[str, Any]:
    return {
        "minute": "2026-01-01T00:00:00.000Z",
        "article_id": article,
        "gender": "female",
        "age_band": "20s",
        "region": "tokyo",
        "clicks": clicks,
        "published_at": published_at or PUBLISHED_TEXT,
    }


def as_record(count: dict[str, Any]) -> bytes:
    """As the application's sink puts it into Firehose, without a line break."""
    return json.dumps(count, ensure_ascii=False).encode()


def failed(
    record: bytes, *, code: str = "503", age: float = 60.0, message: str = "unavailable", **changes: Any
) -> dict[str, Any]:
    """age: at Firehose's last attempt, in seconds, of a count published at PUBLISHED_AT."""
    ended = int((PUBLISHED_AT + age) * 1000)
    return {
        "attemptsMade": 8,
        "arrivalTimestamp": ended - 60_000,
        "errorCode": code,
        "errorMessage": message,
        "attemptEndingTimestamp": ended,
        "esDocumentId": None,
        "esIndexName": INDEX,
        "esTypeName": None,
        "rawData": base64.b64encode(record).decode(),
        **changes,
    }


def as_object(documents: Iterable[dict[str, Any] | bytes]) -> bytes:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents]
    return gzip.compress(b"".join(line + b"\n" for line in lines))


def records(number: int, *, article: str = "a") -> list[bytes]:
    return [as_record(count(clicks, article=article)) for clicks in range(1, number + 1)]
