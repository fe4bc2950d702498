"""Asking a running twin for something, from another process: one line of JSON, answered by lines."""

import json
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOCKET = "control.sock"
"""In the working folder of a running twin."""


def running_twins() -> list[Path]:
    """The sockets of this user's twins, the newest first; one may be left by a run that was killed."""
    found = list(Path(tempfile.gettempdir()).glob(f"click-trends-twin-*/{SOCKET}"))
    return sorted(found, key=_made_at, reverse=True)


def _made_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # the run ends now
        return 0.0


def answers(path: Path) -> bool:
    """Whether a twin listens at the socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def ask(path: Path, request: dict[str, Any], say: Callable[[str], object]) -> int:
    """Send a request (twin/drills/control.py), and hand on what is said. Returns the exit code answered; 1 if
    the run ended before, and says so."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answer:
                for line in answer:
                    part = json.loads(line)
                    if "end" in part:
                        return int(part["end"])
                    say(part["say"])
    except OSError as error:
        say(f"the connection broke, {error}; the outcome is unknown")
        return 1
    say("the run ended before the answer; the outcome is unknown")
    return 1
