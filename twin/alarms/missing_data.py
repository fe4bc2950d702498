"""An alarm's state from its datapoints, as the CloudWatch user guide gives it in "Configuring how CloudWatch
alarms treat missing data" (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
alarms-and-missing-data.html); tests/twin/alarms/test_missing_data.py holds every row of its tables."""

from collections.abc import Sequence
from enum import StrEnum

EXTRA_DATAPOINTS = 2
"""Of the evaluation range beyond the evaluation periods: the guide's example retrieves 5 for 3. For other
numbers it says only that more are retrieved."""


class State(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """How an alarm treats missing data: TreatMissingData."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


def state_of(
    datapoints: Sequence[bool | None], *, breaching: int, periods: int, missing: Missing, current: State
) -> State:
    """datapoints: of the evaluation range, the oldest first: whether each is beyond the threshold, None where
    it is missing; breaching: DatapointsToAlarm; periods: EvaluationPeriods."""
    real = [point for point in datapoints if point is not None]
    if len(real) >= periods:
        return State.ALARM if sum(real[-periods:]) >= breaching else State.OK
    filled = periods - len(real) if missing is Missing.BREACHING else 0
    if sum(real) + filled >= breaching:
        return State.ALARM
    if missing in (Missing.BREACHING, Missing.NOT_BREACHING) or False in real:
        return State.OK
    return current if missing is Missing.IGNORE else _without_good(datapoints, breaching, current)


def _without_good(datapoints: Sequence[bool | None], breaching: int, current: State) -> State:
    """Of an alarm that has only missing and breaching datapoints, and treats the first as missing.

    It does not enter ALARM for a single new datapoint after missing ones: "Avoiding premature transitions to
    alarm state" of the same page.
    """
    ages = [len(datapoints) - at for at, point in enumerate(datapoints) if point is not None]
    if not ages:
        return State.INSUFFICIENT_DATA
    return State.ALARM if max(ages) >= breaching else current
