"""A number that is known as a low and a high: what is added and multiplied stays both."""

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Range:
    """0 <= low <= high; ValueError otherwise."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high and isfinite(self.high)):
            raise ValueError(f"{self.low} to {self.high} is no range: low and high must be 0 <= low <= high")

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: "Range | float") -> "Range":
        other = factor if isinstance(factor, Range) else exactly(factor)
        return Range(self.low * other.low, self.high * other.high)

    __rmul__ = __mul__

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


NOTHING = Range(0, 0)


def exactly(number: float) -> Range:
    return Range(number, number)


def total(ranges: "list[Range]") -> Range:
    return sum(ranges, start=NOTHING)
