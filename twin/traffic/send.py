"""Puts clicks into streams at their pace, packed as real producers do, and accounts for each one.

Mobile apps put into the mobile stream in Tokyo, web servers (fluentd) into the source stream in Oregon, each
with its own client and credentials, several calls at once. Refused clicks are retried until they are taken.
A stream that takes nothing holds up its own clicks only: they wait, as with a web server that keeps them on
its disk. Those left when `stop` is set, or when a stream takes nothing any more, count as unsent.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from botocore.config import Config

from clients.mobile_app.backoff import Backoff
from clients.mobile_app.delivery import (
    CLIENT_CONFIG,
    MAX_RECORDS_PER_CALL,
    CallOutcome,
    Stream,
    fits,
    put,
)
from clients.mobile_app.pack import MAX_BYTES_PER_RECORD, PACK_BYTES, size_of
from twin.traffic.record import EntryPoint, Record

CALLS_AT_ONCE = 4
TICK_SECONDS = 0.1  # clicks that fall due within a tick share records
MAX_PAUSE_SECONDS = 5.0
MAX_SECONDS_WITHOUT_TAKING = 120.0  # a stream away for longer will not return within a test
MAX_WAITING_CLICKS = 200_000
"""Of an entry point whose stream takes nothing; further clicks of all entry points are sent later then."""
STALLED_SECONDS = 5.0
"""A stream that takes nothing for longer is a problem to show; an overload passes sooner."""
TRAFFIC_CLIENT_CONFIG = CLIENT_CONFIG.merge(Config(max_pool_connections=CALLS_AT_ONCE))


class TrafficError(Exception):
    """A stream takes no records; the message says which stream and why."""


@dataclass(frozen=True)
class TrafficTotals:
    """Numbers of clicks. `sent`: acknowledged by a stream, by entry point and by label.

    sent + unsent = all clicks taken from the traffic. `possible_duplicates` were in a call with an unknown
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
            f"sent {self.sent:,} clicks, not sent {self.unsent:,}, retried {self.retried:,}, possible "
            f"duplicates {self.possible_duplicates:,}"
        )


@dataclass(frozen=True)
class _Stall:
    """Of a stream that takes nothing."""

    began_at: float
    problem: str


class TrafficTally:
    """Counts while sending; `totals()` may be read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_entry_point: Counter[EntryPoint] = Counter()
        self._by_label: Counter[str] = Counter()
        self._unsent = self._retried = self._possible_duplicates = 0
        self._stalls: dict[str, _Stall] = {}

    def note(self, stream: str, outcome: CallOutcome[Record]) -> None:
        """Counts a call's result; the caller decides about `outcome.left`."""
        with self._lock:
            if outcome.taken or not outcome.left:
                self._stalls.pop(stream, None)
            else:
                before = self._stalls.get(stream)
                began = time.monotonic() if before is None else before.began_at
                self._stalls[stream] = _Stall(began, str(outcome.problem))
            for record in outcome.taken:
                self._by_entry_point[record.entry_point] += record.clicks
                self._by_label[record.label] += record.clicks
            if outcome.possible_duplicates:
                self._possible_duplicates += _clicks(outcome.left)

    def retried(self, records: Iterable[Record]) -> None:
        with self._lock:
            self._retried += _clicks(records)

    def unsent(self, records: Iterable[Record]) -> None:
        with self._lock:
            self._unsent += _clicks(records)

    def is_stalled(self, stream: str) -> bool:
        """Whether it took nothing of the last call."""
        with self._lock:
            return stream in self._stalls

    def problems(self) -> list[str]:
        """Streams that have taken nothing for STALLED_SECONDS, in a line each."""
        now = time.monotonic()
        with self._lock:
            return [
                f"stream {name} has taken nothing for {now - stall.began_at:.0f} s, its producers keep their "
                f"clicks: {stall.problem}"
                for name, stall in self._stalls.items()
                if now - stall.began_at > STALLED_SECONDS
            ]

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


def _clicks(records: Iterable[Record]) -> int:
    return sum(record.clicks for record in records)


def send(
    records: Iterable[Record],
    streams: Mapping[EntryPoint, Stream],
    tally: TrafficTally,
    stop: threading.Event,
    *,
    pack_bytes: int = PACK_BYTES,
    patience_seconds: float | None = None,
) -> None:
    """Put each record into its entry point's stream once it is due, in packs of `pack_bytes` (0: each alone).
    Returns when all are sent or `stop` is set.

    No record is put early. Raises TrafficError, and sets `stop`, if a stream's refusal is not retryable (no
    permission, no such stream) or it takes nothing for `patience_seconds` (MAX_SECONDS_WITHOUT_TAKING). Every
    error raised here, also one of `records`, carries the final totals as a note.
    """
    try:
        patience = MAX_SECONDS_WITHOUT_TAKING if patience_seconds is None else patience_seconds
        _send(records, _Calls(streams, tally, stop, pack_bytes, patience), tally, stop)
    except Exception as error:
        error.add_note(str(tally.totals()))
        raise


def _send(records: Iterable[Record], calls: "_Calls", tally: TrafficTally, stop: threading.Event) -> None:
    started = time.monotonic()
    with calls:
        for record in records:
            while (left := record.due - (time.monotonic() - started)) > 0 and not stop.is_set():
                calls.flush_what_can_go()
                stop.wait(max(left, TICK_SECONDS))
            if stop.is_set():
                tally.unsent([record])
                break
            calls.add(record)
        calls.flush()


class _Calls:
    """Gathers records into calls, and makes a limited number of them at once for each entry point."""

    def __init__(
        self,
        streams: Mapping[EntryPoint, Stream],
        tally: TrafficTally,
        stop: threading.Event,
        pack_bytes: int,
        patience_seconds: float,
    ) -> None:
        self._pack_bytes = pack_bytes
        self._patience_seconds = patience_seconds
        self._streams = streams
        self._tally = tally
        self._stop = stop
        self._pools = {
            entry_point: ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix=f"put-records {entry_point}")
            for entry_point in streams
        }
        self._gathered: dict[EntryPoint, list[Record]] = {entry_point: [] for entry_point in streams}
        self._bytes = dict.fromkeys(streams, 0)
        self._running: dict[EntryPoint, list[Future[None]]] = {entry_point: [] for entry_point in streams}

    def __enter__(self) -> "_Calls":
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self._stop.set()  # ends all retries
            for gathered in self._gathered.values():
                self._tally.unsent(gathered)
        for pool in self._pools.values():
            pool.shutdown(wait=True)
        if error[0] is None:
            self._raise_failures()

    def add(self, record: Record) -> None:
        size = size_of(record)
        if size > MAX_BYTES_PER_RECORD:
            self._tally.unsent([record])
            return
        entry_point = record.entry_point
        if not fits(len(self._gathered[entry_point]), self._bytes[entry_point], record):
            try:
                self._flush(entry_point)
            except TrafficError:
                self._tally.unsent([record])
                raise
        self._gathered[entry_point].append(record)
        self._bytes[entry_point] += size

    def flush(self) -> None:
        for entry_point in self._gathered:
            self._flush(entry_point)

    def flush_what_can_go(self) -> None:
        """Where a stream takes nothing and as many calls as may be are under way, clicks go on gathering."""
        self._raise_failures()
        for entry_point, running in self._running.items():
            stalled = self._tally.is_stalled(self._streams[entry_point].name)
            if not stalled or len(running) < CALLS_AT_ONCE:
                self._flush(entry_point)

    def _flush(self, entry_point: EntryPoint) -> None:
        batch = self._gathered[entry_point]
        if not batch:
            return
        self._wait_until_free(entry_point)
        self._gathered[entry_point] = []
        self._bytes[entry_point] = 0
        call = self._pools[entry_point].submit(self._deliver, self._streams[entry_point], batch)
        self._running[entry_point].append(call)

    def _wait_until_free(self, entry_point: EntryPoint) -> None:
        """Return once the entry point may make another call, or may let one wait as its stream takes
        nothing."""
        stream = self._streams[entry_point].name
        while True:
            self._raise_failures()
            running = self._running[entry_point]
            if len(running) < CALLS_AT_ONCE:
                return
            if self._tally.is_stalled(stream) and len(running) < MAX_WAITING_CLICKS // MAX_RECORDS_PER_CALL:
                return
            wait(running, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)

    def _deliver(self, stream: Stream, batch: list[Record]) -> None:
        """Put a batch until all of it is taken, or a retry is pointless."""
        left = batch
        backoff = Backoff()
        took_at = time.monotonic()
        try:
            while True:
                call, rest = left[: backoff.clicks], left[backoff.clicks :]
                outcome = put(stream, call, pack_bytes=self._pack_bytes)
                self._tally.note(stream.name, outcome)
                left = outcome.left + rest
                if outcome.taken:
                    took_at = time.monotonic()
                elif problem := self._hopeless(stream, outcome, took_at):
                    self._stop.set()
                    raise TrafficError(problem)
                if not left or self._stop.is_set():
                    return
                backoff.after(outcome)
                self._stop.wait(backoff.pause_seconds(MAX_PAUSE_SECONDS))
                self._tally.retried(left[: backoff.clicks])
        finally:
            self._tally.unsent(left)

    def _hopeless(self, stream: Stream, outcome: CallOutcome[Record], took_at: float) -> str | None:
        """Why a retry is pointless, after a call that took nothing. took_at: when one last took something."""
        if not outcome.retryable:
            return outcome.problem
        seconds = time.monotonic() - took_at
        if seconds > self._patience_seconds:
            return f"stream {stream.name} has taken nothing for {seconds:.0f} s: {outcome.problem}"
        return None

    def _raise_failures(self) -> None:
        for entry_point, calls in self._running.items():
            done = [call for call in calls if call.done()]
            self._running[entry_point] = [call for call in calls if call not in done]
            for call in done:
                call.result()
