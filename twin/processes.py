"""Child processes of the twin: started with a log file, awaited by a condition, stopped with their parent."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from twin.logs import last_errors, what_to_do

_PR_SET_PDEATHSIG = 1
MAX_PAUSE_SECONDS = 3.0
START_POLL_SECONDS = 0.3


class TwinError(RuntimeError):
    """A part of the twin did not start, or died; the message says which and where its log is."""


def free_port() -> int:
    """A free TCP port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(
    condition: Callable[[], bool],
    *,
    what: str,
    timeout_seconds: float,
    poll_seconds: float = 0.1,
    seen: Callable[[], str] | None = None,
) -> None:
    """Return as soon as `condition()` holds; raise TwinError after `timeout_seconds`.

    The error says `what` was awaited and, by `seen`, what was found instead. A condition that takes long is
    asked for half of the time.
    """
    deadline = time.monotonic() + timeout_seconds
    asked = time.monotonic()
    while not condition():
        now = time.monotonic()
        if now > deadline:
            raise TwinError(f"{what}: not within {timeout_seconds:.0f} s{_told(seen)}")
        time.sleep(max(poll_seconds, min(now - asked, MAX_PAUSE_SECONDS)))
        asked = time.monotonic()


def _told(seen: Callable[[], str] | None) -> str:
    if seen is None:
        return ""
    try:
        return f"; {seen()}"
    except Exception as error:  # the awaited condition matters; `seen` may itself be broken
        return f"; what was found is unknown: {error!r}"


def die_with_parent() -> None:
    """In the child: be killed when the parent dies, however it dies (Linux only; elsewhere a no-op)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_STARTER = ThreadPoolExecutor(1, "starter")


def _in_lasting_thread(command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    """Start it. The signal of `die_with_parent` comes when the thread ends that made the child (prctl(2))."""

    def started() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, **options)

    if threading.current_thread() is threading.main_thread():
        return started()
    return _STARTER.submit(started).result()


class ChildProcess:
    """A server of the twin, in its own session so that Ctrl-C reaches only the parent."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        other_logs: Callable[[], Sequence[Path]] = tuple,
    ) -> None:
        """log: for its output; other_logs: files that it writes itself."""
        self.name = name
        self.log = log
        self._other_logs = other_logs
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = _in_lasting_thread(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=die_with_parent,  # one system call, takes no lock
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def wait_until(self, ready: Callable[[], bool], *, timeout_seconds: float) -> None:
        """Wait for `ready()`. Raises TwinError with its last errors if the process ends or time runs out."""

        def ready_or_dead() -> bool:
            return not self.running or ready()

        wait_for(
            ready_or_dead,
            what=f"{self.name} ready",
            timeout_seconds=timeout_seconds,
            poll_seconds=START_POLL_SECONDS,
            seen=self.last_errors,
        )
        self.check()

    def check(self) -> None:
        """Raise TwinError with the log's last errors if the process has ended."""
        if not self.running:
            errors = self.last_errors()
            ended = f"{self.name} ended with exit code {self.exit_code}"
            if self.exit_code == -signal.SIGKILL:
                ended += " (killed, as the system does when memory is short)"
            advice = what_to_do(errors)
            raise TwinError(f"{ended}{f': {advice}' if advice else ''}; {errors}")

    def last_errors(self) -> str:
        return last_errors([self.log, *self._other_logs()])

    def kill(self) -> None:
        """End the whole process group at once, like a machine that loses power."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        """Take all processor time from it, until `go_on()`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self, *, grace_seconds: float = 10) -> None:
        """Ask the process group to end, and kill it after `grace_seconds`."""
        if self.running:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_seconds)
        self._signal(signal.SIGKILL)  # what the leader left in its group
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return
