"""Alarms of a function: it fails, or the account has no concurrent execution left for it."""

from aws_cdk import Duration
from constructs import Construct

from stacks.monitoring.alarm import AT_ONCE, SUSTAINED, Alarm
from stacks.monitoring.measure import PERIOD, metric

ERRORS_ALARM = 0
"""Invocations a minute that ended in an error or ran out of time."""
THROTTLES_ALARM = 0
"""Invocations a minute for which there was no concurrent execution."""


class FunctionAlarms(Construct):
    """Built beside the function of this name, in its region.

    once_is_enough: for a function that runs now and then, as that of a custom resource, where one failure in
    one minute is all there will be. Where everything is repeated, it takes 3 minutes of 5. period: instead
    of the minute, for a function that is invoked less often.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        once_is_enough: bool = False,
        period: Duration = PERIOD,
    ) -> None:
        super().__init__(scope, construct_id)
        for alarm, name, threshold in (
            ("Fails", "Errors", ERRORS_ALARM),
            ("IsThrottled", "Throttles", THROTTLES_ALARM),
        ):
            Alarm(
                self,
                alarm,
                watches=function_name,
                measure=metric(
                    f"AWS/Lambda {name}",
                    dimensions={"FunctionName": function_name},
                    statistic="Sum",
                    period=period,
                ),
                threshold=threshold,
                minutes=AT_ONCE if once_is_enough else SUSTAINED,
            )
