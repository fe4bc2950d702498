"""CPU time, memory and time of a command and all the processes that it starts. Linux only.

`usage` runs this module as a process of its own, since it waits for every child of its process.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.subprocesses import BenchmarkError, adopt_orphans, output
from twin.processes import die_with_parent


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
            raise BenchmarkError(f"no JSON in the output:\n{self.output[-3000:]}")
        return json.loads(lines[-1])


def usage(command: list[str], *, log: Path) -> Usage:
    """Usage of `command` and all its children, including those that it does not wait for.

    Raises BenchmarkError with the end of `log` if the command fails.
    """
    try:
        done = output([sys.executable, "-m", "bench.usage", str(log), *command])
    except BenchmarkError as error:
        text = log.read_text(errors="replace") if log.exists() else ""
        raise BenchmarkError(f"{error}\n{text[-3000:]}") from None
    return Usage(**json.loads(done))


def _measure(log: Path, command: list[str]) -> Usage:
    """A JVM started by PyFlink outlives Python. This process becomes the parent of such orphans, so the
    kernel reports the time of each when it ends."""
    adopt_orphans()
    began = time.monotonic()
    with log.open("wb") as file:
        started = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 (one system call, takes no lock)
        )
    cpu_seconds, peak_kib = 0.0, 0
    while True:
        try:
            process, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu_seconds += used.ru_utime + used.ru_stime
        peak_kib = max(peak_kib, used.ru_maxrss)
        if process == started.pid:
            started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(1)
    return Usage(
        cpu_seconds=cpu_seconds,
        wall_seconds=time.monotonic() - began,
        peak_mib=peak_kib / 1024,
        output=log.read_text(errors="replace"),
    )


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(Path(sys.argv[1]), sys.argv[2:]))))
