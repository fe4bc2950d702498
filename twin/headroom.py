"""Whether memory and disk suffice for the twin. Only Linux tells how much memory is available without
swapping."""

import re
import shutil
import tempfile
from pathlib import Path

NEEDED_MIB = 2_000
"""Resident memory of all processes under the traffic of `make run`, measured: docs/start/twin.md."""
NEEDED_DISK_MIB = 1_000
"""Free space in the folder for temporary files; hours of logs, states and objects take less."""
_MEMINFO = Path("/proc/meminfo")


def memory_warning(meminfo: Path = _MEMINFO) -> str | None:
    """A warning if memory may be too short; None if it is not, or unknown."""
    try:
        found = re.search(r"^MemAvailable: +(\d+) kB$", meminfo.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    if found is None or (available := int(found[1]) // 1024) >= NEEDED_MIB:
        return None
    return (
        f"only {available:,} MiB of memory are free and the twin takes about {NEEDED_MIB:,}: close other "
        "programs, or parts of it may be killed"
    )


def disk_warning(folder: Path | None = None) -> str | None:
    """A warning if the disk may be too full. folder: for temporary files."""
    folder = folder or Path(tempfile.gettempdir())
    available = shutil.disk_usage(folder).free // 1024**2
    if available >= NEEDED_DISK_MIB:
        return None
    return (
        f"only {available:,} MiB are free in {folder} and the twin may take "
        f"{NEEDED_DISK_MIB:,}: free room there, or set TMPDIR to another folder"
    )
