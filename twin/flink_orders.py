"""In the emulator's process: orders of Managed Service for Apache Flink for jobs, which the twin carries out.

MiniStack would run Flink in Docker. Here it gives orders instead, which the twin carries out with its own
Flink (twin/analytics.py). So an application is RUNNING only when its job runs, and a snapshot holds the job's
state.

  GET  /_twin/flink-orders/<region>/<application>   the oldest waiting order, or null
  POST /_twin/flink-orders/<region>/<application>   an order's result
"""

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ministack.services import kinesisanalyticsv2_flink as flink

ORDERS_PATH = "/_twin/flink-orders/"
NEEDED_OF_FLINK = ("available", "supports", "start", "stop", "snapshot", "delete", "reset")
ANSWER_TIMEOUT_SECONDS = 120

Kind = Literal["start", "stop", "snapshot"]
Application = dict[str, Any]  # as MiniStack describes it, with AccountId and Region
StatusCallback = Callable[..., None]


@dataclass
class Order:
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
    """problem: why an order failed; savepoint: the path of what a stop or snapshot took."""

    problem: str | None = None
    savepoint: str | None = None


@dataclass
class _Orders:
    waiting: list[Order] = field(default_factory=list)
    taken: dict[int, Order] = field(default_factory=dict)


_lock = threading.Lock()
_numbers = itertools.count(1)
_orders: dict[tuple[str, str], _Orders] = {}  # (region, application)


def _of(region: str, application: str) -> _Orders:
    return _orders.setdefault((region, application), _Orders())


def _give(app: Application, kind: Kind, answer: Callable[[JobReport], None], **what: Any) -> None:
    with _lock:
        orders = _of(app["Region"], app["ApplicationName"])
        if kind == "stop":  # a start in progress will no longer become RUNNING
            for order in (*orders.waiting, *orders.taken.values()):
                order.cancelled = order.cancelled or order.kind == "start"
        orders.waiting.append(Order(next(_numbers), kind, answer, **what))


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
        _orders.clear()


def order_jobs_from_the_twin() -> None:
    """Replace MiniStack's Docker containers by orders."""
    flink.available = lambda: True
    flink.supports = lambda _runtime: True
    flink.start = _start
    flink.stop = _stop
    flink.snapshot = _snapshot
    flink.delete = _delete
    flink.reset = _reset


def take_order(path: str) -> bytes:
    """The JSON of the oldest waiting order for the application of `path`, or null."""
    region, application = path.removeprefix(ORDERS_PATH).split("/")
    with _lock:
        orders = _of(region, application)
        if not orders.waiting:
            return b"null"
        order = orders.waiting.pop(0)
        orders.taken[order.number] = order
    return json.dumps(order.as_json()).encode()


def answer_order(path: str, body: bytes) -> bytes:
    """Pass on an order's result; the body has its `number` and the fields of a JobReport.

    Returns whether the order was still wanted. Raises KeyError for an order that was never taken.
    """
    region, application = path.removeprefix(ORDERS_PATH).split("/")
    said = json.loads(body)
    with _lock:
        order = _of(region, application).taken.pop(said.pop("number"))
    if not order.cancelled:
        order.answer(JobReport(**said))
    return json.dumps(not order.cancelled).encode()
