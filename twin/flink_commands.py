"""In the emulator's process: commands of Managed Service for Apache Flink, which the twin carries out.

MiniStack would run Flink in Docker. Here it gives commands instead, which the twin carries out with its own
Flink (twin/analytics.py). So an application is RUNNING only when its job runs, and a snapshot holds the job's
state.

  GET  /_twin/flink-commands/<region>/<application>   the oldest waiting command, or null
  POST /_twin/flink-commands/<region>/<application>   a command's result
"""

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ministack.services import kinesisanalyticsv2_flink as flink

COMMANDS_PATH = "/_twin/flink-commands/"
NEEDED_OF_FLINK = ("available", "supports", "start", "stop", "snapshot", "delete", "reset")
ANSWER_TIMEOUT_SECONDS = 120

Kind = Literal["start", "stop", "snapshot"]
Application = dict[str, Any]  # as MiniStack describes it, with AccountId and Region
StatusCallback = Callable[..., None]


@dataclass
class FlinkCommand:
    """savepoint: for a start, the state to start from; keep_state: for a stop, whether to take a savepoint
    first; answer: is called with the twin's result; cancelled: a later stop has superseded it."""

    number: int
    kind: Kind
    answer: Callable[["JobReport"], None]
    savepoint: str | None = None
    keep_state: bool = False
    cancelled: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "kind": self.kind,
            "savepoint": self.savepoint,
            "keep_state": self.keep_state,
        }


@dataclass(frozen=True)
class JobReport:
    """problem: why a command failed; savepoint: the path of what a stop or snapshot took."""

    problem: str | None = None
    savepoint: str | None = None


@dataclass
class _FlinkCommands:
    waiting: list[FlinkCommand] = field(default_factory=list)
    taken: dict[int, FlinkCommand] = field(default_factory=dict)


_lock = threading.Lock()
_numbers = itertools.count(1)
_commands: dict[tuple[str, str], _FlinkCommands] = {}  # (region, application)


def _of(region: str, application: str) -> _FlinkCommands:
    return _commands.setdefault((region, application), _FlinkCommands())


def _give(app: Application, kind: Kind, answer: Callable[[JobReport], None], **what: Any) -> None:
    with _lock:
        commands = _of(app["Region"], app["ApplicationName"])
        if kind == "stop":  # a start in progress will no longer become RUNNING
            for command in (*commands.waiting, *commands.taken.values()):
                command.cancelled = command.cancelled or command.kind == "start"
        commands.waiting.append(FlinkCommand(next(_numbers), kind, answer, **what))


def _give_and_wait(app: Application, kind: Kind, **what: Any) -> str | None:
    answered = threading.Event()
    outcomes: list[JobReport] = []

    def answer(outcome: JobReport) -> None:
        outcomes.append(outcome)
        answered.set()

    _give(app, kind, answer, **what)
    if not answered.wait(ANSWER_TIMEOUT_SECONDS):
        return None
    return outcomes[0].savepoint


def _start(app: Application, savepoint_path: str | None, on_status: StatusCallback) -> None:
    def answer(outcome: JobReport) -> None:
        if outcome.problem is None:
            on_status("RUNNING")
        else:
            on_status("READY", outcome.problem)

    _give(app, "start", answer, savepoint=savepoint_path)


def _stop(app: Application, force: bool, take_snapshot: bool) -> str | None:
    return _give_and_wait(app, "stop", keep_state=take_snapshot and not force)


def _snapshot(app: Application, _snapshot_name: str) -> str | None:
    return _give_and_wait(app, "snapshot")


def _delete(app: Application) -> None:
    _give_and_wait(app, "stop")


def _reset() -> None:
    with _lock:
        _commands.clear()


def replace_docker_by_commands() -> None:
    """Replace MiniStack's Docker containers by commands."""
    flink.available = lambda: True
    flink.supports = lambda _runtime: True
    flink.start = _start
    flink.stop = _stop
    flink.snapshot = _snapshot
    flink.delete = _delete
    flink.reset = _reset


def take_command(path: str) -> bytes:
    """The JSON of the oldest waiting command for the application of `path`, or null."""
    region, application = path.removeprefix(COMMANDS_PATH).split("/")
    with _lock:
        commands = _of(region, application)
        if not commands.waiting:
            return b"null"
        command = commands.waiting.pop(0)
        commands.taken[command.number] = command
    return json.dumps(command.as_json()).encode()


def answer_command(path: str, body: bytes) -> bytes:
    """Pass on a command's result; the body has its `number` and the fields of a JobReport.

    Returns whether the command was still wanted. Raises KeyError for a command that was never taken.
    """
    region, application = path.removeprefix(COMMANDS_PATH).split("/")
    said = json.loads(body)
    with _lock:
        command = _of(region, application).taken.pop(said.pop("number"))
    if not command.cancelled:
        command.answer(JobReport(**said))
    return json.dumps(not command.cancelled).encode()
