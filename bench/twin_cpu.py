"""CPU time of the parts of a running twin, from /proc, by whether they are deployed on AWS."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from bench.subprocesses import parents, stat_fields

FLINK, OPENSEARCH, FUNCTIONS = "Flink", "OpenSearch", "Lambda functions"
DEPLOYED = (FLINK, OPENSEARCH, FUNCTIONS)
EMULATOR = "emulated AWS"
LAMBDA_POLL, CONNECTORS, FIREHOSE = "event source worker", "connectors' worker", "delivery workers"
SENDER, WATCHING = "the sender", "watching"
BENCHMARK = (SENDER, WATCHING)
IN_PROCESS = (LAMBDA_POLL, CONNECTORS, FIREHOSE, *BENCHMARK)
"""Threads of this process; those that are not the benchmark's own stand in for a service."""
PARTS = (*DEPLOYED, EMULATOR, *IN_PROCESS)

COMMANDS = {
    "ministack-lambda": FUNCTIONS,
    "twin.emulator_server": EMULATOR,
    "org.opensearch.bootstrap": OPENSEARCH,
    "flink": FLINK,
}
_THREADS = {
    "put-records": SENDER,
    SENDER: SENDER,
    "event source": LAMBDA_POLL,
    "delivery stream": FIREHOSE,
}
_TICKS = os.sysconf("SC_CLK_TCK")


class PartTimes:
    """Call `sample` regularly: a process that ends keeps the time of its last sample."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], float] = {}
        self.sample()

    def sample(self) -> None:
        for part, identity, folder in [*_processes(), *_threads()]:
            with suppress(OSError):  # it has just ended
                fields = stat_fields(folder)
                self._seconds[part, identity] = (int(fields[11]) + int(fields[12])) / _TICKS

    def seconds(self) -> Mapping[str, float]:
        """User and system time so far, by part."""
        total: dict[str, float] = defaultdict(float, dict.fromkeys(PARTS, 0.0))
        for (part, _), seconds in self._seconds.items():
            total[part] += seconds
        return dict(total)


def _processes() -> Iterator[tuple[str, int, Path]]:
    """Processes that this process started, and their children."""
    parent_of = parents()
    for process in parent_of:
        ancestors = list(_ancestors(process, parent_of))
        if os.getpid() not in ancestors:
            continue
        folder = Path(f"/proc/{process}")
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            part = next((part for known, part in COMMANDS.items() if known in command), WATCHING)
            yield part, process, folder


def _ancestors(process: int, parent_of: Mapping[int, int]) -> Iterator[int]:
    above = parent_of.get(process)
    while above:
        yield above
        above = parent_of.get(above)


def _threads() -> Iterator[tuple[str, int, Path]]:
    for thread in threading.enumerate():
        if thread.native_id is not None:
            yield part_of_thread(thread.name), thread.native_id, Path(f"/proc/self/task/{thread.native_id}")


def part_of_thread(name: str) -> str:
    if name.endswith((" to files", " from files")):
        return CONNECTORS
    return next((part for known, part in _THREADS.items() if name.startswith(known)), WATCHING)
