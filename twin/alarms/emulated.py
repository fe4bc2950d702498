"""In the emulator's process: our evaluator in place of MiniStack's, over its alarms and metrics.

MiniStack's own takes every datapoint of a name whatever its dimensions, knows no M of N, no missing data and
no expression, and evaluates when a metric is put. Here each alarm is evaluated once a minute of the clock;
its state, history and actions are MiniStack's: an action reaches the emulated SNS.

  GET /_twin/alarms   every alarm of every region: see `described`
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import cloudwatch

from names import OREGON, TOKYO, TWIN_ACCOUNT
from twin.alarms.clock import AlarmClock
from twin.alarms.compaction import compact
from twin.alarms.evaluator import (
    EVALUATED_EVERY_SECONDS,
    Dimensions,
    Sent,
    evaluate,
    read_alarm,
)
from twin.alarms.missing_data import State

ALARMS_PATH = "/_twin/alarms"
NEEDED_OF_CLOUDWATCH = (
    "_alarms",
    "_metrics",
    "_point_stats",
    "_evaluate_alarm",
    "_record_history",
    "_dispatch_alarm_actions",
    "_evaluate_parent_alarms",
    "_evict_old_metrics",
)
NEEDED_OF_PROVISIONERS = ("_cw_metric_alarm_record",)
REGIONS = (TOKYO, OREGON)
COMPACTED_EVERY_SECONDS = 30.0
"""Of the wall: on a fast clock a minute is too short to look at every datapoint there is."""
_EXPRESSION = "Expression"  # a namespace of ours; MiniStack takes only alarms on a metric

logger = logging.getLogger("twin.alarms")


def take_alarms_on_expressions(provisioners: ModuleType) -> None:
    """MiniStack's CloudFormation refuses them. provisioners: its module of that name."""
    record = provisioners._cw_metric_alarm_record

    def recorded(name: str, properties: dict[str, Any]) -> Any:
        queries = properties.get("Metrics")
        if not queries:
            return record(name, properties)
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        alarm = record(name, {**plain, "Namespace": _EXPRESSION, "MetricName": name})
        for unknown in ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "Dimensions"):
            alarm.pop(unknown, None)
        return {**alarm, "Metrics": _as_the_api(queries)}

    provisioners._cw_metric_alarm_record = recorded  # type: ignore[attr-defined]


def _as_the_api(queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """MetricDataQueries of a template, whose numbers may be text."""
    found = []
    for query in queries:
        typed = dict(query)
        if "Period" in typed:
            typed["Period"] = int(typed["Period"])
        if stat := typed.get("MetricStat"):
            typed["MetricStat"] = {**stat, "Period": int(stat["Period"])}
        found.append(typed)
    return found


def turn_own_evaluator_off() -> None:
    """And its eviction at each request, which loses what is added meanwhile: see `compact`."""
    cloudwatch._evaluate_alarm = lambda _alarm: None
    cloudwatch._evict_old_metrics = lambda: None


class _Emulated:
    """The metrics of the region that the thread works for, seen through the clock."""

    def __init__(self, clock: AlarmClock) -> None:
        self._clock = clock

    def sent(self, namespace: str, name: str, since: float) -> Iterable[tuple[Dimensions, Sequence[Sent]]]:
        since_wall = int(self._clock.wall(since))
        for (of_namespace, of_name, _), points in list(cloudwatch._metrics.items()):
            if (of_namespace, of_name) == (namespace, name):
                kept = [point for point in list(points) if point["Timestamp"] >= since_wall]
                if kept:
                    yield (
                        frozenset(kept[0]["Dimensions"].items()),
                        [self._seen(name, point) for point in kept],
                    )

    def _seen(self, name: str, point: dict[str, Any]) -> Sent:
        number, total, lowest, highest = cloudwatch._point_stats(point)
        stretch = self._clock.stretch(name, point["Unit"])
        at = self._clock.at(point["Timestamp"])
        return Sent(at, number, total * stretch, lowest * stretch, highest * stretch)


class AlarmEvaluator:
    """Evaluates every alarm at each minute of the clock, from a thread of its own."""

    def __init__(self, clock: AlarmClock) -> None:
        self._clock = clock
        self._metrics = _Emulated(clock)

    def start(self) -> None:
        threading.Thread(target=self._run, name="alarms", daemon=True).start()

    def _run(self) -> None:
        set_request_account_id(TWIN_ACCOUNT)
        minute, compacted = self._minute(), time.monotonic()
        while True:
            while (now := self._minute()) == minute:
                remaining = minute + EVALUATED_EVERY_SECONDS - self._clock.at(time.time())
                time.sleep(max(self._clock.wall_seconds(remaining), 0.01))
            minute = now
            is_due = time.monotonic() - compacted >= COMPACTED_EVERY_SECONDS
            compacted = time.monotonic() if is_due else compacted
            for region in REGIONS:
                set_request_region(region)
                self.evaluate_all(float(minute))
                if is_due:
                    self._compact(float(minute))

    def _minute(self) -> int:
        now = self._clock.at(time.time())
        return int(now // EVALUATED_EVERY_SECONDS) * EVALUATED_EVERY_SECONDS

    def evaluate_all(self, at: float) -> None:
        """Of the thread's region. at: the end of the newest period."""
        for record in list(cloudwatch._alarms.values()):
            try:
                self._evaluate(record, at)
            except ValueError as error:
                self._cannot(record, str(error))
            except Exception:
                logger.exception("the alarm %s was not evaluated", record.get("AlarmName"))

    def _compact(self, now: float) -> None:
        for points in list(cloudwatch._metrics.values()):
            compact(points, now, at=self._clock.at, statistics=cloudwatch._point_stats)

    def _evaluate(self, record: dict[str, Any], at: float) -> None:
        current = State(record["StateValue"])
        evaluation = evaluate(read_alarm(record), self._metrics, at, current)
        if record["StateValue"] != current:  # set by someone meanwhile
            return
        record["StateReason"] = evaluation.reason
        if evaluation.state is not current:
            _enter(record, current, evaluation.state)

    def _cannot(self, record: dict[str, Any], problem: str) -> None:
        record["StateReason"] = problem
        record["EvaluationState"] = "EVALUATION_ERROR"


def _enter(record: dict[str, Any], old: State, new: State) -> None:
    record["StateValue"] = str(new)
    record["StateUpdatedTimestamp"] = record["StateTransitionedTimestamp"] = int(time.time())
    cloudwatch._record_history(record["AlarmName"], str(old), str(new), record["StateReason"])
    cloudwatch._dispatch_alarm_actions(record, str(old), str(new), record["StateReason"])
    cloudwatch._evaluate_parent_alarms(record)


def described() -> bytes:
    """JSON: of each alarm its region, name, state, when it entered it (seconds since 1970), why, and its
    description."""
    set_request_account_id(TWIN_ACCOUNT)
    found = []
    for region in REGIONS:
        set_request_region(region)
        found += [
            {
                "region": region,
                "name": record["AlarmName"],
                "state": record["StateValue"],
                "since": record["StateUpdatedTimestamp"],
                "reason": record.get("StateReason", ""),
                "description": record.get("AlarmDescription", ""),
            }
            for record in list(cloudwatch._alarms.values())
        ]
    return json.dumps(sorted(found, key=lambda alarm: str(alarm["name"]))).encode()
