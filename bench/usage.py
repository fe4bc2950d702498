"""What a command uses: processor time, memory and time, with all the processes that it starts. Linux only.

`usage` measures in a process of its own, this module, since it waits for every child that the process has.
"""

import ctypes
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
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


def usage(command: list[str], *, log: Path) -> Usage:
    """Of `command` and all it starts, children that it doesn't wait for included.

    SystemExit with the end of `log` if the command fails.
    """
    measuring = [sys.executable, "-m", "bench.usage", str(log), *command]
    done = subprocess.run(measuring, stdout=subprocess.PIPE, text=True, cwd=PROJECT, check=False)
    if done.returncode:
        text = log.read_text(errors="replace") if log.exists() else ""
        raise SystemExit(f"{' '.join(command)} failed:\n{text[-3000:]}")
    return Usage(**json.loads(done.stdout))


def _measure(log: Path, command: list[str]) -> Usage:
    """A JVM that PyFlink has started outlives Python: this process becomes the parent of such orphans, and
    the kernel tells the time of each when it has ended."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise SystemExit("prctl(PR_SET_CHILD_SUBREAPER) failed: the time of orphans can't be had here")
    began = time.monotonic()
    with log.open("wb") as output:
        files = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)]
        started = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    cpu_seconds, peak_kib, failed = 0.0, 0, False
    while True:
        try:
            process, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu_seconds += used.ru_utime + used.ru_stime
        peak_kib = max(peak_kib, used.ru_maxrss)
        failed = failed or (process == started and status != 0)
    if failed:
        raise SystemExit(1)
    return Usage(
        cpu_seconds=cpu_seconds,
        wall_seconds=time.monotonic() - began,
        peak_mib=peak_kib / 1024,
        output=log.read_text(errors="replace"),
    )


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(Path(sys.argv[1]), sys.argv[2:]))))
