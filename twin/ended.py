"""The parts of a running twin: which have ended, whether they can be started again, and how all are ended."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from twin.processes import TwinError

SLOW_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class TwinPart:
    """check: raises TwinError if it has ended. start: starts it again where it stopped, and raises TwinError
    if it cannot; None if what it knew ended with it."""

    name: str
    check: Callable[[], None]
    start: Callable[[], None] | None


@dataclass(frozen=True, kw_only=True)
class EndedPart:
    """problem: why, and the last errors of its log, in lines."""

    name: str
    problem: str
    can_start: bool

    @property
    def told(self) -> str:
        """In one line; what to do comes first, as a terminal may be too narrow for the rest."""
        cause = self.problem.splitlines()[0].removesuffix(":")
        if self.can_start:
            return f"{self.name} has ended; in another terminal: make start PART={self.name} ({cause})"
        return f"{self.name} has ended, all it held is lost: end this run (Ctrl-C), begin another ({cause})"


def ended(parts: Iterable[TwinPart]) -> list[EndedPart]:
    """Those that have ended, in the given order. If the state of one is lost, only such: no start of another
    helps then."""
    found = []
    for part in parts:
        try:
            part.check()
        except TwinError as error:
            found.append(EndedPart(name=part.name, problem=str(error), can_start=part.start is not None))
    return [part for part in found if not part.can_start] or found


def end_all(stops: Sequence[tuple[str, Callable[[], object]]], say: Callable[[str], object] = print) -> None:
    """Call each in turn, whatever the others raise; then raise the first error. stops: with the parts' names;
    one that takes long is named."""
    errors: list[Exception] = []
    for name, stop in stops:
        try:
            with _told_if_slow(name, say):
                stop()
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]


@contextmanager
def _told_if_slow(name: str, say: Callable[[str], object]) -> Iterator[None]:
    telling = threading.Timer(SLOW_SECONDS, say, [f"waiting for {name} to end what it has begun ..."])
    telling.daemon = True
    telling.start()
    try:
        yield
    finally:
        telling.cancel()
