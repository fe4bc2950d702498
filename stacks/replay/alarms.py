"""Alarms of replays: one failed or could not be ended, or nothing sees to their end."""

from functools import partial

from aws_cdk import Duration
from constructs import Construct

from lambdas.replay.metrics import FAILED_REPLAYS
from stacks.monitoring.alarm import AT_ONCE, Alarm, AlarmDefinition
from stacks.monitoring.flows import counted
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import REPLAYS
from stacks.monitoring.measure import metric
from stacks.monitoring.silence import BREACHING, notified_by

EVERY = Duration.minutes(5)
INVOCATIONS = "Invocations"
FAILED_REPLAYS_ALARM = 0
"""One is enough: its counts are missing, or its application costs money."""


def alarm_on_replays(scope: Construct, *, function: str) -> None:
    """function: its name."""
    of_replays = partial(AlarmDefinition, watches=function, hop=REPLAYS)
    if_it_stops = notified_by(INVOCATIONS)
    Alarm(
        scope,
        "Fails",
        of_replays(
            measure=counted(function, FAILED_REPLAYS),
            threshold=FAILED_REPLAYS_ALARM,
            unit="faults",
            shows="A replay failed, lasted too long, or its application cannot be deleted.",
            silence=if_it_stops,
            evaluation=AT_ONCE,
        ),
    )
    FunctionAlarms(
        scope, "FunctionAlarms", function_name=function, hop=REPLAYS, silence=if_it_stops, period=EVERY
    )
    Alarm(
        scope,
        "IsNotInvoked",
        of_replays(
            measure=metric(
                f"AWS/Lambda {INVOCATIONS}",
                dimensions={"FunctionName": function},
                statistic="Sum",
                period=EVERY,
            ),
            threshold=1,
            breached="below",
            unit="invocations",
            shows="The function that ends replays is not invoked: an application may run on.",
            silence=BREACHING,
        ),
    )
