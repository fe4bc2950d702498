"""Alarms of reconciliation: an hour that does not add up, a function that fails, one that is not invoked."""

from functools import partial

from aws_cdk import Duration
from constructs import Construct

from lambdas.reconciliation.metrics import OPEN_HOURS, UNEXPLAINED
from stacks.monitoring.alarm import AT_ONCE, TWICE, Alarm, AlarmDefinition
from stacks.monitoring.flows import counted
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import RECONCILIATION
from stacks.monitoring.measure import metric
from stacks.monitoring.silence import BREACHING, notified_by

EVERY = Duration.hours(1)
"""Between two invocations. Two may be in one hour of the clock and none in the next: it takes two hours
without."""
UNEXPLAINED_ALARM = 0
"""Clicks of a final hour: every fault that the system knows of explains itself."""
OPEN_HOURS_ALARM = 6
"""An invocation that failed, or an application that was behind for a while, is made up for by then."""
INVOCATIONS = "Invocations"


def alarm_on_reconciliation(scope: Construct, *, function: str) -> None:
    """function: its name."""
    of_reconciliation = partial(AlarmDefinition, watches=function, hop=RECONCILIATION)
    if_it_stops = notified_by(INVOCATIONS)
    Alarm(
        scope,
        "DoesNotAddUp",
        of_reconciliation(
            measure=counted(function, UNEXPLAINED, period=EVERY),
            threshold=UNEXPLAINED_ALARM,
            unit="clicks",
            shows="Clicks of a final hour are missing in the counts, or counted too often, and nothing "
            "explains it.",
            silence=if_it_stops,
            evaluation=AT_ONCE,
            headline="dead letters",
        ),
    )
    Alarm(
        scope,
        "StaysOpen",
        of_reconciliation(
            measure=counted(function, OPEN_HOURS, statistic="Maximum", period=EVERY),
            threshold=OPEN_HOURS_ALARM,
            unit="hours",
            shows="Hours that ended more than a day ago are not reconciled, or not final.",
            silence=if_it_stops,
            evaluation=TWICE,
        ),
    )
    FunctionAlarms(
        scope,
        "FunctionAlarms",
        function_name=function,
        hop=RECONCILIATION,
        silence=if_it_stops,
        once_is_enough=True,
        period=EVERY,
    )
    Alarm(
        scope,
        "IsNotInvoked",
        of_reconciliation(
            measure=metric(
                f"AWS/Lambda {INVOCATIONS}",
                dimensions={"FunctionName": function},
                statistic="Sum",
                period=EVERY,
            ),
            threshold=1,
            breached="below",
            unit="invocations",
            shows="Reconciliation is not invoked.",
            silence=BREACHING,
            evaluation=TWICE,
        ),
    )
