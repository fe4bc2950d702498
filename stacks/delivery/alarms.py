"""Alarms of the delivery streams and of redelivery."""

from functools import partial
from math import ceil

from constructs import Construct

from lambdas.redelivery.failed_documents import MAX_PAUSE_SECONDS
from lambdas.redelivery.metrics import GIVEN_UP, WAITING_AGE
from settings.delivery import DeliverySettings
from stacks.monitoring.alarm import AT_ONCE, TWICE, Alarm, AlarmDefinition, Evaluation
from stacks.monitoring.flows import counted, delivered_to_s3
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import REDELIVERY
from stacks.monitoring.measure import Measure, metric, unanswered
from stacks.monitoring.silence import (
    BREACHING,
    COMPARED,
    NOTHING_PUT,
    NOTHING_WRITTEN,
    RANKING_AGE,
    notified_by,
)

BEHIND_ALARM_SECONDS = 300
"""Allowed delay of the oldest record beyond the buffering interval."""
WRITTEN_WITHIN_SECONDS = 60
"""By when a record is in S3, beyond the buffering interval."""
THROTTLED_RECORDS_ALARM = 0
"""Records a minute above the quota of direct puts; each is retried."""
REFUSED_ALARM_SECONDS = 300
"""For how long, beyond Firehose's own retries, a count may be refused. Overtaken ones (409) don't wait."""
INVOCATIONS = "Invocations"


def alarm_when_behind(
    scope: Construct, *, delivery_stream: str, hop: str, destination: str, buffer_seconds: int
) -> None:
    """hop: as in AlarmDefinition; destination: S3 or AmazonOpenSearchService, as in Firehose's metrics."""
    Alarm(
        scope,
        "IsBehind",
        AlarmDefinition(
            watches=delivery_stream,
            measure=metric(
                f"AWS/Firehose DeliveryTo{destination}.DataFreshness",
                dimensions={"DeliveryStreamName": delivery_stream},
                statistic="Maximum",
            ),
            threshold=buffer_seconds + BEHIND_ALARM_SECONDS,
            unit="s",
            shows="Records wait in the delivery stream for much longer than its buffering interval.",
            hop=hop,
            silence=notified_by(NOTHING_WRITTEN if destination == "S3" else RANKING_AGE),
            headline="age",
        ),
    )


def alarm_when_nothing_is_written(
    scope: Construct, *, delivery_stream: str, hop: str, sent: Measure, buffer_seconds: int
) -> None:
    """For one that writes to S3. sent: the records that it should write.

    Its age says nothing where it cannot even read them.
    """
    Alarm(
        scope,
        "WritesNothing",
        AlarmDefinition(
            watches=delivery_stream,
            measure=unanswered(
                NOTHING_WRITTEN,
                sent=sent,
                taken=[delivered_to_s3(delivery_stream)],
                within_seconds=buffer_seconds + WRITTEN_WITHIN_SECONDS,
            ),
            threshold=0,
            unit="faults",
            shows="Records arrive, and the delivery stream writes none of them to S3.",
            hop=hop,
            silence=COMPARED,
            evaluation=TWICE,
        ),
    )


def alarm_when_throttled(scope: Construct, *, delivery_stream: str, hop: str) -> None:
    """For a delivery stream that records are put into directly; one that reads a stream has no quota."""
    Alarm(
        scope,
        "IsThrottled",
        AlarmDefinition(
            watches=delivery_stream,
            measure=metric(
                "AWS/Firehose ThrottledRecords",
                dimensions={"DeliveryStreamName": delivery_stream},
                statistic="Sum",
            ),
            threshold=THROTTLED_RECORDS_ALARM,
            unit="records",
            shows="Records exceed the Direct PUT quota of the delivery stream; the application retries them.",
            hop=hop,
            silence=notified_by(NOTHING_PUT),
        ),
    )


def alarm_on_redelivery(scope: Construct, *, function: str, settings: DeliverySettings) -> None:
    """It gave counts up, has them waiting for long, fails, or is not invoked. function: its name."""
    of_redelivery = partial(AlarmDefinition, watches=function, hop=REDELIVERY)
    if_it_stops = notified_by(INVOCATIONS)
    Alarm(
        scope,
        "GivesUp",
        of_redelivery(
            measure=counted(function, GIVEN_UP),
            threshold=0,
            unit="documents",
            shows="Redelivery gave up documents that OpenSearch did not take.",
            silence=if_it_stops,
            evaluation=AT_ONCE,
            headline="dead letters",
        ),
    )
    # The age of what Firehose holds says nothing here: what OpenSearch refuses leaves it for S3 when its
    # retries end. An old count fails again after a pause, those retries, the buffer, and two invocations.
    again = MAX_PAUSE_SECONDS + settings.counts_retry_seconds + settings.archive_buffer_seconds + 2 * 60
    Alarm(
        scope,
        "IsRefused",
        of_redelivery(
            measure=counted(function, WAITING_AGE, statistic="Maximum"),
            threshold=settings.counts_retry_seconds + REFUSED_ALARM_SECONDS,
            unit="s",
            shows="OpenSearch refuses a count again and again.",
            silence=if_it_stops,
            evaluation=Evaluation(breaching=1, periods=ceil(again / 60)),
            headline="age",
        ),
    )
    FunctionAlarms(scope, "FunctionAlarms", function_name=function, hop=REDELIVERY, silence=if_it_stops)
    Alarm(
        scope,
        "IsNotInvoked",
        of_redelivery(
            measure=metric(
                f"AWS/Lambda {INVOCATIONS}", dimensions={"FunctionName": function}, statistic="Sum"
            ),
            threshold=1,
            breached="below",
            unit="invocations",
            shows="Redelivery is not invoked.",
            silence=BREACHING,
        ),
    )
