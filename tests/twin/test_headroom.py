"""The warnings before a start with too little memory or disk."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from twin.headroom import NEEDED_DISK_MIB, NEEDED_MIB, disk_warning, memory_warning


@pytest.mark.parametrize(
    ("free_mib", "warns"), [(NEEDED_MIB - 1, True), (NEEDED_MIB, False), (64_000, False)]
)
def test_too_little_memory_gives_a_warning(free_mib: int, warns: bool, tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal:       99000000 kB\nMemAvailable:   {free_mib * 1024} kB\nCached: 1 kB\n")
    warning = memory_warning(meminfo)
    assert (warning is not None) is warns
    assert not warns or f"{free_mib:,} MiB" in str(warning)


def test_unknown_memory_gives_no_warning(tmp_path: Path) -> None:
    assert memory_warning(tmp_path / "missing") is None
    (tmp_path / "meminfo").write_text("MemTotal: 1 kB\n")
    assert memory_warning(tmp_path / "meminfo") is None


@pytest.mark.parametrize(("free_mib", "warns"), [(NEEDED_DISK_MIB - 1, True), (NEEDED_DISK_MIB, False)])
def test_a_nearly_full_disk_gives_a_warning(
    free_mib: int, warns: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=free_mib * 1024**2)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage if folder == tmp_path else None)
    warning = disk_warning(tmp_path)
    assert (warning is not None) is warns
    assert not warns or f"{free_mib:,} MiB" in str(warning)
