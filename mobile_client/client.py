"""The client an app holds: it takes clicks at once and puts them in the background, many to a call."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mobile_client.click import click_record, new_click_id, partition_key
from mobile_client.click_queue import ClickQueue, Waiting
from mobile_client.delivery import (
    RECORDS_PER_CALL,
    Outcome,
    Stream,
    pause_seconds,
    put_until_taken,
)

LONGEST_PAUSE_SECONDS = 60.0  # offline or refused: many phones must not wear out a battery or a service
LONGEST_PAUSE_CLOSING_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Status:
    """Numbers of records. `sent`, `put_again` and `maybe_twice` since the client was made.

    `maybe_twice` were put again after a call without an answer: the stream may hold them twice. `dropped`
    left a full queue unsent, over all runs with its file. `refused`: why nothing is taken now, or None.
    """

    waiting: int
    waiting_bytes: int
    sent: int
    put_again: int
    maybe_twice: int
    dropped: int
    refused: str | None


class MobileClient:
    """Clicks wait in `queue` until `stream` has taken them; `close()` when the app goes away.

    A call is made when there are `records_per_call` records, or `flush_seconds` after the first. Safe to use
    from any thread. The queue belongs to the client and is closed with it.
    """

    def __init__(
        self,
        stream: Stream,
        queue: ClickQueue,
        *,
        records_per_call: int = RECORDS_PER_CALL,
        flush_seconds: float = 5.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._stream = stream
        self._queue = queue
        self._records_per_call = records_per_call
        self._flush_seconds = flush_seconds
        self._now = now
        self._changed = threading.Condition()
        self._waits_since: float | None = time.monotonic() if queue.backlog().records else None
        self._hurry = threading.Event()  # set when closing: no new clicks, short pauses
        self._stop = threading.Event()
        self._sent = self._put_again = self._maybe_twice = 0
        self._refused: str | None = None
        self._sender = threading.Thread(target=self._send, name="mobile-client", daemon=True)
        self._sender.start()

    def click(
        self, user_id: str, article_id: str, *, platform: str | None = None, position: int | None = None
    ) -> str:
        """Take a click that happens now; returns its click_id. Raises ValueError for one that is no click."""
        click_id = new_click_id()
        data = click_record(
            click_id=click_id,
            clicked_at=self._now(),
            user_id=user_id,
            article_id=article_id,
            platform=platform,
            position=position,
        )
        with self._changed:
            if self._hurry.is_set():
                raise ValueError("the client is closed: make another")
            self._queue.put(data, partition_key(user_id, data))
            if self._waits_since is None:
                self._waits_since = time.monotonic()
            self._changed.notify_all()
        return click_id

    def status(self) -> Status:
        with self._changed:
            backlog = self._queue.backlog()
            return Status(
                waiting=backlog.records,
                waiting_bytes=backlog.size,
                sent=self._sent,
                put_again=self._put_again,
                maybe_twice=self._maybe_twice,
                dropped=backlog.dropped,
                refused=self._refused,
            )

    def close(self, *, deadline_seconds: float = 5.0) -> Status:
        """Put what waits, for at most `deadline_seconds`; what remains stays in the queue's file.

        A call that is under way then ends by itself, and what it takes is still removed from the file.
        """
        with self._changed:
            self._hurry.set()
            self._changed.notify_all()
        self._sender.join(deadline_seconds)
        self._stop.set()
        return self.status()

    def is_sending(self) -> bool:
        """Whether a call may still be under way; after `close()` no longer than a call takes."""
        return self._sender.is_alive()

    def _send(self) -> None:
        failures = 0
        while self._wait_until_due():
            try:
                put_until_taken(self._stream, self._queue.oldest(), self._stop, self._note, self._pause)
                failures = 0
            # No permission, a login that ran out, a full disk, or whatever the app's own logins() raises:
            # the clicks wait, within the queue's bounds, for it to be mended.
            except Exception as error:
                with self._changed:
                    self._refused = str(error)
                failures += 1
                self._pause(failures)
        self._queue.close()

    def _pause(self, failures: int) -> None:
        if not self._hurry.is_set():
            self._hurry.wait(pause_seconds(failures, longest=LONGEST_PAUSE_SECONDS))
        else:
            self._stop.wait(pause_seconds(failures, longest=LONGEST_PAUSE_CLOSING_SECONDS))

    def _wait_until_due(self) -> bool:
        """Wait for a reason to make a call; False when there will be none any more."""
        with self._changed:
            while not self._hurry.is_set():
                records = self._queue.backlog().records
                since = self._waits_since if records else None
                left = None if since is None else since + self._flush_seconds - time.monotonic()
                if records >= self._records_per_call or (left is not None and left <= 0):
                    return True
                self._changed.wait(left)
            return not self._stop.is_set() and self._queue.backlog().records > 0

    def _note(self, outcome: Outcome[Waiting]) -> None:
        with self._changed:
            self._queue.taken(outcome.taken)
            self._sent += len(outcome.taken)
            if outcome.again:
                self._put_again += len(outcome.left)
                self._maybe_twice += 0 if outcome.answered else len(outcome.left)
            if outcome.taken:
                self._refused = None
                self._waits_since = time.monotonic() if self._queue.backlog().records else None
