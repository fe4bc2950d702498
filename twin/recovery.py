"""What becomes of a part that ends while a run goes on: Flink starts again, as on AWS; others wait for a
person."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from twin.ended import EndedPart, ended
from twin.processes import TwinError
from twin.twin import FLINK, Twin

PAUSE_SECONDS = 5.0
"""Between two starts of an application that does not stay up."""


@dataclass(frozen=True)
class _Start:
    """Of a part, under way or done."""

    outcome: "Future[None]"
    began_at: float


class Recovery:
    """Looks after the parts of a running twin; may be used from several threads."""

    def __init__(self, twin: Twin, pool: ThreadPoolExecutor) -> None:
        self._twin = twin
        self._pool = pool
        self._lock = threading.Lock()
        self._starts: dict[str, _Start] = {}

    def ended(self) -> list[EndedPart]:
        """The parts that have ended and are not being started. Starts Flink, if its process has ended."""
        with self._lock:
            found = [part for part in ended(self._twin.parts()) if not self._is_starting(part.name)]
            application = self._twin.application
            if any(part.name == FLINK for part in found) and application is not None and application.has_died:
                last = self._starts.get(FLINK)
                if last is None or time.monotonic() - last.began_at > PAUSE_SECONDS:
                    self._begin(FLINK)
                    found = [part for part in found if part.name != FLINK]
            return found

    def starting(self) -> list[str]:
        """Names of the parts that are being started."""
        with self._lock:
            return [name for name in self._starts if self._is_starting(name)]

    def told(self) -> list[str]:
        """What has ended, in a line each, and what is being started; if neither, the names of all parts."""
        lines = [part.told for part in self.ended()]
        lines += [f"{name} is started again" for name in self.starting()]
        return lines or [f"no part has ended, of {', '.join(part.name for part in self._twin.parts())}"]

    def start(self, name: str) -> "Future[None]":
        """Start an ended part. Raises TwinError if there is none of this name, or it cannot be started."""
        with self._lock:
            if self._is_starting(name):
                return self._starts[name].outcome
            parts = {part.name: part for part in self._twin.parts()}
            if name not in parts:
                raise TwinError(f"no part {name!r}: this run has {', '.join(parts)}")
            if not ended([parts[name]]):
                raise TwinError(f"{name} has not ended: nothing to start")
            if parts[name].start is None:
                raise TwinError(f"all that {name} held is lost: end the run (Ctrl-C) and begin another")
            return self._begin(name)

    def _begin(self, name: str) -> "Future[None]":
        [start] = [part.start for part in self._twin.parts() if part.name == name]
        assert start is not None
        outcome = self._pool.submit(start)
        self._starts[name] = _Start(outcome, time.monotonic())
        return outcome

    def _is_starting(self, name: str) -> bool:
        last = self._starts.get(name)
        return last is not None and not last.outcome.done()
