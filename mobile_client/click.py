"""A click as a record of the mobile stream, in the form that docs/contracts.md promises."""

import hashlib
import json
import uuid
from datetime import UTC, datetime

LONGEST_ID_BYTES = 512
LONGEST_PARTITION_KEY = 256  # characters: a limit of Kinesis


def new_click_id() -> str:
    return uuid.uuid4().hex


def click_record(
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
        if not 1 <= len(value.encode()) <= LONGEST_ID_BYTES:
            raise ValueError(f"{field} has {len(value.encode())} bytes: give 1 to {LONGEST_ID_BYTES}")
    if clicked_at.tzinfo is None:
        raise ValueError("clicked_at has no time zone: give one, such as datetime.now(UTC)")
    optional = {"platform": platform, "position": position}
    click = {
        **ids,
        "clicked_at": contract_time(clicked_at),
        **{field: value for field, value in optional.items() if value is not None},
    }
    return json.dumps(click, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def contract_time(moment: datetime) -> str:
    """ISO-8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def partition_key(user_id: object, data: bytes) -> str:
    """The user's id, so that a reader's clicks share a shard; else a digest of the record."""
    if isinstance(user_id, str) and 1 <= len(user_id) <= LONGEST_PARTITION_KEY and user_id.isprintable():
        return user_id
    return hashlib.sha256(data).hexdigest()
