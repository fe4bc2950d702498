"""A click on its way into a stream, where it shares a record with others."""

from dataclasses import dataclass
from enum import StrEnum


class EntryPoint(StrEnum):
    """Where a click enters: the mobile stream in Tokyo, or (from web servers) the source stream in Oregon."""

    MOBILE = "mobile"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Record:
    """`data` ends with a newline; `due`: seconds after the start of sending; `label`: its kind; `clicks`:
    what the contract counts in it, 1 but for a line of several."""

    data: bytes
    partition_key: str
    entry_point: EntryPoint
    due: float
    label: str
    clicks: int = 1
