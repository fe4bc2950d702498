"""The queue's SQLite file: one change at a time, whole or not at all even if the app is killed in it.

A process opens a file once, however many queues use it: an app that comes back while its last call still
runs finds the file open. Another process is turned away.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL, partition_key TEXT NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS dropped (records INTEGER NOT NULL);
INSERT INTO dropped SELECT 0 WHERE NOT EXISTS (SELECT * FROM dropped);
"""
_ROWS_OF_OTHER_TYPES = """
SELECT count(*) FROM waiting
WHERE (typeof(data), typeof(partition_key), typeof(size)) <> ('blob', 'text', 'integer')
"""

_ADVICE = {
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_BUSY: "another process has it open, and only one may: end that one",
    sqlite3.SQLITE_LOCKED: "another process has it open, and only one may: end that one",
    sqlite3.SQLITE_NOTADB: "it is damaged: close every client of it and delete it; what waits there is lost",
    sqlite3.SQLITE_CORRUPT: "it is damaged: close every client of it and delete it; what waits there is lost",
}
_ADVICE_ELSE = "check that its folder exists, can be written and has room"


class QueueError(Exception):
    """The queue's file cannot be used; the message says why and what to do."""


@dataclass
class QueueFile:
    """The open file, and what is known beside it while the process lives; `lock` guards all of it.

    lent: numbers of the clicks that a call is putting now. taken: those that the stream has taken but
    that are still in the file, because it could not be changed. dropped_while_lent: those that left the
    full queue in the middle of a call. clicks, size: of what waits, without `taken`.
    """

    path: Path | None
    connection: sqlite3.Connection
    clicks: int
    size: int
    dropped: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 1
    lent: set[int] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)
    dropped_while_lent: set[int] = field(default_factory=set)

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction; raises QueueError when it fails, and the file is then as it was before."""
        with errors_explained(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # SQLite may have ended it itself, on a full disk
                    self.connection.execute("ROLLBACK")
                raise

    def rows(self, query: str) -> Iterator[Sequence[object]]:
        with errors_explained(self.path), closing(self.connection.execute(query)) as cursor:
            yield from cursor


_open_files: dict[tuple[int, int], QueueFile] = {}
_open_files_lock = threading.Lock()


def open_file(path: Path | None) -> QueueFile:
    """The file at `path`, made where there is none; None: in memory. Raises QueueError."""
    if path is None:
        return _connected(None)
    with _open_files_lock:
        if path.exists() and (shared := _open_files.get(_identity(path))):
            shared.users += 1
            return shared
        file = _connected(path)
        _open_files[_identity(path)] = file
        return file


def close_file(file: QueueFile) -> None:
    """Give up one use of the file; the last one closes it."""
    with _open_files_lock:
        file.users -= 1
        if file.users:
            return
        for identity in [identity for identity, one in _open_files.items() if one is file]:
            del _open_files[identity]
        with file.lock:
            file.connection.close()


def _identity(path: Path) -> tuple[int, int]:
    """Of the file, not of its name: an app may delete a damaged one and make another."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _connected(path: Path | None) -> QueueFile:
    with errors_explained(path):
        connection = sqlite3.connect(
            path or ":memory:", timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")  # takes the lock that the mode above then keeps
            connection.execute("COMMIT")
            connection.executescript(_SCHEMA)
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise QueueError(_message(path, found, sqlite3.SQLITE_CORRUPT))
            [damaged] = connection.execute(_ROWS_OF_OTHER_TYPES).fetchone()
            if damaged:  # which quick_check passes over
                raise QueueError(_message(path, f"{damaged} rows of other types", sqlite3.SQLITE_CORRUPT))
            [row] = connection.execute(
                "SELECT count(*), coalesce(sum(size), 0), (SELECT records FROM dropped) FROM waiting"
            )
            return QueueFile(path, connection, *row)
        except BaseException:
            connection.close()
            raise


@contextmanager
def errors_explained(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest tells where in SQLite
        if str(error).startswith("Could not decode to UTF-8"):  # Python's own, which has no code
            code = sqlite3.SQLITE_CORRUPT
        raise QueueError(_message(path, error, code)) from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema
        raise QueueError(_message(path, error, sqlite3.SQLITE_CORRUPT)) from error


def _message(path: Path | None, reason: object, code: int) -> str:
    return f"the queue in {path or 'memory'} cannot be used ({reason}): {_ADVICE.get(code, _ADVICE_ELSE)}"
