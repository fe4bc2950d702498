"""Alarms of the feedback: what is served is old, a run fails or finds no room, an invocation is given up."""

from aws_cdk import Duration
from constructs import Construct

from lambdas.feedback.metrics import AGE
from lambdas.metrics import NAMESPACE, SERVICE_DIMENSION
from stacks.monitoring.flow_alarm import AT_ONCE, FlowAlarm
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.measure import metric

DEAD_LETTERS_ALARM = 0


def alarm_on_feedback(
    scope: Construct, *, function: str, dead_letters: str, fresh_seconds: int, period_minutes: int
) -> None:
    """function, dead_letters: names of the function and of its queue; fresh_seconds: how long a ranking
    counts as fresh; period_minutes: the function runs once in this time."""
    period = Duration.minutes(period_minutes)  # minutes without a run tell nothing
    FunctionAlarms(scope, "Alarms", function_name=function, period=period)
    # Silence is an alarm too: every run that can read the table tells the age of what it holds.
    FlowAlarm(
        scope,
        "IsOld",
        watches=function,
        measure=metric(
            f"{NAMESPACE} {AGE}",
            dimensions={SERVICE_DIMENSION: function},
            statistic="Maximum",
            period=period,
        ),
        threshold=fresh_seconds,
        missing="bad",
    )
    FlowAlarm(
        scope,
        "GivesUp",
        watches=dead_letters,
        measure=metric(
            "AWS/SQS ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": dead_letters},
            statistic="Maximum",
        ),
        threshold=DEAD_LETTERS_ALARM,
        minutes=AT_ONCE,
    )
