"""Alarms of the forwarder: it reads nothing, is behind, has no room to run, gives batches up, rejects much,
or stumbles."""

from constructs import Construct

from lambdas.forwarder.metrics import RECEIVED, REJECTED, UNEXPECTED
from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from settings.forwarder import ForwarderSettings
from stacks.monitoring.alarm import AT_ONCE, TWICE, Alarm
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.measure import Measure, metric, share, unanswered

BEHIND_ALARM_SECONDS = 60
"""Age of the last record of a batch when its invocation ended; clicks of apps are a minute late then."""
REJECTED_SHARE_ALARM_PERCENT = 5
SHARE_MIN_RECORDS = 100
"""Records in a minute below which the share of the rejected says nothing."""
READ_WITHIN_SECONDS = 60
"""By when a record in the mobile stream is read, beyond the batching window."""


def alarm_on_forwarder(
    scope: Construct,
    *,
    function: str,
    event_source_mapping: str,
    mobile_stream: str,
    settings: ForwarderSettings,
) -> None:
    """function, mobile_stream: their names; event_source_mapping: the UUID of what invokes it."""
    of_function = {"FunctionName": function}
    Alarm(
        scope,
        "IsBehind",
        watches=function,
        measure=metric("AWS/Lambda IteratorAge", dimensions=of_function, statistic="Maximum"),
        threshold=BEHIND_ALARM_SECONDS * 1000,
    )
    FunctionAlarms(scope, "FunctionAlarms", function_name=function)
    of_mapping = {"EventSourceMappingUUID": event_source_mapping}
    # A mapping that is off, or whose role may not read, reports nothing: no other alarm here would ring.
    Alarm(
        scope,
        "ReadsNothing",
        watches=function,
        measure=unanswered(
            "NothingRead",
            sent=metric(
                "AWS/Kinesis IncomingRecords", dimensions={"StreamName": mobile_stream}, statistic="Sum"
            ),
            taken=[metric("AWS/Lambda PolledEventCount", dimensions=of_mapping, statistic="Sum")],
            within_seconds=settings.batching_window_seconds + READ_WITHIN_SECONDS,
        ),
        threshold=0,
        minutes=TWICE,
    )
    for construct_id, name in (
        ("GivesBatchesUp", "OnFailureDestinationDeliveredEventCount"),
        ("DropsBatches", "DroppedEventCount"),
    ):
        Alarm(
            scope,
            construct_id,
            watches=function,
            measure=metric(f"AWS/Lambda {name}", dimensions=of_mapping, statistic="Sum"),
            threshold=0,
            minutes=AT_ONCE,
        )

    def counted(name: str) -> Measure:
        return metric(f"{NAMESPACE} {name}", dimensions={SERVICE_DIMENSION: function}, statistic="Sum")

    Alarm(
        scope,
        "Stumbles",
        watches=function,
        measure=counted(UNEXPECTED),
        threshold=0,
        minutes=AT_ONCE,
    )
    Alarm(
        scope,
        "RejectsMuch",
        watches=function,
        measure=share(
            "RejectedShare", part=counted(REJECTED), whole=counted(RECEIVED), min_whole=SHARE_MIN_RECORDS
        ),
        threshold=REJECTED_SHARE_ALARM_PERCENT,
    )
