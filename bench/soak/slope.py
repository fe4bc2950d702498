"""The slope of a series by Theil and Sen: the median of the slopes of all pairs of points.

Half of the points may be wild, as samples in a drill are, and no distribution is assumed. Sen's interval
(P. K. Sen, 1968, https://doi.org/10.1080/01621459.1968.10480934) takes points for independent of each other.
Samples of memory that follow each other are not, so points are whole blocks of time.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

CONFIDENCE = 0.95
BLOCKS = 12
MIN_BLOCKS = 8
"""With fewer the interval would span nearly all pairs."""
MIN_SHARE_OF_A_BLOCK = 0.5
"""Of its samples; a block with fewer is a gap."""
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Slope:
    """Per unit of x. low, high: the interval at CONFIDENCE."""

    middle: float
    low: float
    high: float


def blocks(points: Sequence[tuple[float, float | None]], *, lowest: bool) -> list[Point]:
    """The points that stand for BLOCKS equal numbers of samples, without those that are gaps.

    points: samples in order, None where nothing was seen. lowest: the smallest value of a block instead of
    its median, for what rises until it is tidied up, as a heap does.
    """
    found = []
    for number in range(BLOCKS):
        begin, end = (len(points) * edge // BLOCKS for edge in (number, number + 1))
        seen = [(x, y) for x, y in points[begin:end] if y is not None]
        if seen and len(seen) >= MIN_SHARE_OF_A_BLOCK * (end - begin):
            values = [y for _, y in seen]
            found.append((median(x for x, _ in seen), min(values) if lowest else median(values)))
    return found


def slope(points: Sequence[Point]) -> Slope | None:
    """None for fewer than MIN_BLOCKS points, or where x does not move."""
    if len(points) < MIN_BLOCKS:
        return None
    pairs = sorted(
        (after[1] - before[1]) / (after[0] - before[0])
        for before, after in itertools.combinations(points, 2)
        if after[0] != before[0]
    )
    number = len(points)
    if len(pairs) < number * (number - 1) // 2:
        return None
    deviation = math.sqrt(number * (number - 1) * (2 * number + 5) / 18)
    spread = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * deviation
    lowest = max(0, math.floor((len(pairs) - spread) / 2))
    return Slope(middle=median(pairs), low=pairs[lowest], high=pairs[len(pairs) - 1 - lowest])
