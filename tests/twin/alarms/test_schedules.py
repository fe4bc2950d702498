"""On a fast clock a schedule doesn't invoke a function that still runs."""

from types import ModuleType
from typing import Any

import pytest
from ministack.services import eventbridge, lambda_svc, scheduler

from twin.alarms import schedules
from twin.alarms.clock import WALL_CLOCK, AlarmClock

ARN = "arn:aws:lambda:us-west-2:000000000000:function:redelivery"
SCHEDULED = {"DetailType": "Scheduled Event"}


class Modules:
    """Stand for those of MiniStack: an invocation runs at once, and schedules come meanwhile."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.events, self.functions = ModuleType("events"), ModuleType("functions")
        self.events._invoke_target = self.invoke  # type: ignore[attr-defined]
        self.functions._execute_function_dispatch = self.run  # type: ignore[attr-defined]
        schedules.pass_over_running(self.events, self.functions)

    def invoke(self, target: dict[str, str], event: dict[str, str]) -> None:
        self.functions._execute_function_dispatch({}, {"FunctionArn": target["Arn"]}, event)

    def run(self, _: Any, config: dict[str, str], event: dict[str, str]) -> None:
        self.started.append(config["FunctionArn"])
        if len(self.started) < 3:
            self.events._invoke_target({"Arn": ARN}, event)


def test_a_schedule_passes_over_a_function_that_still_runs_and_invokes_it_afterwards() -> None:
    modules = Modules()
    modules.events._invoke_target({"Arn": ARN}, SCHEDULED)
    assert modules.started == [ARN]
    modules.events._invoke_target({"Arn": ARN}, SCHEDULED)
    assert modules.started == [ARN, ARN]


def test_an_event_that_is_no_schedule_is_handed_over_whatever_runs() -> None:
    modules = Modules()
    modules.events._invoke_target({"Arn": ARN}, {"DetailType": "Object Created"})
    assert modules.started == [ARN, ARN, ARN]


@pytest.mark.parametrize(
    ("clock", "expression", "seconds"),
    [
        (WALL_CLOCK, "rate(1 minute)", 60),
        (AlarmClock(10.0), "rate(1 minute)", 6),
        (AlarmClock(60.0), "rate(1 minute)", schedules.MIN_RATE_SECONDS),
        (AlarmClock(60.0), "rate(1 hour)", 60),
        (AlarmClock(60.0), "cron(0 9 * * ? *)", None),
    ],
)
def test_a_rate_is_that_of_the_clock_but_leaves_a_function_its_time(
    monkeypatch: pytest.MonkeyPatch, clock: AlarmClock, expression: str, seconds: float | None
) -> None:
    for module, names in (
        (eventbridge, schedules.NEEDED_OF_EVENTBRIDGE),
        (scheduler, schedules.NEEDED_OF_SCHEDULER),
        (lambda_svc, ("_execute_function_dispatch",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))  # put back afterwards
    schedules.follow(clock)
    assert eventbridge._parse_rate_seconds(expression) == seconds
