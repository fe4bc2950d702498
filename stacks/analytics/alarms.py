"""Alarms of the analytics application: it does not run, restarts, cannot checkpoint, is behind, rejects much
or cannot parse it, or joins with segments that are not what they should be."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from constructs import Construct

from settings.analytics import AnalyticsSettings
from stacks.monitoring.alarm import NO_BURST, REPEATED, SUSTAINED, TWICE, Alarm, AlarmDefinition
from stacks.monitoring.flows import (
    bytes_into_delivery_stream,
    bytes_into_stream,
    into_delivery_stream,
    into_stream,
)
from stacks.monitoring.hops import APPLICATION
from stacks.monitoring.measure import (
    REJECTED_SHARE,
    SHARE_MIN_BYTES,
    Measure,
    Portion,
    growth,
    metric,
    query,
    share,
    unanswered,
)
from stacks.monitoring.silence import BREACHING, COMPARED, NOTHING_PUT, notified_by

NAMESPACE = "AWS/KinesisAnalytics"

MIN_RUNNING_SECONDS = 60
"""Time since the job last began to run. It grows by a minute a minute: one that stays below does not run,
or begins anew again and again."""
BEHIND_ALARM_SECONDS = 60
"""How far behind the head of the source stream a shard may be read; a count is a minute late then."""
HEAP_ALARM_PERCENT = 90
"""Of the fullest task manager, as the service recommends (developer guide, "Use CloudWatch Alarms")."""
REJECTED_SHARE_ALARM_PERCENT = 5
UNPARSEABLE_ALARM_PERCENT = 5
PUT_WITHIN_SECONDS = 60
"""By when what became of a click is put, beyond the publish interval."""
MISSED_SEGMENTS_CHECKS = 10
"""Failed checks of the segments that are no fault yet; CloudWatch gets the gauge a minute later."""
RUNNING_TIME = "runningTime"


def alarm_on_application(
    scope: Construct,
    *,
    application: str,
    source_stream: str,
    rejects_delivery_stream: str,
    delivery_streams: Sequence[str],
    settings: AnalyticsSettings,
) -> None:
    """application, source_stream, rejects_delivery_stream: their names; delivery_streams: those of all into
    which it puts."""

    of_application = partial(AlarmDefinition, watches=application, hop=APPLICATION)
    if_it_stops = notified_by(RUNNING_TIME)

    def reported(name: str, worst: Literal["MAX", "MIN"] = "MAX") -> Measure:
        return query(name, namespace=NAMESPACE, dimension="Application", value=application, worst=worst)

    def growing(counter: str) -> Measure:
        return growth(
            metric(f"{NAMESPACE} {counter}", dimensions={"Application": application}, statistic="Maximum")
        )

    Alarm(
        scope,
        "DoesNotRun",
        of_application(
            measure=reported(RUNNING_TIME),
            threshold=MIN_RUNNING_SECONDS * 1000,
            breached="below",
            unit="ms",
            shows="The application's job does not run, or begins again and again.",
            silence=BREACHING,
        ),
    )
    # A job may run for minutes until it fails again, and a checkpoint fails at its timeout, which is ten
    # (Flink, execution.checkpointing.timeout): neither grows in 3 of 5 minutes.
    Alarm(
        scope,
        "Restarts",
        of_application(
            measure=growing("numRestarts"),
            threshold=0,
            unit="faults",
            shows="The application's job restarts again and again.",
            silence=if_it_stops,
            evaluation=REPEATED,
        ),
    )
    Alarm(
        scope,
        "CannotCheckpoint",
        of_application(
            measure=growing("numberOfFailedCheckpoints"),
            threshold=0,
            unit="faults",
            shows="Checkpoints fail; counts are published at checkpoints only.",
            silence=if_it_stops,
            evaluation=REPEATED,
        ),
    )
    Alarm(
        scope,
        "IsBehind",
        of_application(
            measure=reported("millisBehindLatest"),
            threshold=BEHIND_ALARM_SECONDS * 1000,
            unit="ms",
            shows="The application is behind the head of the source stream, and counts are late.",
            silence=if_it_stops,
            headline="age",
        ),
    )
    Alarm(
        scope,
        "IsShortOfMemory",
        of_application(
            measure=reported("heapMemoryUtilization"),
            threshold=HEAP_ALARM_PERCENT,
            unit="%",
            shows="The fullest task manager is short of heap.",
            silence=if_it_stops,
        ),
    )
    Alarm(
        scope,
        "RefusedSegments",
        of_application(
            measure=reported("segmentsRefusedVersions"),
            threshold=0,
            unit="versions",
            shows="The application refused a version of the segments; the last good one stays in force.",
            silence=if_it_stops,
        ),
    )
    Alarm(
        scope,
        "ShrunkenSegments",
        of_application(
            measure=reported("segmentsShrunkenVersions"),
            threshold=0,
            unit="versions",
            shows="A version of the segments has less than half of the users of the one before.",
            silence=if_it_stops,
        ),
    )
    Alarm(
        scope,
        "DoesNotSeeSegments",
        of_application(
            measure=reported("segmentsSecondsSinceCheck"),
            threshold=MISSED_SEGMENTS_CHECKS * settings.segments_check_seconds + 60,
            unit="s",
            shows="The application cannot look for new versions of the segments.",
            silence=if_it_stops,
            headline="age",
        ),
    )
    Alarm(
        scope,
        "HasNoSegments",
        of_application(
            measure=reported("segmentsUsers", worst="MIN"),
            threshold=1,
            breached="below",
            unit="users",
            shows="No version of the segments is in force: every user counts as unknown.",
            silence=BREACHING,  # with it all gauges of the segments are gone, and their alarms stay silent
        ),
    )
    # Each task's gauge is over its own last minute, so a restart falsifies nothing, and the worst task shows.
    # A counter begins anew then, and samples that tasks report as one metric cannot be added up.
    Alarm(
        scope,
        "UnparseableShare",
        of_application(
            measure=reported("clicksUnparseablePercent"),
            threshold=UNPARSEABLE_ALARM_PERCENT,
            unit="%",
            shows="The application cannot parse a large share of what it reads, or does not report it.",
            silence=BREACHING,  # a running job always reports it; only this shows that it reaches CloudWatch
        ),
    )
    # A record holds many clicks and a reject is one, so bytes are compared. A reject takes about the bytes of
    # its click, but keeps only 4,096 characters of what could not be parsed.
    Alarm(
        scope,
        "RejectsMuch",
        of_application(
            measure=share(
                REJECTED_SHARE,
                Portion(
                    bytes_into_delivery_stream(rejects_delivery_stream),
                    of=bytes_into_stream(source_stream),
                    at_least=SHARE_MIN_BYTES,
                ),
            ),
            threshold=REJECTED_SHARE_ALARM_PERCENT,
            unit="%",
            shows="The application rejects a large share of the clicks.",
            silence=notified_by(NOTHING_PUT),
            # Copies that are dropped are rejects too: dead letters put back twice, or a collector that began
            # again, are no bad clicks. Who sends everything twice never ends.
            evaluation=NO_BURST if settings.drop_repeated_click_ids_hours else SUSTAINED,
        ),
    )
    # Whatever the application says of itself: each click, and each rest of a line that cannot be parsed, ends
    # in a count or a reject. How many a record holds changes nothing here: some are compared with none.
    Alarm(
        scope,
        "PutsNothing",
        of_application(
            measure=unanswered(
                NOTHING_PUT,
                sent=into_stream(source_stream),
                taken=[into_delivery_stream(each) for each in delivery_streams],
                within_seconds=settings.publish_every_seconds + PUT_WITHIN_SECONDS,
            ),
            threshold=0,
            unit="faults",
            shows="Clicks arrive, and the application puts neither a count nor a reject.",
            silence=COMPARED,
            evaluation=TWICE,
        ),
    )
