"""The segments' door in the twin: its command, and its function invoked without waiting for the schedule."""

import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from names import OREGON
from tests.end_to_end.conftest import Pipeline

BETWEEN_INVOCATIONS_SECONDS = 1


def click_trends(pipeline: Pipeline, *words: str) -> subprocess.CompletedProcess[str]:
    """A command, with its role and nothing else of the environment."""
    line = f'. "{pipeline.twin.write_reader_environment()}" && exec click-trends {shlex.join(words)}'
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    return subprocess.run(
        ["bash", "-c", line], cwd="/", env=environment, capture_output=True, text=True, check=False
    )


@contextmanager
def publisher_at_work(pipeline: Pipeline) -> Iterator[None]:
    """Invoke the publisher over and over: its schedule would let each upload wait for up to a minute."""
    invoke = pipeline.twin.emulator.client("lambda", OREGON).invoke
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            invoke(FunctionName=pipeline.twin.names.segments_publisher, Payload=b"{}")
            stop.wait(BETWEEN_INVOCATIONS_SECONDS)

    working = threading.Thread(target=work)
    working.start()
    try:
        yield
    finally:
        stop.set()
        working.join()
