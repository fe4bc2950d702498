"""Which temporary folders a next start removes: what a killed run has left, and nothing else."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from twin.working_folders import LOCK, is_empty, keep, remove, remove_left, working_folder

OTHER_RUN = """
import sys
from twin.working_folders import working_folder
for kind in ("twin", "opensearch"):
    (working_folder(kind) / "log").write_text("its log")
print("made", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_run_left_is_removed_and_nothing_before_its_end(temporary: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", OTHER_RUN],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"made\n"
        own = working_folder("twin")
        assert remove_left() == []
        left = {folder for folder in temporary.iterdir() if folder != own}
        assert len(left) == 2
        run.kill()
    assert set(remove_left()) == left
    assert list(temporary.iterdir()) == [own]
    remove(own)
    assert list(temporary.iterdir()) == []


def test_what_was_kept_or_is_not_of_a_run_stays(temporary: Path) -> None:
    kept = working_folder("twin")
    (kept / "log").write_text("why it failed")
    keep(kept)
    (temporary / "click-trends-twin-older").mkdir()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / LOCK).touch()
    (temporary / "click-trends-twin-link").symlink_to(elsewhere)
    disguised = temporary / "click-trends-twin-disguised"
    disguised.mkdir()
    (disguised / LOCK).symlink_to(elsewhere / LOCK)
    before = sorted(temporary.rglob("*"))
    assert remove_left() == []
    assert sorted(temporary.rglob("*")) == before


def test_a_folder_of_another_user_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = temporary / "click-trends-twin-theirs"
    folder.mkdir()
    (folder / LOCK).touch()
    monkeypatch.setattr(os, "geteuid", lambda: (folder / LOCK).stat().st_uid + 1)
    assert remove_left() == []
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert remove_left() == [folder]


@pytest.mark.usefixtures("temporary")
def test_a_lock_alone_is_an_empty_folder() -> None:
    folder = working_folder("twin")
    assert is_empty(folder)
    (folder / "log").touch()
    assert not is_empty(folder)
    remove(folder)


def test_a_full_disk_leaves_no_folder_without_a_lock(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("fcntl.flock", full)
    with pytest.raises(OSError, match="No space"):
        working_folder("twin")
    assert list(temporary.iterdir()) == []
