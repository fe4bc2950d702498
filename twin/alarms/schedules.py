"""In the emulator's process: the schedules of EventBridge and its Scheduler follow the alarms' clock, and are
looked at every second of it; MiniStack looks every ten.

Functions take as long on a fast clock as on the wall's. So that invocations don't pile up there, a schedule
comes every MIN_RATE_SECONDS at most, and passes over a function that still runs.
"""

from collections import Counter
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from ministack.services import eventbridge, lambda_svc, scheduler

from twin.alarms.clock import AlarmClock

NEEDED_OF_EVENTBRIDGE = ("_parse_rate_seconds", "_SCHEDULER_TICK_INTERVAL", "_invoke_target")
NEEDED_OF_SCHEDULER = ("_SCHEDULE_TICK_INTERVAL",)
MIN_TICK_SECONDS = 0.1
MIN_RATE_SECONDS = 5.0
"""Of the wall."""


def follow(clock: AlarmClock) -> None:
    """Rates only: a time of day stays the wall's."""
    seconds_of_rate = eventbridge._parse_rate_seconds

    def wall_seconds(expression: str) -> float | None:
        seconds = seconds_of_rate(expression)
        return None if seconds is None else max(clock.wall_seconds(seconds), MIN_RATE_SECONDS)

    eventbridge._parse_rate_seconds = wall_seconds
    tick = max(clock.wall_seconds(1), MIN_TICK_SECONDS)
    eventbridge._SCHEDULER_TICK_INTERVAL = scheduler._SCHEDULE_TICK_INTERVAL = tick
    if clock.factor > 1:
        pass_over_running(eventbridge, lambda_svc)


def pass_over_running(events: ModuleType, functions: ModuleType) -> None:
    """Those modules of MiniStack: a schedule invokes no function that still runs."""
    invoke, dispatch = events._invoke_target, functions._execute_function_dispatch
    running: Counter[str] = Counter()

    def dispatched(function: Any, config: Mapping[str, Any], *rest: Any) -> Any:
        arn = config["FunctionArn"]
        running[arn] += 1
        try:
            return dispatch(function, config, *rest)
        finally:
            running[arn] -= 1

    def invoked(target: Mapping[str, Any], event: Mapping[str, Any], *rest: Any) -> Any:
        is_scheduled = event.get("DetailType") == "Scheduled Event"
        return None if is_scheduled and running[target["Arn"]] else invoke(target, event, *rest)

    functions._execute_function_dispatch = dispatched  # type: ignore[attr-defined]
    events._invoke_target = invoked  # type: ignore[attr-defined]
