"""What the templates tell the analytics application, without synthesising them."""

from contract.sink import REJECTS_TABLE, SINKS
from settings import Settings
from stacks.analytics.properties import application_properties


def deployed_properties(settings: Settings) -> dict[str, dict[str, str]]:
    """Group -> key -> value, with the names of this environment's streams and bucket."""
    names = settings.names
    counts = {sink.table: names.delivery_stream(sink.name) for sink in SINKS}
    return application_properties(
        source_arn=names.source_stream_arn,
        segments_bucket=names.segments_bucket,
        delivery_streams=counts | {REJECTS_TABLE: names.rejects_delivery_stream},
        names=names,
        settings=settings.analytics,
    )
