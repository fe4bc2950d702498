"""Alarms of the forwarder: it reads nothing, is behind, has no room to run, gives batches up, rejects much,
or stumbles."""

from functools import partial

from constructs import Construct

from lambdas.forwarder.metrics import RECEIVED, RECEIVED_BYTES, REJECTED, REJECTED_BYTES, UNEXPECTED
from settings.forwarder import ForwarderSettings
from stacks.monitoring.alarm import AT_ONCE, TWICE, Alarm, AlarmDefinition
from stacks.monitoring.flows import counted, into_stream
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import FORWARDER
from stacks.monitoring.measure import (
    REJECTED_SHARE,
    SHARE_MIN_BYTES,
    SHARE_MIN_CLICKS,
    Measure,
    Portion,
    metric,
    share,
    unanswered,
)
from stacks.monitoring.silence import COMPARED, NOTHING_READ, notified_by

BEHIND_ALARM_SECONDS = 60
"""Age of the last record of a batch when its invocation ended; clicks of apps are a minute late then."""
REJECTED_SHARE_ALARM_PERCENT = 5
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
    of_forwarder = partial(AlarmDefinition, watches=function, hop=FORWARDER)
    if_it_stops = notified_by(NOTHING_READ)

    def of_mapping(name: str) -> Measure:
        dimensions = {"EventSourceMappingUUID": event_source_mapping}
        return metric(f"AWS/Lambda {name}", dimensions=dimensions, statistic="Sum")

    Alarm(
        scope,
        "IsBehind",
        of_forwarder(
            measure=metric(
                "AWS/Lambda IteratorAge", dimensions={"FunctionName": function}, statistic="Maximum"
            ),
            threshold=BEHIND_ALARM_SECONDS * 1000,
            unit="ms",
            shows="The forwarder is behind: the last record of a batch was old when its invocation ended.",
            silence=if_it_stops,
            headline="age",
        ),
    )
    FunctionAlarms(scope, "FunctionAlarms", function_name=function, hop=FORWARDER, silence=if_it_stops)
    # A mapping that is off, or whose role may not read, reports nothing: no other alarm here would notify.
    Alarm(
        scope,
        "ReadsNothing",
        of_forwarder(
            measure=unanswered(
                NOTHING_READ,
                sent=into_stream(mobile_stream),
                taken=[of_mapping("PolledEventCount")],
                within_seconds=settings.batching_window_seconds + READ_WITHIN_SECONDS,
            ),
            threshold=0,
            unit="faults",
            shows="The apps' clicks arrive, and the forwarder reads none of them.",
            silence=COMPARED,
            evaluation=TWICE,
        ),
    )
    Alarm(
        scope,
        "GivesBatchesUp",
        of_forwarder(
            measure=of_mapping("OnFailureDestinationDeliveredEventCount"),
            threshold=0,
            unit="records",
            shows="Lambda gave batches up and put them into the dead-letter bucket.",
            silence=if_it_stops,
            evaluation=AT_ONCE,
            headline="dead letters",
        ),
    )
    Alarm(
        scope,
        "DropsBatches",
        of_forwarder(
            measure=of_mapping("DroppedEventCount"),
            threshold=0,
            unit="records",
            shows="Lambda gave batches up; they may not be in the dead-letter bucket.",
            silence=if_it_stops,
            evaluation=AT_ONCE,
            headline="dead letters",
        ),
    )
    Alarm(
        scope,
        "Stumbles",
        of_forwarder(
            measure=counted(function, UNEXPECTED),
            threshold=0,
            unit="clicks",
            shows="The forwarder met clicks that its code does not foresee.",
            silence=if_it_stops,
            evaluation=AT_ONCE,
            headline="dead letters",
        ),
    )
    # The unread rest of a line, and a record refused as a whole, count as one whatever they held: their bytes
    # tell. Many small clicks have few bytes: their number tells.
    Alarm(
        scope,
        "RejectsMuch",
        of_forwarder(
            measure=share(
                REJECTED_SHARE,
                Portion(
                    counted(function, REJECTED), of=counted(function, RECEIVED), at_least=SHARE_MIN_CLICKS
                ),
                Portion(
                    counted(function, REJECTED_BYTES),
                    of=counted(function, RECEIVED_BYTES),
                    at_least=SHARE_MIN_BYTES,
                ),
            ),
            threshold=REJECTED_SHARE_ALARM_PERCENT,
            unit="%",
            shows="The forwarder rejects a large share of the clicks, or of the bytes.",
            silence=if_it_stops,
        ),
    )
