"""Causes faults in a running twin and writes down when alarms changed their state."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from names import OREGON, TOKYO
from tests.alarm_faults.alarm_fault import AlarmFault
from twin.alarms.evaluator import EVALUATED_EVERY_SECONDS, EvaluatedAlarm, read_alarm
from twin.alarms.fault_table import CausedAlarm
from twin.alarms.missing_data import EXTRA_DATAPOINTS, Missing, State
from twin.processes import TwinError, wait_for
from twin.twin import Twin

POLL_SECONDS = 0.25
PUBLICATION_SECONDS = 60.0
"""Of the clock: the functions and services here send their metrics once a minute, or more often."""
MACHINE_SECONDS = 60.0
"""Of the wall: what a busy machine adds to what settings promise, such as starts of processes."""
WAIT_SECONDS = 300.0
"""Of the wall, beyond what is promised, before a fault is given up."""
OK_SECONDS = 900.0
"""Of the wall: an alarm on an hour or more leaves ALARM when the fault is so far back."""


@dataclass(frozen=True, kw_only=True)
class Caused:
    """When a fault was caused and ended, in seconds of time.time(); problem: why it was not."""

    at: float
    ended: float
    problem: str | None = None

    def told(self) -> str:
        return self.problem or f"its alarms are in ALARM after {self.ended - self.at:.0f} s of the wall"


@dataclass
class Watch:
    """entered: of each alarm, its states with the time in which it was first seen in each."""

    twin: Twin
    prefix: str
    entered: dict[str, list[tuple[float, State]]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(POLL_SECONDS):
            now = time.time()
            for alarm in self.twin.alarms():
                states = self.entered.setdefault(alarm.name.removeprefix(self.prefix), [])
                if not states or states[-1][1] is not alarm.state:
                    states.append((now, alarm.state))

    def since(self, alarm: str, state: State, after: float) -> float | None:
        """When it was first in the state after a time; None if it was not."""
        states = list(self.entered.get(alarm, ()))
        for number, (at, one) in enumerate(states):
            left = states[number + 1][0] if number + 1 < len(states) else time.time()
            if one is state and left > after:
                return max(at, after)
        return None

    def wait(self, alarms: Sequence[str], state: State, after: float, seconds: float) -> None:
        """Raises TwinError."""
        wait_for(
            lambda: all(self.since(alarm, state, after) is not None for alarm in alarms),
            what=f"{', '.join(alarms)} {state}",
            timeout_seconds=seconds,
            poll_seconds=POLL_SECONDS,
            seen=lambda: "\n".join(
                f"{each.name} {each.state}: {each.reason}"
                for each in self.twin.alarms()
                if each.name.removeprefix(self.prefix) in alarms
            ),
        )

    def is_now(self, alarm: str, state: State) -> bool:
        states = self.entered.get(alarm, [])
        return bool(states) and states[-1][1] is state


class FaultRun:
    """Every fault of the lanes, caused; then `rows` and `problems` tell."""

    def __init__(self, twin: Twin, lanes: Sequence[Sequence[AlarmFault]]) -> None:
        self._twin = twin
        prefix = f"{twin.names.prefix}-"
        self._settings = _settings(twin, prefix)
        self._watch = Watch(twin, prefix)
        self._ended = {fault.name: threading.Event() for lane in lanes for fault in lane}
        self.caused: dict[str, Caused] = {}
        self._faults = {fault.name: fault for lane in lanes for fault in lane}
        with _running(self._watch), ThreadPoolExecutor(max(len(lanes), 1)) as pool:
            list(pool.map(self._lane, lanes))
            self._all_ok()

    def _lane(self, lane: Sequence[AlarmFault]) -> None:
        for fault in lane:
            for other in fault.after:
                if other in self._ended:
                    self._ended[other].wait()
            try:
                self.caused[fault.name] = self._cause(fault)
            except Exception as error:  # other faults are to be seen all the same
                self.caused[fault.name] = Caused(at=0, ended=0, problem=f"{type(error).__name__}: {error}")
            finally:
                self._ended[fault.name].set()
                print(f"{datetime.now():%H:%M:%S} {fault.name}: {self.caused[fault.name].told()}", flush=True)

    def _cause(self, fault: AlarmFault) -> Caused:
        wait_for(
            lambda: all(self._watch.is_now(alarm, State.OK) for alarm in fault.alarms),
            what=f"{', '.join(fault.alarms)} OK, before {fault.name}",
            timeout_seconds=OK_SECONDS,
            poll_seconds=POLL_SECONDS,
        )
        at = time.time()
        problem = None
        try:
            fault.cause(self._twin)
            promised = max(self.promised(fault, alarm) for alarm in fault.alarms)
            seconds = self._twin.clock.wall_seconds(promised) + WAIT_SECONDS
            self._watch.wait(fault.alarms, State.ALARM, at, seconds)
        except TwinError as error:
            problem = str(error)
        finally:
            ended = time.time()
            fault.end(self._twin)
        return Caused(at=at, ended=ended, problem=problem)

    def _all_ok(self) -> None:
        """Or as long as it may take: `problem` tells of those that are not."""
        last = max((caused.ended for caused in self.caused.values()), default=0.0)
        waited = [
            (alarm, self.caused[fault.name].ended)
            for fault in self._faults.values()
            for alarm in fault.alarms
            if self.caused[fault.name].problem is None
        ]
        until = last + OK_SECONDS
        while time.time() < until:
            if all(self._watch.since(alarm, State.OK, ended) is not None for alarm, ended in waited):
                return
            time.sleep(POLL_SECONDS)

    def promised(self, fault: AlarmFault, alarm: str) -> float:
        """Seconds of the clock: datapoints, the next evaluation, publication, and what the fault takes. Where
        missing data are breaching, older datapoints count first: twin/alarms/missing_data.py."""
        settings = self._settings[alarm]
        older = EXTRA_DATAPOINTS if settings.missing is Missing.BREACHING else 0
        return (
            settings.period * (settings.breaching + older)
            + EVALUATED_EVERY_SECONDS
            + PUBLICATION_SECONDS
            + fault.takes_seconds
        )

    def rows(self, fault: AlarmFault) -> list[CausedAlarm]:
        """Raises AssertionError with what was seen, unless each alarm went to ALARM and back to OK."""
        caused = self.caused[fault.name]
        assert caused.problem is None, caused.problem
        factor = self._twin.clock.factor
        found = []
        for alarm in fault.alarms:
            alarmed = self._watch.since(alarm, State.ALARM, caused.at)
            assert alarmed is not None, f"{alarm} did not enter ALARM"
            well = self._watch.since(alarm, State.OK, max(caused.ended, alarmed))
            assert well is not None, f"{alarm} did not go back to OK"
            found.append(
                CausedAlarm(
                    alarm=alarm,
                    fault=fault.name,
                    injected=fault.injected,
                    alarm_seconds=round((alarmed - caused.at) * factor),
                    promised_seconds=round(self.promised(fault, alarm)),
                    ok_seconds=round((well - caused.ended) * factor),
                    factor=factor,
                )
            )
        return found


@contextmanager
def _running(watch: Watch) -> Iterator[None]:
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.stop.set()
        thread.join()


def _settings(twin: Twin, prefix: str) -> Mapping[str, EvaluatedAlarm]:
    """Of the deployed alarms, by the name without the prefix."""
    found = {}
    for region in (OREGON, TOKYO):
        pages = twin.emulator.client("cloudwatch", region).get_paginator("describe_alarms").paginate()
        for alarm in (alarm for page in pages for alarm in page["MetricAlarms"]):
            found[alarm["AlarmName"].removeprefix(prefix)] = read_alarm(alarm)
    return found
