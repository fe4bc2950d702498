"""Alarms of a function: it fails, or the account has no concurrent execution left for it."""

from aws_cdk import Duration
from constructs import Construct

from stacks.monitoring.alarm import AT_ONCE, SUSTAINED, Alarm, AlarmDefinition
from stacks.monitoring.measure import PERIOD, metric
from stacks.monitoring.silence import Silence

ERRORS_ALARM = 0
"""Invocations a minute that ended in an error or ran out of time."""
THROTTLES_ALARM = 0
"""Invocations a minute for which there was no concurrent execution."""


class FunctionAlarms(Construct):
    """Built beside the function of this name, in its region.

    hop, silence: as in AlarmDefinition. once_is_enough: for a function that runs now and then, as that of a
    custom resource, where one failure in one minute is all there will be. Where everything is repeated, it
    takes 3 minutes of 5. period: instead of the minute, for a function that is invoked less often.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        hop: str,
        silence: Silence,
        once_is_enough: bool = False,
        period: Duration = PERIOD,
    ) -> None:
        super().__init__(scope, construct_id)
        for alarm, name, threshold, shows in (
            ("Fails", "Errors", ERRORS_ALARM, "Invocations of the function fail or run out of time."),
            (
                "IsThrottled",
                "Throttles",
                THROTTLES_ALARM,
                "The account has no concurrent execution left for the function.",
            ),
        ):
            Alarm(
                self,
                alarm,
                AlarmDefinition(
                    watches=function_name,
                    measure=metric(
                        f"AWS/Lambda {name}",
                        dimensions={"FunctionName": function_name},
                        statistic="Sum",
                        period=period,
                    ),
                    threshold=threshold,
                    unit="invocations",
                    shows=shows,
                    hop=hop,
                    silence=silence,
                    evaluation=AT_ONCE if once_is_enough else SUSTAINED,
                ),
            )
