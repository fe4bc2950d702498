"""Alarms of the analytics application: it does not run, restarts, cannot checkpoint, is behind, rejects much,
or joins with segments that are not what they should be."""

from collections.abc import Sequence
from typing import Literal

from constructs import Construct

from settings.analytics import AnalyticsSettings
from stacks.monitoring.alarm import REPEATED, TWICE, Alarm
from stacks.monitoring.measure import Measure, growth, metric, query, share, unanswered

NAMESPACE = "AWS/KinesisAnalytics"

MIN_RUNNING_SECONDS = 60
"""Time since the job last began to run. It grows by a minute a minute: one that stays below does not run,
or begins anew again and again."""
BEHIND_ALARM_SECONDS = 60
"""How far behind the head of the source stream a shard's reader may be; a count is a minute late then."""
HEAP_ALARM_PERCENT = 90
"""Of the fullest task manager, as the service recommends (developer guide, "Use CloudWatch Alarms")."""
REJECTED_SHARE_ALARM_PERCENT = 5
SHARE_MIN_CLICKS = 100
"""Clicks in a minute below which the share of the rejected says nothing."""
PUT_WITHIN_SECONDS = 60
"""By when what became of a click is put, beyond the publish interval."""
MISSED_SEGMENTS_CHECKS = 10
"""Checks of the segments that may fail before it rings, and a minute in which CloudWatch gets the gauge."""


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

    def reported(name: str, worst: Literal["MAX", "MIN"] = "MAX") -> Measure:
        return query(name, namespace=NAMESPACE, dimension="Application", value=application, worst=worst)

    Alarm(
        scope,
        "DoesNotRun",
        watches=application,
        measure=reported("runningTime"),
        threshold=MIN_RUNNING_SECONDS * 1000,
        rings="below",
        missing="bad",
    )
    for construct_id, counter in (
        ("Restarts", "numRestarts"),
        ("CannotCheckpoint", "numberOfFailedCheckpoints"),
    ):
        since_start = metric(
            f"{NAMESPACE} {counter}", dimensions={"Application": application}, statistic="Maximum"
        )
        # A job may run for minutes until it fails again, and a checkpoint fails at its time-out, which is ten
        # (Flink, execution.checkpointing.timeout): neither grows in 3 of 5 minutes.
        Alarm(
            scope,
            construct_id,
            watches=application,
            measure=growth(since_start),
            threshold=0,
            minutes=REPEATED,
        )
    segments_age = MISSED_SEGMENTS_CHECKS * settings.segments_check_seconds + 60
    for construct_id, gauge, threshold in (
        ("IsBehind", "millisBehindLatest", BEHIND_ALARM_SECONDS * 1000),
        ("IsShortOfMemory", "heapMemoryUtilization", HEAP_ALARM_PERCENT),
        ("RefusedSegments", "segmentsRefusedVersions", 0),
        ("ShrunkenSegments", "segmentsShrunkenVersions", 0),
        ("DoesNotSeeSegments", "segmentsSecondsSinceCheck", segments_age),
    ):
        Alarm(scope, construct_id, watches=application, measure=reported(gauge), threshold=threshold)
    Alarm(
        scope,
        "HasNoSegments",
        watches=application,
        measure=reported("segmentsUsers", worst="MIN"),
        threshold=1,
        rings="below",
        missing="bad",  # with it all gauges of the segments are gone, and their alarms would stay silent
    )
    clicks = metric("AWS/Kinesis IncomingRecords", dimensions={"StreamName": source_stream}, statistic="Sum")

    def put_into(delivery_stream: str) -> Measure:
        return metric(
            "AWS/Firehose IncomingRecords",
            dimensions={"DeliveryStreamName": delivery_stream},
            statistic="Sum",
        )

    rejected = share(
        "RejectedShare", part=put_into(rejects_delivery_stream), whole=clicks, min_whole=SHARE_MIN_CLICKS
    )
    Alarm(
        scope,
        "RejectsMuch",
        watches=application,
        measure=rejected,
        threshold=REJECTED_SHARE_ALARM_PERCENT,
    )
    # Whatever the application says of itself: each click ends in a count or a reject, or is unparseable.
    Alarm(
        scope,
        "PutsNothing",
        watches=application,
        measure=unanswered(
            "NothingPut",
            sent=clicks,
            taken=[put_into(each) for each in delivery_streams],
            within_seconds=settings.publish_every_seconds + PUT_WITHIN_SECONDS,
        ),
        threshold=0,
        minutes=TWICE,
    )
