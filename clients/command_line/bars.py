"""A series of numbers as bars in one line of text."""

from collections.abc import Sequence

_BARS = (
    " \N{LOWER ONE EIGHTH BLOCK}\N{LOWER ONE QUARTER BLOCK}\N{LOWER THREE EIGHTHS BLOCK}\N{LOWER HALF BLOCK}"
)
_BARS += (
    "\N{LOWER FIVE EIGHTHS BLOCK}\N{LOWER THREE QUARTERS BLOCK}\N{LOWER SEVEN EIGHTHS BLOCK}\N{FULL BLOCK}"
)
MAX_BARS = 60
"""Characters of a series; neighbouring steps are added up to fit."""


def drawn(clicks: Sequence[int]) -> str:
    width = -(-len(clicks) // MAX_BARS)
    sums = [sum(clicks[start : start + width]) for start in range(0, len(clicks), width)]
    most = max(sums)
    return "".join(_BARS[-(-number * (len(_BARS) - 1) // most)] if most else _BARS[0] for number in sums)


def is_drawn(value: object) -> bool:
    return isinstance(value, str) and set(value) <= set(_BARS)
