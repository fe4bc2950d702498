"""Clicks waiting on the device: bounded, oldest dropped first and counted, kept over a restart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.mobile_app.delivery import MAX_RECORDS_PER_CALL, fits
from clients.mobile_app.pack import MAX_BYTES_PER_RECORD, size_of
from clients.mobile_app.queue_file import QueueFile, close_file, open_file


@dataclass(frozen=True, slots=True)
class Waiting:
    """A click in the queue; a lower number came earlier."""

    number: int
    data: bytes
    partition_key: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, how much of it is lent to a call, and what was dropped since the file was made, each as a
    number of clicks; `size` in bytes. `unremoved`: taken by the stream, but not yet deleted from the file.
    """

    clicks: int
    size: int
    lent: int
    dropped: int
    unremoved: int


class ClickQueue:
    """path: its file, for one process at a time; without one it is in memory. Safe to use from any thread.

    max_clicks, max_bytes: beyond either, the oldest clicks are dropped. Every method that changes the
    file raises QueueError when that fails.
    """

    def __init__(self, path: Path | None, *, max_clicks: int = 10_000, max_bytes: int = 8 * 1024**2) -> None:
        if max_clicks < 1 or max_bytes < MAX_BYTES_PER_RECORD:
            raise ValueError(f"the queue must hold a click of {MAX_BYTES_PER_RECORD} bytes: raise its bounds")
        self._max_clicks = max_clicks
        self._max_bytes = max_bytes
        self._file: QueueFile = open_file(path)
        self._closed = False

    def put(self, data: bytes, partition_key: str) -> None:
        """Add a click, and drop the oldest where there are too many. Raises ValueError for one too large.

        When it raises, the queue is as it was before.
        """
        size = size_of(Waiting(0, data, partition_key))
        if size > MAX_BYTES_PER_RECORD:
            raise ValueError(f"a click of {size} bytes: a stream takes at most {MAX_BYTES_PER_RECORD}")
        file = self._file
        with file.lock:
            with file.change() as connection:
                _delete(file, file.taken)
                connection.execute(
                    "INSERT INTO waiting (data, partition_key, size) VALUES (?, ?, ?)",
                    (data, partition_key, size),
                )
                surplus, surplus_size = self._surplus(file.clicks + 1, file.size + size)
                _delete(file, surplus)
                dropped = file.dropped + len(surplus)
                _write_dropped(file, dropped)
            file.taken.clear()
            file.dropped_while_lent |= file.lent.intersection(surplus)
            file.clicks += 1 - len(surplus)
            file.size += size - surplus_size
            file.dropped = dropped

    def lend(self, max_clicks: int = MAX_RECORDS_PER_CALL) -> list[Waiting]:
        """The oldest clicks that no call has, as many as one call takes.

        They stay in the queue, and no other call gets them until `settle()`.
        """
        batch: list[Waiting] = []
        size = 0
        file = self._file
        with file.lock:
            away = file.lent | file.taken
            for number, data, key in file.rows(
                "SELECT number, data, partition_key FROM waiting ORDER BY number"
            ):
                if number in away:
                    continue
                click = Waiting(number, data, key)  # type: ignore[arg-type]  # the schema says so
                if len(batch) == max_clicks or not fits(len(batch), size, click):
                    break
                batch.append(click)
                size += size_of(click)
            file.lent.update(click.number for click in batch)
        return batch

    def settle(self, lent: Sequence[Waiting], taken: Sequence[Waiting]) -> None:
        """After the call: remove what the stream has taken; the rest waits again.

        One that was dropped meanwhile was not lost after all. When the file cannot be changed, `taken` is
        remembered, is never lent again, and is deleted with the next change.
        """
        file = self._file
        with file.lock:
            present = [click for click in taken if click.number not in file.dropped_while_lent]
            numbers = {click.number for click in lent}
            file.lent -= numbers
            file.dropped_while_lent -= numbers
            file.taken.update(click.number for click in present)
            file.clicks -= len(present)
            file.size -= sum(map(size_of, present))
            file.dropped -= len(taken) - len(present)
            if taken:
                _remove_taken(file)

    def remove_taken(self) -> None:
        """Try again to delete what `settle()` could not."""
        with self._file.lock:
            _remove_taken(self._file)

    def backlog(self) -> Backlog:
        """What waits; also after `close()`."""
        file = self._file
        with file.lock:
            lent = len(file.lent) - len(file.dropped_while_lent)
            return Backlog(file.clicks, file.size, lent, file.dropped, len(file.taken))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            close_file(self._file)

    def _surplus(self, clicks: int, size: int) -> tuple[list[int], int]:
        """The oldest clicks to drop from `clicks` of `size` bytes, and their size."""
        surplus: list[int] = []
        surplus_size = 0
        if clicks <= self._max_clicks and size <= self._max_bytes:
            return surplus, surplus_size
        for number, one in self._file.rows("SELECT number, size FROM waiting ORDER BY number"):
            if clicks - len(surplus) <= self._max_clicks and size - surplus_size <= self._max_bytes:
                break
            surplus.append(number)  # type: ignore[arg-type]
            surplus_size += one  # type: ignore[operator]
        return surplus, surplus_size


def _remove_taken(file: QueueFile) -> None:
    with file.change():
        _delete(file, file.taken)
        _write_dropped(file, file.dropped)
    file.taken.clear()


def _write_dropped(file: QueueFile, dropped: int) -> None:
    file.connection.execute("UPDATE dropped SET records = :now WHERE records <> :now", {"now": dropped})


def _delete(file: QueueFile, numbers: Iterable[int]) -> None:
    file.connection.executemany("DELETE FROM waiting WHERE number = ?", ((number,) for number in numbers))
