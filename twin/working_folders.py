"""Temporary folders of a run, each locked for as long as its process lives.

The system lets a lock go when the process ends, however it ends: what a killed run left can be told from what
another run uses.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "click-trends-"
LOCK = ".lock"
_NEW_LOCK = ".lock.new"

_locks: dict[Path, int] = {}
"""File descriptors of this process's folders."""


def working_folder(kind: str) -> Path:
    """A new one of this process, that only its user may enter: click-trends-<kind>-..."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-"))
    with removed_on_failure(folder):
        lock = os.open(folder / _NEW_LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        _locks[folder] = lock
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / _NEW_LOCK).rename(folder / LOCK)  # nobody sees it unlocked
    return folder


def remove(folder: Path) -> None:
    """With all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    _let_go(folder)


def keep(folder: Path) -> None:
    """For whoever wants to read it after the run."""
    (folder / LOCK).unlink(missing_ok=True)
    _let_go(folder)


def is_empty(folder: Path) -> bool:
    return all(path.name == LOCK for path in folder.iterdir())


@contextmanager
def removed_on_failure(folder: Path) -> Iterator[None]:
    """Around what is made in a folder for it alone."""
    try:
        yield
    except BaseException:
        remove(folder)
        raise


def remove_left() -> list[Path]:
    """Those of this user's processes that were killed; returns what was removed."""
    return [folder for folder in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")) if _removed(folder)]


def _removed(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:  # none of ours, kept, or removed meanwhile
        return False
    try:
        if folder.is_symlink() or not _is_own_file(lock):
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # its process lives
        return False
    finally:
        os.close(lock)
    return not folder.exists()


def _is_own_file(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _let_go(folder: Path) -> None:
    lock = _locks.pop(folder, None)
    if lock is not None:
        os.close(lock)
