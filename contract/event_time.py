"""The contract's only form of a point in time: ISO-8601, UTC, milliseconds, `Z`."""

import re
from datetime import UTC, datetime

# Newer versions of Python read 24:00 as the next midnight; the application does not.
_FORM = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)


def format_time(at: datetime) -> str:
    """`at`, which has a time zone, as `2026-01-31T09:15:00.123Z`; smaller fractions are cut off."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_time(text: str) -> datetime | None:
    """The time, in UTC, of a text in the contract's form; None for any other form."""
    if not _FORM.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # the 31st of February
        return None
