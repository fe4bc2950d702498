"""Clicks waiting on the device: bounded, oldest dropped first and counted, kept over a restart.

One SQLite file, so that each change is whole or not at all even if the app is killed in the middle of it.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mobile_client.delivery import BYTES_PER_RECORD, fits, size_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL, partition_key TEXT NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS dropped (records INTEGER NOT NULL);
INSERT INTO dropped SELECT 0 WHERE NOT EXISTS (SELECT * FROM dropped);
"""


class QueueError(Exception):
    """The queue's file cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record in the queue; a lower number came earlier."""

    number: int
    data: bytes
    partition_key: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, and what was dropped since the file was made, each as a number of records."""

    records: int
    size: int
    dropped: int


class ClickQueue:
    """path: its file, for one process at a time; without one it is in memory. Safe to use from any thread.

    most_records, most_bytes: beyond either, the oldest records are dropped. Every method that changes the
    file raises QueueError when that fails; the queue is then as it was before.
    """

    def __init__(
        self, path: Path | None, *, most_records: int = 10_000, most_bytes: int = 8 * 1024**2
    ) -> None:
        if most_records < 1 or most_bytes < BYTES_PER_RECORD:
            raise ValueError(f"the queue must hold a record of {BYTES_PER_RECORD} bytes: raise its bounds")
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._path = path
        self._lock = threading.Lock()
        with self._errors_explained():
            self._file = sqlite3.connect(path or ":memory:", timeout=0, check_same_thread=False)
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.executescript(_SCHEMA)
            [row] = self._file.execute(
                "SELECT count(*), coalesce(sum(size), 0), (SELECT records FROM dropped) FROM waiting"
            )
            self._backlog = Backlog(*row)

    def put(self, data: bytes, partition_key: str) -> None:
        """Add a record, and drop the oldest where there are too many. Raises ValueError for one too large."""
        size = size_of(Waiting(0, data, partition_key))
        if size > BYTES_PER_RECORD:
            raise ValueError(f"a record of {size} bytes: a stream takes at most {BYTES_PER_RECORD}")
        with self._lock, self._errors_explained(), self._file:
            self._file.execute(
                "INSERT INTO waiting (data, partition_key, size) VALUES (?, ?, ?)",
                (data, partition_key, size),
            )
            added = self._backlog
            self._drop_oldest(Backlog(added.records + 1, added.size + size, added.dropped))

    def oldest(self) -> list[Waiting]:
        """As many of the oldest records as one call takes; they stay in the queue."""
        batch: list[Waiting] = []
        size = 0
        with self._lock, self._errors_explained():
            rows = self._file.execute("SELECT number, data, partition_key FROM waiting ORDER BY number")
            for row in rows:
                record = Waiting(*row)
                if not fits(len(batch), size, record):
                    break
                batch.append(record)
                size += size_of(record)
        return batch

    def taken(self, records: Sequence[Waiting]) -> None:
        """Remove records that the stream has taken; one that was dropped meanwhile was not lost after all."""
        with self._lock, self._errors_explained(), self._file:
            before = self._backlog
            count, size = before.records, before.size
            for record in records:
                if self._file.execute("DELETE FROM waiting WHERE number = ?", (record.number,)).rowcount:
                    count, size = count - 1, size - size_of(record)
            dropped = before.dropped - (len(records) - (before.records - count))
            self._settle(Backlog(count, size, dropped))

    def backlog(self) -> Backlog:
        """What waits; also after `close()`."""
        with self._lock:
            return self._backlog

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _drop_oldest(self, backlog: Backlog) -> None:
        """Bring `backlog`, what the file holds now, within the bounds."""
        count, size, last = backlog.records, backlog.size, 0
        for number, one in self._file.execute("SELECT number, size FROM waiting ORDER BY number"):
            if count <= self._most_records and size <= self._most_bytes:
                break
            count, size, last = count - 1, size - one, number
        self._file.execute("DELETE FROM waiting WHERE number <= ?", (last,))
        self._settle(Backlog(count, size, backlog.dropped + backlog.records - count))

    def _settle(self, backlog: Backlog) -> None:
        """The last step of a transaction, in which nothing can fail but its commit."""
        if backlog.dropped != self._backlog.dropped:
            self._file.execute("UPDATE dropped SET records = ?", (backlog.dropped,))
        self._file.commit()
        self._backlog = backlog

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise QueueError(
                f"the queue in {self._path or 'memory'} cannot be used: {error}. Make room on the disk; only "
                "one process may have the file open; a broken file can be deleted, with what waits there"
            ) from error
