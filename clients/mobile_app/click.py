"""A click as a line for the mobile stream, in the form that docs/reference/contracts.md promises."""

import hashlib
import json
import uuid
from datetime import datetime

from contract.click import MAX_ID_BYTES
from contract.event_time import format_time

MAX_PARTITION_KEY_CHARACTERS = 256
"""https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecordsRequestEntry.html"""


def new_click_id() -> str:
    return uuid.uuid4().hex


def click_line(
    *,
    click_id: str,
    clicked_at: datetime,
    user_id: str,
    article_id: str,
    platform: str | None = None,
    position: int | None = None,
) -> bytes:
    """One JSON object and a newline. Raises ValueError for a click that the system would reject.

    clicked_at: with a time zone.
    """
    ids = {"click_id": click_id, "user_id": user_id, "article_id": article_id}
    for field, value in ids.items():
        if not 1 <= len(value.encode()) <= MAX_ID_BYTES:
            raise ValueError(f"{field} has {len(value.encode())} bytes: give 1 to {MAX_ID_BYTES}")
    if clicked_at.tzinfo is None:
        raise ValueError("clicked_at has no time zone: give one, such as datetime.now(UTC)")
    optional = {"platform": platform, "position": position}
    click = {
        **ids,
        "clicked_at": format_time(clicked_at),
        **{field: value for field, value in optional.items() if value is not None},
    }
    return json.dumps(click, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def partition_key(user_id: object, data: bytes) -> str:
    """The user's id, so that readers spread over the shards; else a digest of the line."""
    if (
        isinstance(user_id, str)
        and 1 <= len(user_id) <= MAX_PARTITION_KEY_CHARACTERS
        and user_id.isprintable()
    ):
        return user_id
    return hashlib.sha256(data).hexdigest()
