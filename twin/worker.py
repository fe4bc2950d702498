"""A background thread of the twin: repeats a step until stopped, and keeps the error that ended it."""

import threading
from collections.abc import Callable

from twin.logs import what_to_do
from twin.processes import TwinError


class Worker:
    """Calls `step` until `stop()`; after a step that returns False, it pauses.

    An exception in a step ends the worker; `check()` raises it in the caller's thread, so that no worker dies
    unseen.
    """

    def __init__(self, name: str, step: Callable[[], bool], *, idle_seconds: float) -> None:
        self._name = name
        self._step = step
        self._idle_seconds = idle_seconds
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self._thread = self._started()

    def _started(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        thread.start()
        return thread

    def start_again(self) -> None:
        """Go on with the next step, if an exception has ended the worker."""
        if self._error is not None:
            self._thread.join()
            self._error = None
            self._thread = self._started()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self._step():
                    self._stopping.wait(self._idle_seconds)
        except BaseException as error:  # kept for check()
            self._error = error

    def check(self) -> None:
        """Raise TwinError if an exception has ended the worker."""
        if self._error is not None:
            advice = what_to_do(repr(self._error))
            raise TwinError(
                f"the worker {self._name} ended: {f'{advice}; ' if advice else ''}{self._error!r}"
            ) from self._error

    def stop(self) -> None:
        """Let the running step end, then return. Raises like `check()`."""
        self._stopping.set()
        self._thread.join()
        self.check()
