"""Memory and disk of a running twin's parts, from outside of it. Linux only."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.subprocesses import parents
from bench.twin_cpu import COMMANDS

TWIN, OTHERS = "the twin's own process", "commands given"
"""The twin's own process holds the stand-ins of services, the sender and the board."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024**2
STORES = {
    "checkpoints": ("click-trends-twin-*/flink/checkpoints",),
    "logs": ("click-trends-twin-*/*.log", "click-trends-twin-*/flink/log", "click-trends-opensearch-*/logs"),
    "delivered records": ("click-trends-twin-*/delivered",),
    "index data": ("click-trends-opensearch-*/data",),
    "files of the transport": ("click-trends-twin-*/transport",),
}
"""Where each lies in the folder for temporary files of the run."""


@dataclass(frozen=True, kw_only=True)
class PartMemory:
    """mib: resident, of all its processes; process: the id of its oldest one, which changes when the part
    starts again."""

    mib: float
    process: int


def memory_of_parts(root: int) -> dict[str, PartMemory]:
    """By part, of a process and all that it started. Pages that processes share count in each."""
    parent_of = parents()
    found: dict[str, list[tuple[int, float]]] = {}
    for process in parent_of:
        if process != root and root not in _above(process, parent_of):
            continue
        folder = Path(f"/proc/{process}")
        with suppress(OSError, ValueError, IndexError):  # it has just ended
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            resident = int((folder / "statm").read_text(encoding="ascii").split()[1]) * _PAGE / MIB
            part = TWIN if process == root else part_of(command)
            found.setdefault(part, []).append((process, resident))
    return {
        part: PartMemory(mib=round(sum(mib for _, mib in processes), 1), process=min(processes)[0])
        for part, processes in found.items()
    }


def part_of(command: str) -> str:
    return next((part for known, part in COMMANDS.items() if known in command), OTHERS)


def _above(process: int, parent_of: Mapping[int, int]) -> list[int]:
    above, found = parent_of.get(process), []
    while above:
        found.append(above)
        above = parent_of.get(above)
    return found


def disk_of_stores(folder: Path) -> dict[str, float]:
    """MiB on disk of each of STORES. folder: for temporary files of the run."""
    return {
        store: round(sum(_size(path) for pattern in patterns for path in folder.glob(pattern)) / MIB, 2)
        for store, patterns in STORES.items()
    }


def _size(path: Path) -> int:
    """Bytes that a file, or all within a folder, takes."""
    files = [path] if path.is_file() else (Path(at, name) for at, _, names in os.walk(path) for name in names)
    total = 0
    for file in files:
        with suppress(OSError):  # removed meanwhile
            total += file.stat().st_blocks * 512
    return total
