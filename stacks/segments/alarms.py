"""Alarms of the segments' door: a file was refused, a version came late, or uploads are not taken."""

from functools import partial

from constructs import Construct

from lambdas.segments_publisher.metrics import LATE, REFUSED, UPLOAD_AGE
from settings.segments import SegmentsSettings
from stacks.monitoring.alarm import AT_ONCE, Alarm, AlarmDefinition, Evaluation
from stacks.monitoring.flows import counted
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import SEGMENTS_DOOR
from stacks.monitoring.silence import BREACHING, notified_by

FOR_AN_HOUR = Evaluation(breaching=1, periods=60)
"""For what comes once and should be seen."""


def alarm_on_publisher(
    scope: Construct, *, function: str, lead_seconds: int, settings: SegmentsSettings
) -> None:
    """function: its name."""
    of_the_door = partial(AlarmDefinition, watches=function, hop=SEGMENTS_DOOR)
    if_it_stops = notified_by(UPLOAD_AGE)
    Alarm(
        scope,
        "Refuses",
        of_the_door(
            measure=counted(function, REFUSED),
            threshold=0,
            unit="files",
            shows="A file of the segments was refused; the segments stay as they are.",
            silence=if_it_stops,
            evaluation=AT_ONCE,
            headline="dead letters",
        ),
    )
    Alarm(
        scope,
        "IsLate",
        of_the_door(
            measure=counted(function, LATE),
            threshold=0,
            unit="versions",
            shows="A version of the segments was published too late for every task to have it in time.",
            silence=if_it_stops,
            evaluation=FOR_AN_HOUR,
        ),
    )
    # Until the lease of an invocation that died ends; then two uploads may wait for each other, each until
    # every task has read the one before.
    patience = settings.lease_seconds + 2 * (lead_seconds + 60)
    Alarm(
        scope,
        "LeavesUploads",
        of_the_door(
            measure=counted(function, UPLOAD_AGE, statistic="Maximum"),
            threshold=patience,
            unit="s",
            shows="Uploaded segments wait and are neither published nor refused, or the publisher is not "
            "invoked.",
            silence=BREACHING,
            headline="age",
        ),
    )
    FunctionAlarms(scope, "FunctionAlarms", function_name=function, hop=SEGMENTS_DOOR, silence=if_it_stops)
