"""One record on its way into a stream, and the contract's form of a time."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

LONGEST_PARTITION_KEY = 256  # characters: a limit of Kinesis


class Entrance(StrEnum):
    """Where a click enters: the mobile stream in Tokyo, or (from web servers) the source stream in Oregon."""

    MOBILE = "mobile"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Record:
    """`data` ends with a newline; `due`: seconds after the start of sending; `label`: what it is."""

    data: bytes
    partition_key: str
    entrance: Entrance
    due: float
    label: str


def partition_key(user_id: object, data: bytes) -> str:
    """The user's id, so that a reader's clicks share a shard; else a digest of the record."""
    if isinstance(user_id, str) and 1 <= len(user_id) <= LONGEST_PARTITION_KEY and user_id.isprintable():
        return user_id
    return hashlib.sha256(data).hexdigest()


def contract_time(moment: datetime) -> str:
    """ISO-8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
