"""Convert common time formats to the click contract's: ISO-8601, UTC, milliseconds, Z."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from contract.event_time import format_time, parse_time

# Epoch numbers below this are seconds (until the year 5138), others milliseconds (since March 1973).
FIRST_EPOCH_MILLISECONDS = 10**11
# From here on they may be microseconds or nonsense: refused rather than guessed.
FIRST_EPOCH_REFUSED = 10**14

# Java omits zero seconds, Python whatever its caller omits, and both write an offset's seconds if it has any.
# A zone's name in brackets (RFC 9557) adds nothing to the offset.
_ISO_8601 = re.compile(
    r"(\d{4})(?P<dash>-?)(\d\d)(?P=dash)(\d\d)"
    r"[Tt ](\d\d)(?:(?P<colon>:?)(\d\d)(?:(?P=colon)(\d\d)(?:[.,](?P<fraction>\d{1,12}))?)?)?"
    r" ?(?:[Zz]|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>[0-5]\d)(?::?(?P<seconds>[0-5]\d))?)?)"
    r"(?:\[[A-Za-z0-9_+/:-]{1,64}\])?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d{1,16}(?:\.\d{1,12})?", re.ASCII)


def to_contract_time(value: object) -> str:
    """`value` in the contract's form. Digits beyond milliseconds are cut: no click moves to a later minute.

    Accepted: ISO-8601 with Z or an offset, epoch seconds or milliseconds as a number or text.
    Raises ValueError for anything else, such as a time without an offset, which is ambiguous.
    """
    if isinstance(value, str):
        if parse_time(value) is not None:
            return value
        text = value.strip()
        iso = _ISO_8601.fullmatch(text)
        if iso:
            return _from_iso(iso)
        if _NUMBER.fullmatch(text):
            return _from_epoch(Decimal(text))
    elif isinstance(value, int) and 0 <= value < FIRST_EPOCH_REFUSED and not isinstance(value, bool):
        return _from_milliseconds(value if value >= FIRST_EPOCH_MILLISECONDS else value * 1000)
    elif isinstance(value, float):
        return _from_epoch(Decimal(str(value)))
    raise ValueError("not a known time format")


def _from_iso(match: re.Match[str]) -> str:
    year, month, day, hour, minute, second = (int(match[group] or 0) for group in (1, 3, 4, 5, 7, 8))
    microsecond = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    offset = timedelta(
        hours=int(match["hours"] or 0),
        minutes=int(match["minutes"] or 0),
        seconds=int(match["seconds"] or 0),
    )
    zone = timezone(-offset if match["sign"] == "-" else offset)
    try:
        return format_time(datetime(year, month, day, hour, minute, second, microsecond, zone))
    except OverflowError as error:  # the offset moves year 1 or 9999 out of range
        raise ValueError(str(error)) from error


def _from_epoch(number: Decimal) -> str:
    if not number.is_finite() or not 0 <= number < FIRST_EPOCH_REFUSED:
        raise ValueError("neither epoch seconds nor epoch milliseconds")
    return _from_milliseconds(int(number if number >= FIRST_EPOCH_MILLISECONDS else number * 1000))


def _from_milliseconds(epoch: int) -> str:
    seconds, milliseconds = divmod(epoch, 1000)
    return f"{_second(seconds)}.{milliseconds:03}Z"


@lru_cache(maxsize=1024)
def _second(epoch: int) -> str:
    """Many clicks of a batch happened in the same one."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=epoch)).strftime("%Y-%m-%dT%H:%M:%S")
