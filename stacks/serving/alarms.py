"""Alarms of the feedback: what is served is old, runs fail or find no room."""

from aws_cdk import Duration
from constructs import Construct

from lambdas.feedback.metrics import AGE
from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from stacks.monitoring.alarm import Alarm
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.measure import metric


def alarm_on_feedback(scope: Construct, *, function: str, fresh_seconds: int, period_minutes: int) -> None:
    """function: its name; fresh_seconds: how long a ranking counts as fresh; period_minutes: the function
    runs once in this time. One failed run rings nothing, as the next does its work."""
    period = Duration.minutes(period_minutes)  # minutes without a run tell nothing
    FunctionAlarms(scope, "Alarms", function_name=function, period=period)
    # Silence is an alarm too: every run that can read the table tells the age of what it holds, so it rings
    # when the function is not invoked at all.
    Alarm(
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
