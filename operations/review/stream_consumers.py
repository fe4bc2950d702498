"""What reads a stream, and what it would no longer read when it is replaced."""

from collections.abc import Iterator

from cloudformation import at
from operations.review.differences import ResourceChange
from operations.review.findings import Finding, Kind

_MAPPING = "AWS::Lambda::EventSourceMapping"


def reader_replaced(change: ResourceChange) -> Iterator[Finding]:
    """Readers that remember a position in a stream forget it when they are replaced."""
    if not change.replaced or change.old is None:
        return
    if change.type == "AWS::KinesisFirehose::DeliveryStream" and at(
        change.new, "Properties.KinesisStreamSourceConfiguration"
    ):
        # Firehose developer guide, "Writing to Firehose using Kinesis Data Streams": it starts at LATEST.
        yield Finding(
            kind=Kind.DATA_LOSS,
            text=f"**The {change.title} is replaced, and the new one reads its stream from the newest "
            "record**: what arrives between the two is not in its bucket.",
            details=("The stream still holds those records; the analytics application does not miss them.",),
            covers=(change.place(),),
        )
    if change.type == _MAPPING:
        start = at(change.new, "Properties.StartingPosition") or "?"
        kind, what = Kind.DATA_LOSS, "records that arrive between the two are not read"
        if start == "TRIM_HORIZON" and change.value("Properties.EventSourceArn"):
            kind, what = Kind.INTERRUPTION, "it reads its stream from the oldest record"
        elif start == "TRIM_HORIZON":
            what = "what the stream still holds is read again, and a click that is carried twice counts twice"
        yield Finding(
            kind=kind,
            text=f"**The {change.title} is replaced, and the new one starts at {start}**: {what}.",
            covers=(change.place(),),
        )
