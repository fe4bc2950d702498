"""What a command uses: processor time, memory and time, with all the processes that it starts. Linux only."""

import ctypes
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True, kw_only=True)
class Usage:
    """cpu_seconds: user and system time; peak_mib: resident memory of the largest process."""

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    output: str

    def answer(self) -> Any:
        """The last line of the output that is a JSON object."""
        lines = [line for line in self.output.splitlines() if line.startswith("{")]
        if not lines:
            raise SystemExit(f"no JSON in the output:\n{self.output[-3000:]}")
        return json.loads(lines[-1])


def usage(command: list[str], *, log: Path, environment: dict[str, str] | None = None) -> Usage:
    """Of `command` and all it starts, children that it doesn't wait for included.

    A JVM that PyFlink has started outlives Python: this process becomes the parent of such orphans, and the
    kernel tells the time of each when it has ended. So this process must have no other children meanwhile.
    SystemExit with the end of `log` if the command fails.
    """
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise SystemExit("prctl(PR_SET_CHILD_SUBREAPER) failed: the time of orphans can't be had here")
    began = time.monotonic()
    with log.open("wb") as output:
        files = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)]
        started = os.posix_spawn(command[0], command, environment or os.environ, file_actions=files)
    cpu_seconds, peak_kib, failed = 0.0, 0, False
    while True:
        try:
            process, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu_seconds += used.ru_utime + used.ru_stime
        peak_kib = max(peak_kib, used.ru_maxrss)
        failed = failed or (process == started and status != 0)
    text = log.read_text(errors="replace")
    if failed:
        raise SystemExit(f"{' '.join(command)} failed:\n{text[-3000:]}")
    return Usage(
        cpu_seconds=cpu_seconds,
        wall_seconds=time.monotonic() - began,
        peak_mib=peak_kib / 1024,
        output=text,
    )
