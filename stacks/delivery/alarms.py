"""Alarms of the delivery streams and of redelivery."""

from math import ceil

from constructs import Construct

from lambdas.redelivery.failed_documents import MAX_PAUSE_SECONDS
from lambdas.redelivery.metrics import GIVEN_UP, WAITING_AGE
from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from settings.delivery import DeliverySettings
from stacks.monitoring.alarm import AT_ONCE, TWICE, Alarm, RingingTime
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.measure import Measure, metric, unanswered

BEHIND_ALARM_SECONDS = 300
"""How much longer than its buffer holds it the oldest record may wait in a delivery stream."""
WRITTEN_WITHIN_SECONDS = 60
"""By when a record is in S3, beyond the buffering interval."""
THROTTLED_RECORDS_ALARM = 0
"""Records a minute above the quota of direct puts; each is retried."""
REFUSED_ALARM_SECONDS = 300
"""For how long, beyond Firehose's own retries, a count may be refused. Overtaken ones (409) don't wait."""


def alarm_when_behind(
    scope: Construct, *, delivery_stream: str, destination: str, buffer_seconds: int
) -> Alarm:
    """destination: S3 or AmazonOpenSearchService, as in Firehose's metrics."""
    return Alarm(
        scope,
        "IsBehind",
        watches=delivery_stream,
        measure=metric(
            f"AWS/Firehose DeliveryTo{destination}.DataFreshness",
            dimensions={"DeliveryStreamName": delivery_stream},
            statistic="Maximum",
        ),
        threshold=buffer_seconds + BEHIND_ALARM_SECONDS,
    )


def alarm_when_nothing_is_written(
    scope: Construct, *, delivery_stream: str, sent: Measure, buffer_seconds: int
) -> Alarm:
    """For one that writes to S3. sent: the records that it should write.

    Its age says nothing where it cannot even read them.
    """
    return Alarm(
        scope,
        "WritesNothing",
        watches=delivery_stream,
        measure=unanswered(
            "NothingWritten",
            sent=sent,
            taken=[
                metric(
                    "AWS/Firehose DeliveryToS3.Records",
                    dimensions={"DeliveryStreamName": delivery_stream},
                    statistic="Sum",
                )
            ],
            within_seconds=buffer_seconds + WRITTEN_WITHIN_SECONDS,
        ),
        threshold=0,
        minutes=TWICE,
    )


def alarm_when_throttled(scope: Construct, *, delivery_stream: str) -> Alarm:
    """For a delivery stream that records are put into directly; one that reads a stream has no quota."""
    return Alarm(
        scope,
        "IsThrottled",
        watches=delivery_stream,
        measure=metric(
            "AWS/Firehose ThrottledRecords",
            dimensions={"DeliveryStreamName": delivery_stream},
            statistic="Sum",
        ),
        threshold=THROTTLED_RECORDS_ALARM,
    )


def alarm_on_redelivery(scope: Construct, *, function: str, settings: DeliverySettings) -> None:
    """It gave counts up, has them waiting for long, fails, or is not invoked. function: its name."""
    Alarm(
        scope,
        "GivesUp",
        watches=function,
        measure=metric(f"{NAMESPACE} {GIVEN_UP}", dimensions={SERVICE_DIMENSION: function}, statistic="Sum"),
        threshold=0,
        minutes=AT_ONCE,
    )
    # The age of what Firehose holds tells nothing here: what OpenSearch refuses leaves it for S3 when its
    # retries end. An old count fails again after a pause, those retries, the buffer, and two invocations.
    again = MAX_PAUSE_SECONDS + settings.counts_retry_seconds + settings.archive_buffer_seconds + 2 * 60
    Alarm(
        scope,
        "IsRefused",
        watches=function,
        measure=metric(
            f"{NAMESPACE} {WAITING_AGE}", dimensions={SERVICE_DIMENSION: function}, statistic="Maximum"
        ),
        threshold=settings.counts_retry_seconds + REFUSED_ALARM_SECONDS,
        minutes=RingingTime(1, ceil(again / 60)),
    )
    FunctionAlarms(scope, "FunctionAlarms", function_name=function)
    Alarm(
        scope,
        "IsNotInvoked",
        watches=function,
        measure=metric("AWS/Lambda Invocations", dimensions={"FunctionName": function}, statistic="Sum"),
        threshold=1,
        rings="below",
        missing="bad",
    )
