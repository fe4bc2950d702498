"""Puts counts into a delivery stream, at a pace at which every hop has room for them beside the live counts.

The largest count of a key wins, so counts may be put twice, and beside the application.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from contract.limits import PUT_RECORD_BATCH

ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.2


class NotTakenError(Exception):
    """Firehose kept refusing counts; the message says how many were put before."""


class Putting:
    """Into one delivery stream. per_second: counts; client: of Firehose."""

    def __init__(
        self,
        client: Any,
        delivery_stream: str,
        *,
        per_second: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._delivery_stream = delivery_stream
        self._per_second = per_second
        self._sleep = sleep
        self._clock = clock
        self._began = clock()
        self.put = 0
        """Counts that were taken."""

    def put_lines(self, lines: Iterable[bytes]) -> int:
        """lines: counts, each with its end. Returns how many. Raises NotTakenError."""
        before = self.put
        for batch in batches(lines):
            self._put(batch)
            self.put += len(batch)
            self._sleep(max(0.0, self._began + self.put / self._per_second - self._clock()))
        return self.put - before

    def _put(self, batch: list[bytes]) -> None:
        left = batch
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(FIRST_PAUSE_SECONDS * 2**attempt)
            left = self._refused(left)
            if not left:
                return
        raise NotTakenError(
            f"{self._delivery_stream} refused {len(left):,} counts {ATTEMPTS} times; {self.put:,} were put "
            "before. Look at its ThrottledRecords, then run this again: repeated counts do no harm"
        )

    def _refused(self, lines: list[bytes]) -> list[bytes]:
        answer = self._client.put_record_batch(
            DeliveryStreamName=self._delivery_stream, Records=[{"Data": line} for line in lines]
        )
        return [
            line
            for line, response in zip(lines, answer["RequestResponses"], strict=True)
            if response.get("ErrorCode")
        ]


def batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Within the limits of a request."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        full = len(batch) == PUT_RECORD_BATCH.records or size + len(line) > PUT_RECORD_BATCH.request_bytes
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch
