"""How faults are caused and their alarms watched, in a twin whose alarms follow its faults at once."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from names import Names
from tests.alarm_faults import watching
from tests.alarm_faults.acts import Pair
from tests.alarm_faults.alarm_fault import AlarmFault, caused
from tests.alarm_faults.watching import FaultRun
from twin.alarms.clock import AlarmClock
from twin.alarms.missing_data import State
from twin.alarms.states import AlarmState
from twin.twin import Twin

PREFIX = "click-trends-local-"
SETTINGS = {
    "Namespace": "AWS/ES",
    "MetricName": "Nodes",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 5,
    "DatapointsToAlarm": 3,
    "Threshold": 1.0,
    "ComparisonOperator": "LessThanThreshold",
}


@dataclass
class ObedientTwin:
    """An alarm is in ALARM while a fault of its name lasts, but for those that never enter it."""

    deaf: frozenset[str] = frozenset()
    lasting: set[str] = field(default_factory=set)
    together: list[set[str]] = field(default_factory=list)
    clock: AlarmClock = field(default_factory=lambda: AlarmClock(60.0))
    names: Names = field(default_factory=lambda: Names(environment="local", account="000000000000"))

    @property
    def emulator(self) -> "ObedientTwin":
        return self

    def client(self, *_: str) -> "ObedientTwin":
        return self

    def get_paginator(self, _: str) -> "ObedientTwin":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"MetricAlarms": [{**SETTINGS, "AlarmName": f"{PREFIX}{name}"} for name in ("a", "b")]}]

    def alarms(self) -> list[AlarmState]:
        return [
            AlarmState(
                name=f"{PREFIX}{name}",
                region="us-west-2",
                state=State.ALARM if name in self.lasting - self.deaf else State.OK,
                since=datetime.now(UTC),
                reason="",
                shows="",
                runbook="",
            )
            for name in ("a", "b")
        ]

    def fault(self, name: str, *, after: tuple[str, ...] = ()) -> AlarmFault:
        """Of the alarm `name`."""

        def cause(_: Twin) -> None:
            self.lasting.add(name)
            self.together.append(set(self.lasting))

        return caused(name, name, pair=Pair(cause, lambda _: self.lasting.discard(name)), after=after)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(watching, "WAIT_SECONDS", -4.0)  # of 5 that are promised on this clock


def _run(twin: ObedientTwin, *lanes: list[AlarmFault]) -> FaultRun:
    return FaultRun(cast(Twin, twin), lanes)


def test_an_alarm_that_follows_its_fault_is_recorded_with_what_its_settings_promise() -> None:
    twin = ObedientTwin()
    fault = twin.fault("a")
    began = time.monotonic()
    [row] = _run(twin, [fault]).rows(fault)
    assert (row.alarm, row.fault, row.factor, row.promised_seconds) == ("a", "a", 60, 3 * 60 + 60 + 60)
    assert 0 <= row.alarm_seconds <= (time.monotonic() - began) * 60
    assert twin.lasting == set()


def test_lanes_run_beside_each_other_and_a_fault_waits_for_another_lanes() -> None:
    twin = ObedientTwin()
    _run(twin, [twin.fault("a")], [twin.fault("b", after=("a",))])
    assert twin.together == [{"a"}, {"b"}]


def test_a_fault_that_drives_no_alarm_is_ended_and_told_and_the_next_is_caused() -> None:
    twin = ObedientTwin(deaf=frozenset({"a"}))
    deaf, good = twin.fault("a"), twin.fault("b")
    run = _run(twin, [deaf, good])
    with pytest.raises(AssertionError, match="a ALARM"):
        run.rows(deaf)
    assert run.rows(good)
    assert twin.lasting == set()
