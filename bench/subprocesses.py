"""Commands that the benchmarks start: neither they nor their children outlive the benchmark."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from twin.processes import die_with_parent

PROJECT = Path(__file__).parent.parent
MAX_SECONDS = 1200
"""On two cores no command of a benchmark takes a third of this."""
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


class BenchmarkError(Exception):
    """A measurement failed; the message says which, why and what to do."""


def output(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> str:
    """What `command` prints, run in the project's folder. Raises BenchmarkError if it fails or hangs.

    It has a session of its own, so that Ctrl-C reaches this process only, which then ends all of it; a
    process that is killed takes it along.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=env,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 (one system call, takes no lock)
    ) as process:
        try:
            printed, _ = process.communicate(timeout=MAX_SECONDS)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"not done within {MAX_SECONDS} s: {' '.join(command)}") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise BenchmarkError(f"exit code {process.returncode}: {' '.join(command)}")
    return printed


def adopt_orphans() -> None:
    """Make this process the parent of what its children leave behind: so it can be waited for, and its time
    is known. Raises BenchmarkError where there is no such thing (Linux has it)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None or prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise BenchmarkError("the processor time of orphans can't be had here: run the benchmarks on Linux")


def end_orphans(older: Collection[int]) -> None:
    """End what a section has left behind, by id, and wait for it: children of this process, but for the
    `older` ones. What they started becomes this process's child when they end."""
    while new := set(children_of(os.getpid())) - set(older):
        for process in new:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


def parents() -> dict[int, int]:
    """The parent of each process there is, from /proc."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            found[int(folder.name)] = int(stat_fields(folder)[1])
    return found


def children_of(ancestor: int) -> list[int]:
    return [process for process, parent in parents().items() if parent == ancestor]


def stat_fields(folder: Path) -> list[str]:
    """Of /proc/<process>/stat after the name, which may hold anything: state, parent, ..."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
