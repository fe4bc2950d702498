"""Puts records into streams at their pace, several calls at once, and accounts for each one.

Mobile apps put into the mobile stream in Tokyo, web servers (fluentd) into the source stream in Oregon, each
with its own client and credentials. Refused records are retried until they are taken. Those left when `stop`
is set, or when a stream takes nothing any more, count as unsent.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from botocore.config import Config

from clients.mobile_app.backoff import Backoff
from clients.mobile_app.delivery import (
    CLIENT_CONFIG,
    MAX_BYTES_PER_RECORD,
    CallOutcome,
    Stream,
    fits,
    put,
    size_of,
)
from twin.traffic.record import EntryPoint, Record

CALLS_AT_ONCE = 4
TICK_SECONDS = 0.1  # records that fall due within a tick share calls
MAX_PAUSE_SECONDS = 5.0
MAX_SECONDS_WITHOUT_TAKING = 120.0  # a stream away for longer will not return within a run
TRAFFIC_CLIENT_CONFIG = CLIENT_CONFIG.merge(Config(max_pool_connections=CALLS_AT_ONCE))


class TrafficError(Exception):
    """A stream takes no records; the message says which stream and why."""


@dataclass(frozen=True)
class TrafficTotals:
    """Numbers of records. `sent`: acknowledged by a stream, by entry point and by label.

    sent + unsent = all records taken from the traffic. `possible_duplicates` were in a call with an unknown
    outcome: the stream may hold them beside the copy that counts as sent, or although unsent.
    """

    sent: int
    unsent: int
    retried: int
    possible_duplicates: int
    sent_by_entry_point: Mapping[EntryPoint, int]
    sent_by_label: Mapping[str, int]

    def __str__(self) -> str:
        return (
            f"sent {self.sent:,} records, not sent {self.unsent:,}, retried {self.retried:,}, possible "
            f"duplicates {self.possible_duplicates:,}"
        )


class TrafficTally:
    """Counts while sending; `totals()` may be read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_entry_point: Counter[EntryPoint] = Counter()
        self._by_label: Counter[str] = Counter()
        self._unsent = self._retried = self._possible_duplicates = 0

    def note(self, outcome: CallOutcome[Record]) -> None:
        """Counts a call's result; the caller decides about `outcome.left`."""
        with self._lock:
            self._by_entry_point.update(record.entry_point for record in outcome.taken)
            self._by_label.update(record.label for record in outcome.taken)
            self._possible_duplicates += outcome.possible_duplicates

    def retried(self, number: int) -> None:
        with self._lock:
            self._retried += number

    def unsent(self, number: int) -> None:
        with self._lock:
            self._unsent += number

    def totals(self) -> TrafficTotals:
        with self._lock:
            return TrafficTotals(
                sent=self._by_entry_point.total(),
                unsent=self._unsent,
                retried=self._retried,
                possible_duplicates=self._possible_duplicates,
                sent_by_entry_point=dict(self._by_entry_point),
                sent_by_label=dict(self._by_label),
            )


def send(
    records: Iterable[Record],
    streams: Mapping[EntryPoint, Stream],
    tally: TrafficTally,
    stop: threading.Event,
) -> None:
    """Put each record into its entry point's stream once it is due. Returns when all are sent or `stop` is
    set.

    No record is put early. Raises TrafficError, and sets `stop`, if a stream's refusal is not retryable (no
    permission, no such stream) or it takes nothing for MAX_SECONDS_WITHOUT_TAKING. Every error raised here,
    also one of `records`, carries the final totals as a note.
    """
    try:
        _send(records, streams, tally, stop)
    except Exception as error:
        error.add_note(str(tally.totals()))
        raise


def _send(
    records: Iterable[Record],
    streams: Mapping[EntryPoint, Stream],
    tally: TrafficTally,
    stop: threading.Event,
) -> None:
    started = time.monotonic()
    with _Calls(streams, tally, stop) as calls:
        for record in records:
            while (wait := record.due - (time.monotonic() - started)) > 0 and not stop.is_set():
                calls.flush()
                stop.wait(max(wait, TICK_SECONDS))
            if stop.is_set():
                tally.unsent(1)
                break
            calls.add(record)
        calls.flush()


class _Calls:
    """Gathers records into calls, and makes a limited number of them at once."""

    def __init__(
        self, streams: Mapping[EntryPoint, Stream], tally: TrafficTally, stop: threading.Event
    ) -> None:
        self._streams = streams
        self._tally = tally
        self._stop = stop
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="put-records")
        self._free = threading.BoundedSemaphore(CALLS_AT_ONCE)
        self._gathered: dict[EntryPoint, list[Record]] = {entry_point: [] for entry_point in streams}
        self._bytes = dict.fromkeys(streams, 0)
        self._running: list[Future[None]] = []

    def __enter__(self) -> "_Calls":
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self._stop.set()  # ends all retries
            self._tally.unsent(sum(map(len, self._gathered.values())))
        self._pool.shutdown(wait=True)
        if error[0] is None:
            self._raise_failures()

    def add(self, record: Record) -> None:
        size = size_of(record)
        if size > MAX_BYTES_PER_RECORD:
            self._tally.unsent(1)
            return
        entry_point = record.entry_point
        if not fits(len(self._gathered[entry_point]), self._bytes[entry_point], record):
            try:
                self._flush(entry_point)
            except TrafficError:
                self._tally.unsent(1)
                raise
        self._gathered[entry_point].append(record)
        self._bytes[entry_point] += size

    def flush(self) -> None:
        for entry_point in self._gathered:
            self._flush(entry_point)

    def _flush(self, entry_point: EntryPoint) -> None:
        batch = self._gathered[entry_point]
        if not batch:
            return
        self._free.acquire()
        self._raise_failures()
        self._gathered[entry_point] = []
        self._bytes[entry_point] = 0
        call = self._pool.submit(self._deliver, self._streams[entry_point], batch)
        call.add_done_callback(lambda _: self._free.release())
        self._running.append(call)

    def _deliver(self, stream: Stream, batch: list[Record]) -> None:
        """Put a batch until all of it is taken, or a retry is pointless."""
        left = batch
        backoff = Backoff()
        took_at = time.monotonic()
        try:
            while True:
                call, rest = left[: backoff.records], left[backoff.records :]
                outcome = put(stream, call)
                self._tally.note(outcome)
                left = outcome.left + rest
                if outcome.taken:
                    took_at = time.monotonic()
                elif problem := _hopeless(stream, outcome, time.monotonic() - took_at):
                    self._stop.set()
                    raise TrafficError(problem)
                if not left or self._stop.is_set():
                    return
                backoff.after(outcome)
                self._stop.wait(backoff.pause_seconds(MAX_PAUSE_SECONDS))
                self._tally.retried(len(left[: backoff.records]))
        finally:
            self._tally.unsent(len(left))

    def _raise_failures(self) -> None:
        done = [call for call in self._running if call.done()]
        self._running = [call for call in self._running if not call.done()]
        for call in done:
            call.result()


def _hopeless(stream: Stream, outcome: CallOutcome[Record], seconds: float) -> str | None:
    """Why a retry is pointless, after a call that took nothing, and `seconds` of such calls."""
    if not outcome.retryable:
        return outcome.problem
    if seconds > MAX_SECONDS_WITHOUT_TAKING:
        return f"stream {stream.name} has taken nothing for {seconds:.0f} s: {outcome.problem}"
    return None
