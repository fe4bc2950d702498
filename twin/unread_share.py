"""How much of the source stream no decoder could read, where Flink's file connector reads it: that connector
gives a decoder no metrics, so the transport counts as connectors/.../json/ReadMetrics.java does."""

import json
import time
from collections.abc import Callable

MINUTE_SECONDS = 60.0
MIN_BYTES = 30_000
"""In less, a few would make a large share (ReadMetrics.java)."""


class UnreadShare:
    """Of the bytes in the last full minute. clock: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._read = self._unread = 0
        self._percent = 0.0

    def add(self, lines: bytes) -> None:
        for line in lines.splitlines():
            self._read += len(line)
            self._unread += 0 if _is_object(line) else len(line)

    def percent(self) -> float:
        if self._clock() - self._began >= MINUTE_SECONDS:
            self._percent = 0.0 if self._read < MIN_BYTES else 100 * self._unread / self._read
            self._began, self._read, self._unread = self._clock(), 0, 0
        return self._percent


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
