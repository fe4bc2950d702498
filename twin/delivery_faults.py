"""Faults of Firehose that a kinder emulator would not show: repeated and reordered deliveries.

Firehose delivers at least once and promises no order to OpenSearch
(https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html, "Duplicated records").
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Deliver = Callable[[Sequence[bytes]], None]


@dataclass(frozen=True, kw_only=True)
class DeliveryFaults:
    """repeated: share of deliveries made twice; delayed: share of which a part arrives after later ones.
    seed: gives the same faults in each run. conflicts_retried: retry version conflicts (409) for the retry
    duration, because no page says that Firehose does not."""

    repeated: float = 0.1
    delayed: float = 0.2
    seed: int = 8
    conflicts_retried: bool = False

    def __post_init__(self) -> None:
        for name, share in (("repeated", self.repeated), ("delayed", self.delayed)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be a share of the deliveries, from 0 to 1, not {share}")


@dataclass
class _Held:
    due: float
    records: Sequence[bytes]


class FaultyDelivery:
    """Stands between a delivery stream's buffer and its destination.

    deliver: the destination's function; delay_seconds: how long a part is held back.
    """

    def __init__(self, deliver: Deliver, faults: DeliveryFaults, *, delay_seconds: float) -> None:
        self._deliver = deliver
        self.faults = faults
        self._delay_seconds = delay_seconds
        self._rng = random.Random(faults.seed)
        self._held: list[_Held] = []

    def deliver(self, records: Sequence[bytes], now: float) -> None:
        """Deliver the records now or later, and some of them twice. now: a value of time.monotonic()."""
        due = now + self._delay_seconds
        delayed: Sequence[bytes] = []
        if self._rng.random() < self.faults.delayed:
            cut = self._rng.randrange(1, len(records) + 1)
            delayed, records = records[:cut], records[cut:]
        for part in (delayed, records):
            if part and self._rng.random() < self.faults.repeated:
                self._held.append(_Held(due, part))
        if delayed:
            self._held.append(_Held(due, delayed))
        if records:
            self._deliver(records)

    def deliver_held(self, now: float) -> None:
        """Deliver what has been held long enough, newest first."""
        due = [held for held in self._held if held.due <= now]
        while due:
            held = due.pop()
            self._deliver(held.records)
            self._held.remove(held)

    def deliver_all_held(self) -> None:
        self.deliver_held(float("inf"))
