"""How other terminals reach a running twin: a socket in its working folder, which only its user can enter.

A request is one line of JSON: {"drill": name, "solve": bool, "lasts_seconds": number}, {"start": part},
without a name which have ended, {"state": true} (what is said is JSON, twin/drills/state.py) or
{"close": true} (JSON too, once every click is accounted for). The answer is lines of JSON: {"say": text}, at
last {"end": exit code}.
"""

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from twin.drills.asking import SOCKET
from twin.drills.drill import Say, drill
from twin.drills.faults import FAULTS
from twin.drills.run import DrilledRun
from twin.drills.state import StateOfRun
from twin.processes import TwinError
from twin.recovery import Recovery

MAX_REQUEST_BYTES = 10_000
STAYS_SECONDS = 5.0
"""A part does its next step within these, and so ends again if what ended it goes on."""
STAYS_POLL_SECONDS = 0.2


class Control:
    """Carries out requests for a run, one drill at a time."""

    def __init__(self, run: DrilledRun, recovery: Recovery) -> None:
        self._run = run
        self._recovery = recovery
        self._state = StateOfRun(run)
        self._drilling = threading.Lock()
        self._said = ""
        self._under_way = ""

    def under_way(self) -> str:
        """The drill, since when, and what it said last, in one line; empty if there is none."""
        drill = self._under_way
        return drill and f"{drill}: {(self._said.splitlines() or [''])[0]}"

    def answer(self, line: bytes, say: Say) -> int:
        """Carry out a request. Returns an exit code: 0 done, 1 failed, 2 not understood."""
        try:
            request = json.loads(line)
            return self._carry_out(request, say)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            say(f"not understood: {error!r}")
            return 2
        except TwinError as error:
            say(str(error))
            return 1

    def _carry_out(self, request: dict[str, Any], say: Say) -> int:
        if "start" in request:
            self._start(request["start"], say)
            return 0
        if "state" in request:
            say(json.dumps(self._state.now()))
            return 0
        if "close" in request:
            say(json.dumps(self._state.closed()))
            return 0
        fault = FAULTS.get(request["drill"])
        if fault is None:
            say(f"no fault {request['drill']!r}; there are {', '.join(FAULTS)}")
            return 2
        if not self._drilling.acquire(blocking=False):
            say(f"a drill is under way, wait for its end; it said last: {self._said}")
            return 1

        begun = datetime.now().astimezone()
        self._under_way = f"drill {fault.name} since {begun:%H:%M:%S}"
        self._said = f"{fault.name} begins"

        def said(text: str) -> None:
            self._said = text
            say(text)

        try:
            drill(
                fault,
                self._run,
                said,
                solve=bool(request.get("solve")),
                lasts_seconds=request.get("lasts_seconds"),
            )
        finally:
            self._under_way = ""
            self._drilling.release()
        return 0

    def _start(self, name: str | None, say: Say) -> None:
        if name is None:
            say("\n".join(self._recovery.told()))
            return
        outcome = self._recovery.start(name)
        say(f"starting {name} ...")
        outcome.result()
        self._wait_whether_it_stays(name)
        say(f"{name} runs")

    def _wait_whether_it_stays(self, name: str) -> None:
        """Raises TwinError if it ends again, as on a disk that is still full."""
        until = time.monotonic() + STAYS_SECONDS
        while time.monotonic() < until:
            for part in self._recovery.ended():
                if part.name == name:
                    raise TwinError(f"it did not stay: {part.told}")
            time.sleep(STAYS_POLL_SECONDS)


@contextmanager
def controlled(control: Control, folder: Path) -> Iterator[None]:
    """Take requests within the block. folder: the twin's working folder.

    Raises TwinError if its path is too long for a socket.
    """
    path = folder / SOCKET
    try:
        server = _Server(str(path), control.answer)
    except OSError as error:
        raise TwinError(f"no drills can reach this run, set TMPDIR to a shorter path: {error}") from error
    thread = threading.Thread(target=server.serve_forever, name="control", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.hang_up()
        server.server_close()
        path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, answer: Callable[[bytes, Say], int]) -> None:
        super().__init__(path, _Handler)
        self.answer = answer
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """The parts end with the run: what a drill would still say of them is not so."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline(MAX_REQUEST_BYTES)
        try:
            code = self.server.answer(line, self._say)
        except Exception as error:  # said, instead of a traceback in the run's picture
            self._say(f"unforeseen, the outcome is unknown: {error!r}")
            code = 1
        self._write({"end": code})

    def _say(self, text: str) -> None:
        self._write({"say": text})

    def _write(self, part: dict[str, Any]) -> None:
        try:
            self.wfile.write(json.dumps(part).encode() + b"\n")
        except OSError:  # who asked has gone; what was begun is carried out
            return
