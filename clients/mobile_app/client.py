"""The client an app holds: it takes clicks at once and puts them in the background, many to a record."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from clients.mobile_app.backoff import Backoff
from clients.mobile_app.click import click_line, new_click_id, partition_key
from clients.mobile_app.click_queue import ClickQueue, Waiting
from clients.mobile_app.delivery import MAX_RECORDS_PER_CALL, CallOutcome, Stream, put
from clients.mobile_app.pack import MAX_PACK_BYTES, PACK_BYTES
from clients.mobile_app.queue_file import QueueError

MAX_PAUSE_SECONDS = 60.0  # offline or refused: many phones must not wear out a battery or a service
MAX_PAUSE_CLOSING_SECONDS = 0.5
QUEUE_PAUSE_SECONDS = 1.0  # before another try with a file that cannot be used, or is used by another client


@dataclass(frozen=True, slots=True)
class Status:
    """Numbers of clicks. `sent`, `retried` and `possible_duplicates` since the client was made.

    `possible_duplicates` were in a call of which nobody knows what it did: the stream may hold them beside
    the copy that counts as sent. `dropped` left a full queue unsent, over all runs with its file. `problem`:
    what hinders the client now and what to check, or None.
    """

    waiting: int
    waiting_bytes: int
    sent: int
    retried: int
    possible_duplicates: int
    dropped: int
    problem: str | None


class MobileClient:
    """Clicks wait in `queue` until `stream` has taken them; `close()` when the app goes away.

    A call is made when `clicks_per_call` clicks wait, or `flush_seconds` after the first; packing waits no
    longer. Safe to use from any thread. The queue belongs to the client and is closed with it.
    """

    def __init__(
        self,
        stream: Stream,
        queue: ClickQueue,
        *,
        clicks_per_call: int = MAX_RECORDS_PER_CALL,
        pack_bytes: int = PACK_BYTES,
        flush_seconds: float = 5.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not 1 <= clicks_per_call <= MAX_RECORDS_PER_CALL:
            raise ValueError(f"clicks_per_call is {clicks_per_call}: give 1 to {MAX_RECORDS_PER_CALL}")
        if not 1 <= pack_bytes <= MAX_PACK_BYTES:
            raise ValueError(f"pack_bytes is {pack_bytes}: give 1 to {MAX_PACK_BYTES}")
        self._stream = stream
        self._pack_bytes = pack_bytes
        self._queue = queue
        self._flush_seconds = flush_seconds
        self._now = now
        self._backoff = Backoff(clicks_per_call)
        self._changed = threading.Condition()
        self._waits_since: float | None = time.monotonic() if queue.backlog().clicks else None
        self._closing = threading.Event()  # no new clicks, short pauses
        self._stop = threading.Event()
        self._sent = self._retried = self._possible_duplicates = 0
        self._newest_put = 0  # number of the newest click that was in a call
        self._call_problem: str | None = None
        self._queue_problem: str | None = None
        self._sender = threading.Thread(target=self._send, name="mobile-client", daemon=True)
        self._sender.start()

    def click(
        self, user_id: str, article_id: str, *, platform: str | None = None, position: int | None = None
    ) -> str:
        """Take a click that happens now; returns its click_id.

        Raises ValueError for one that is no click, QueueError where it cannot be kept, as on a full disk.
        """
        click_id = new_click_id()
        data = click_line(
            click_id=click_id,
            clicked_at=self._now(),
            user_id=user_id,
            article_id=article_id,
            platform=platform,
            position=position,
        )
        with self._changed:
            if self._closing.is_set():
                raise ValueError("the client is closed: make another")
            try:
                self._queue.put(data, partition_key(user_id, data))
            except QueueError as error:
                self._queue_problem = str(error)
                raise
            self._queue_problem = None
            if self._waits_since is None:
                self._waits_since = time.monotonic()
            self._changed.notify_all()
        return click_id

    def status(self) -> Status:
        with self._changed:
            backlog = self._queue.backlog()
            return Status(
                waiting=backlog.clicks,
                waiting_bytes=backlog.size,
                sent=self._sent,
                retried=self._retried,
                possible_duplicates=self._possible_duplicates,
                dropped=backlog.dropped,
                problem=self._call_problem or self._queue_problem,
            )

    def close(self, *, deadline_seconds: float = 5.0) -> Status:
        """Put what waits, for at most `deadline_seconds`; what remains stays in the queue's file.

        A call that is under way then ends by itself, and what it takes is still removed from the file.
        Another client can use the file meanwhile; it does not get that call's clicks before the call ends.
        """
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        self._sender.join(deadline_seconds)
        self._stop.set()
        return self.status()

    def is_sending(self) -> bool:
        """Whether a call may still be under way; after `close()` no longer than a call takes."""
        return self._sender.is_alive()

    def _send(self) -> None:
        while self._wait_until_due():
            try:
                if batch := self._queue.lend(self._backoff.clicks):
                    self._put(batch)
            except QueueError as error:
                self._queue_problem = str(error)
                self._pause(QUEUE_PAUSE_SECONDS)
        self._remove_taken()
        self._queue.close()

    def _put(self, batch: list[Waiting]) -> None:
        with self._changed:
            self._retried += sum(click.number <= self._newest_put for click in batch)
            self._newest_put = max(self._newest_put, batch[-1].number)
        outcome = put(self._stream, batch, pack_bytes=self._pack_bytes)
        self._backoff.after(outcome)
        self._note(batch, outcome)
        self._pause(self._backoff.pause_seconds(MAX_PAUSE_SECONDS))

    def _note(self, batch: list[Waiting], outcome: CallOutcome[Waiting]) -> None:
        with self._changed:
            self._sent += len(outcome.taken)
            self._possible_duplicates += outcome.possible_duplicates
            self._call_problem = outcome.problem
            try:
                self._queue.settle(batch, outcome.taken)
                self._queue_problem = None
            except QueueError as error:  # it has remembered what was taken: sending goes on
                self._queue_problem = str(error)
            now = time.monotonic()
            if outcome.left or batch[-1].number < self._newest_put:
                self._waits_since = now - self._flush_seconds  # what was in a call before is due at once
            else:
                self._waits_since = now if self._queue.backlog().clicks else None

    def _pause(self, seconds: float) -> None:
        if not self._closing.is_set():
            self._closing.wait(seconds)
        else:
            self._stop.wait(min(seconds, MAX_PAUSE_CLOSING_SECONDS))

    def _wait_until_due(self) -> bool:
        """Wait for a reason to make a call; False when there will be none any more."""
        with self._changed:
            while not self._closing.is_set():
                backlog = self._queue.backlog()
                ready = backlog.clicks - backlog.lent
                since = self._waits_since if ready else None
                left = None if since is None else since + self._flush_seconds - time.monotonic()
                if ready >= self._backoff.clicks or (left is not None and left <= 0):
                    return True
                if backlog.lent or backlog.unremoved:  # changes without a word to this client
                    left = QUEUE_PAUSE_SECONDS if left is None else min(left, QUEUE_PAUSE_SECONDS)
                self._changed.wait(left)
                self._remove_taken()
            backlog = self._queue.backlog()
            return not self._stop.is_set() and backlog.clicks > backlog.lent

    def _remove_taken(self) -> None:
        if not self._queue.backlog().unremoved:
            return
        try:
            self._queue.remove_taken()
            self._queue_problem = None
        except QueueError as error:
            self._queue_problem = str(error)
