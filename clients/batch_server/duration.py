"""Durations as people write them on a command line: 90s, 10m, 2h, 1d."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# Seven digits hold 115 days in seconds and keep every value inside what a timedelta and a datetime can hold.
_FORM = re.compile(r"([1-9]\d{0,6})([smhd])", re.ASCII)
MAX_DURATION = timedelta(days=366)


def duration_text(duration: timedelta) -> str:
    """Ten minutes as `10m`: in the largest unit of which it is a whole number, seconds at the smallest."""
    for unit in ("d", "h", "m"):
        number, rest = divmod(duration, timedelta(**{_UNITS[unit]: 1}))
        if not rest:
            return f"{number}{unit}"
    return f"{duration // timedelta(seconds=1)}s"


def parse_duration(text: str) -> timedelta:
    """`10m` as a timedelta. Raises ValueError, saying what to write instead, for any other form."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a duration: write a whole number above zero and a unit, "
            "s, m, h or d, for example 90s, 10m, 2h or 1d"
        )
    number, unit = match.groups()
    duration = timedelta(**{_UNITS[unit]: int(number)})
    if duration > MAX_DURATION:
        raise ValueError(
            f"{text!r} is longer than {MAX_DURATION.days} days: write {MAX_DURATION.days}d or less"
        )
    return duration
