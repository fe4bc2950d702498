"""A record on its way into a stream."""

from dataclasses import dataclass
from enum import StrEnum


class EntryPoint(StrEnum):
    """Where a click enters: the mobile stream in Tokyo, or (from web servers) the source stream in Oregon."""

    MOBILE = "mobile"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Record:
    """`data` ends with a newline; `due`: seconds after the start of sending; `label`: its kind."""

    data: bytes
    partition_key: str
    entry_point: EntryPoint
    due: float
    label: str
