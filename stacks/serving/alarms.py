"""Alarms of the feedback: what is served is old, runs fail or find no room."""

from aws_cdk import Duration
from constructs import Construct

from stacks.monitoring.alarm import Alarm, AlarmDefinition
from stacks.monitoring.flows import counted
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import FEEDBACK
from stacks.monitoring.silence import BREACHING, RANKING_AGE, notified_by


def alarm_on_feedback(scope: Construct, *, function: str, fresh_seconds: int, period_minutes: int) -> None:
    """function: its name; fresh_seconds: how long a ranking counts as fresh; period_minutes: the function
    runs once in this time. One failed run notifies nobody, as the next does its work."""
    period = Duration.minutes(period_minutes)  # minutes without a run say nothing
    FunctionAlarms(
        scope,
        "Alarms",
        function_name=function,
        hop=FEEDBACK,
        silence=notified_by(RANKING_AGE),
        period=period,
    )
    Alarm(
        scope,
        "IsOld",
        AlarmDefinition(
            watches=function,
            measure=counted(function, RANKING_AGE, statistic="Maximum", period=period),
            threshold=fresh_seconds,
            unit="s",
            shows="Rankings are older than they may be, or the feedback function does not run.",
            hop=FEEDBACK,
            silence=BREACHING,  # every run that can read the table reports the age of what it holds
            headline="age",
        ),
    )
