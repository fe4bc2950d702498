"""Text for people: ids and segment values from readers as a terminal may show them, and ages."""

import math
from datetime import timedelta


def printable(text: str) -> str:
    """Readers send ids, so they can hold control characters; each is shown as a replacement character."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def length_text(span: timedelta) -> str:
    """10 seconds, minute, 5 minutes, hour; the board's page does the same (board/page/text.js)."""
    for unit in ("day", "hour", "minute"):
        amount, rest = divmod(span, timedelta(**{f"{unit}s": 1}))
        if amount and not rest:
            return unit if amount == 1 else f"{amount} {unit}s"
    return f"{span // timedelta(seconds=1)} seconds"


def age_text(age: timedelta) -> str:
    """4 s, 3 min, 2 h 5 min, 3 days; below zero 0 s. The board's page does the same (board/page/text.js)."""
    seconds = max(math.floor(age.total_seconds() + 0.5), 0)
    if seconds < 100:
        return f"{seconds} s"
    minutes = (seconds + 30) // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"
