"""Puts records into streams at their pace, several calls at once, and accounts for every one of them.

Mobile apps put into the mobile stream in Tokyo, web servers (fluentd) into the source stream in Oregon;
each with the client, and so the credentials, that it is given. Whatever a call did not take is put again
until it is taken; what is left when `stop` is set is counted as unsent.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from botocore.config import Config

from mobile_client.delivery import (
    BYTES_PER_RECORD,
    CLIENT_CONFIG,
    Outcome,
    RefusedError,
    Stream,
    fits,
    pause_seconds,
    put_until_taken,
    size_of,
)
from traffic.record import Entrance, Record

CALLS_AT_ONCE = 4
TICK_SECONDS = 0.1  # records that fall due within a tick share calls
LONGEST_PAUSE_SECONDS = 5.0
TRAFFIC_CLIENT_CONFIG = CLIENT_CONFIG.merge(Config(max_pool_connections=CALLS_AT_ONCE))


class TrafficError(Exception):
    """Records that a stream will never take; the message says which stream and why."""


@dataclass(frozen=True)
class TrafficTotals:
    """Numbers of records. `sent` are those that a stream acknowledged, by entrance and by label.

    `maybe_twice` were put again after a call without an answer: the stream may hold them twice.
    """

    sent: int
    unsent: int
    put_again: int
    maybe_twice: int
    sent_by_entrance: Mapping[Entrance, int]
    sent_by_label: Mapping[str, int]


class Tally:
    """Counts while sending; read from any thread with `totals()`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_entrance: Counter[Entrance] = Counter()
        self._by_label: Counter[str] = Counter()
        self._unsent = self._put_again = self._maybe_twice = 0

    def note(self, outcome: Outcome[Record]) -> None:
        """What one call came to."""
        with self._lock:
            self._by_entrance.update(record.entrance for record in outcome.taken)
            self._by_label.update(record.label for record in outcome.taken)
            if outcome.again:
                self._put_again += len(outcome.left)
                self._maybe_twice += 0 if outcome.answered else len(outcome.left)
            else:
                self._unsent += len(outcome.left)

    def unsent(self, number: int) -> None:
        with self._lock:
            self._unsent += number

    def totals(self) -> TrafficTotals:
        with self._lock:
            return TrafficTotals(
                sent=self._by_entrance.total(),
                unsent=self._unsent,
                put_again=self._put_again,
                maybe_twice=self._maybe_twice,
                sent_by_entrance=dict(self._by_entrance),
                sent_by_label=dict(self._by_label),
            )


def send(
    records: Iterable[Record], streams: Mapping[Entrance, Stream], tally: Tally, stop: threading.Event
) -> None:
    """Put each record into its entrance's stream once it is due; returns when all are sent or `stop` is set.

    No record is put early. Raises TrafficError, and sets `stop`, when a stream refuses for good (such as no
    permission, or no such stream).
    """
    started = time.monotonic()
    with _Calls(streams, tally, stop) as calls:
        for record in records:
            while (wait := record.due - (time.monotonic() - started)) > 0 and not stop.is_set():
                calls.flush()
                stop.wait(max(wait, TICK_SECONDS))
            if stop.is_set():
                break
            calls.add(record)
        calls.flush()


class _Calls:
    """Gathers records into calls and makes a bounded number of them at once."""

    def __init__(self, streams: Mapping[Entrance, Stream], tally: Tally, stop: threading.Event) -> None:
        self._streams = streams
        self._tally = tally
        self._stop = stop
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="put-records")
        self._free = threading.BoundedSemaphore(CALLS_AT_ONCE)
        self._gathered: dict[Entrance, list[Record]] = {entrance: [] for entrance in streams}
        self._bytes = dict.fromkeys(streams, 0)
        self._running: list[Future[None]] = []

    def __enter__(self) -> "_Calls":
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self._stop.set()  # so that no call goes on repeating
            self._tally.unsent(sum(map(len, self._gathered.values())))
        self._pool.shutdown(wait=True)
        if error[0] is None:
            self._raise_failures()

    def add(self, record: Record) -> None:
        size = size_of(record)
        if size > BYTES_PER_RECORD:
            self._tally.unsent(1)
            return
        if not fits(len(self._gathered[record.entrance]), self._bytes[record.entrance], record):
            self._flush(record.entrance)
        self._gathered[record.entrance].append(record)
        self._bytes[record.entrance] += size

    def flush(self) -> None:
        for entrance in self._gathered:
            self._flush(entrance)

    def _flush(self, entrance: Entrance) -> None:
        batch = self._gathered[entrance]
        if not batch:
            return
        self._free.acquire()
        self._raise_failures()
        self._gathered[entrance] = []
        self._bytes[entrance] = 0
        call = self._pool.submit(self._deliver, self._streams[entrance], batch)
        call.add_done_callback(lambda _: self._free.release())
        self._running.append(call)

    def _deliver(self, stream: Stream, batch: list[Record]) -> None:
        try:
            put_until_taken(stream, batch, self._stop, self._tally.note, self._pause)
        except RefusedError as error:
            self._tally.unsent(error.left)
            raise TrafficError(str(error)) from error

    def _pause(self, failures: int) -> None:
        self._stop.wait(pause_seconds(failures, longest=LONGEST_PAUSE_SECONDS))

    def _raise_failures(self) -> None:
        done = [call for call in self._running if call.done()]
        self._running = [call for call in self._running if not call.done()]
        for call in done:
            call.result()
