"""What is billed of records: each is rounded up, so it matters how many clicks wait when one is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, lgamma, log, sqrt

from operations.cost.range import Range


@dataclass(frozen=True, kw_only=True)
class Packs:
    """Records of one kind of sender.

    items_per_second: clicks, or what else is in these records; waiting: mean number of them when a record is
    begun to be written, at least 1; record_bytes: a record has no more, unless one item does.
    """

    items_per_second: float
    item_bytes: int
    waiting: float = 1.0
    record_bytes: int = 0

    @property
    def bytes_per_second(self) -> float:
        return self.items_per_second * self.item_bytes

    @property
    def records_per_second(self) -> float:
        """A record is as many items as fit in it, begun or full."""
        return self._rounded_per_second(1, self._most) / self._most

    def billed_per_second(self, step: int) -> float:
        """Bytes, if each record is rounded up to a multiple of `step`."""
        return self._rounded_per_second(self.item_bytes, step)

    @property
    def _most(self) -> int:
        return max(1, self.record_bytes // self.item_bytes)

    def _rounded_per_second(self, item_size: int, step: int) -> float:
        waiting = round(self.waiting, 6)
        return self.items_per_second / waiting * _billed(waiting, item_size, self._most, step)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What flows at the low and at the high end of the estimate."""

    low: tuple[Packs, ...]
    high: tuple[Packs, ...]

    @property
    def bytes_per_second(self) -> Range:
        return _between(
            sum(packs.bytes_per_second for packs in self.low),
            sum(packs.bytes_per_second for packs in self.high),
        )

    @property
    def records_per_second(self) -> Range:
        return _between(
            sum(packs.records_per_second for packs in self.low),
            sum(packs.records_per_second for packs in self.high),
        )

    def billed_per_second(self, step: int) -> Range:
        return _between(
            sum(packs.billed_per_second(step) for packs in self.low),
            sum(packs.billed_per_second(step) for packs in self.high),
        )


def single(items: Range, item_bytes: int) -> Flow:
    """Records of one item each."""
    low, high = (
        Packs(items_per_second=per_second, item_bytes=item_bytes) for per_second in (items.low, items.high)
    )
    return Flow(low=(low,), high=(high,))


@lru_cache(maxsize=10_000)
def _billed(waiting: float, item_size: int, most: int, step: int) -> float:
    """Mean size billed for what waits: one item, and others that come at random (Poisson)."""
    return sum(
        probability
        * (number // most * _rounded(most * item_size, step) + _rounded(number % most * item_size, step))
        for number, probability in _numbers(waiting)
    )


def _numbers(waiting: float) -> Iterator[tuple[int, float]]:
    """(items, probability), without what is less likely than one in 10^12."""
    others = waiting - 1
    if others <= 0:
        yield 1, 1.0
        return
    width = 8 * sqrt(others) + 20
    for number in range(max(0, int(others - width)), int(others + width)):
        yield number + 1, exp(number * log(others) - others - lgamma(number + 1))


def _rounded(size: int, step: int) -> int:
    return ceil(size / step) * step


def _between(one: float, other: float) -> Range:
    return Range(min(one, other), max(one, other))
