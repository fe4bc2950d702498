"""Is there enough memory for the twin? Linux says what can be had without swapping, other systems do not."""

import re
from pathlib import Path

NEEDED_MIB = 2_000
"""Resident memory of all processes under the traffic of `make run`: docs/twin.md says how it was measured."""
_MEMINFO = Path("/proc/meminfo")


def memory_warning(meminfo: Path = _MEMINFO) -> str | None:
    """What to say before a start that memory may be too short for; None where it is not or nobody knows."""
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
