"""What reads a stream, and what it would no longer read, or give up without keeping it."""

from collections.abc import Iterator
from typing import Any

from review.differences import ResourceChange, ValueChange
from review.findings import Finding, Kind

_MAPPING = "AWS::Lambda::EventSourceMapping"


def reads_otherwise(change: ResourceChange) -> Iterator[Finding]:
    """An event source mapping that goes on, but no longer hands over every record.

    Lambda API reference, CreateEventSourceMapping; Lambda developer guide, "Kinesis: filtering" (a record
    that matches no filter is gone) and "Reporting batch item failures" (without it, what a function returns
    means nothing).
    """
    if change.type != _MAPPING:
        return
    properties = (change.new or {}).get("Properties", {})
    for value in change.values:
        if consequence := _consequence(value, properties):
            yield Finding(
                kind=Kind.DATA_LOSS,
                text=f"**The {change.title} {consequence}.",
                covers=((change.stack.name, change.logical_id, value.path),),
            )


def _consequence(value: ValueChange, properties: dict[str, Any]) -> str | None:
    """What a changed value of an event source mapping loses; None: nothing."""
    match value.property:
        case "Enabled" if value.new is False:
            return "stops reading**: records wait in the stream, and are lost when its retention ends"
        case "FilterCriteria" if value.new is not None:
            return "filters otherwise**: a record that matches no filter is skipped, and nothing keeps it"
        case "DestinationConfig" if "DestinationConfig" not in properties:
            return "keeps nothing of what it gives up any more**: its on-failure destination is gone"
        case "FunctionResponseTypes" if "ReportBatchItemFailures" not in (value.new or ()):
            return "takes no partial failures any more**: a record returned as failed counts as done"
        case "MaximumRecordAgeInSeconds" | "MaximumRetryAttempts" if _limit(value.new) < _limit(value.old):
            kept = (
                "what it gives up is in its on-failure destination"
                if "DestinationConfig" in properties
                else "what it gives up is lost"
            )
            return f"gives up sooner** (`{value.property}` {value.old} → {value.new}): {kept}"
    return None


def _limit(value: Any) -> float:
    """-1, and nothing, mean without end."""
    return float("inf") if not isinstance(value, int) or value < 0 else value


def reader_replaced(change: ResourceChange) -> Iterator[Finding]:
    """Readers that remember a position in a stream forget it when they are replaced."""
    if not change.replaced or change.old is None:
        return
    properties = (change.new or {}).get("Properties", {})
    if change.type == "AWS::KinesisFirehose::DeliveryStream" and properties.get(
        "KinesisStreamSourceConfiguration"
    ):
        # Firehose developer guide, "Writing to Firehose using Kinesis Data Streams": it starts at LATEST.
        yield Finding(
            kind=Kind.DATA_LOSS,
            text=f"**The {change.title} is replaced, and the new one reads its stream from the newest "
            "record**: what arrives between the two is not in its bucket.",
            details=("The stream still holds those records; the analytics application does not miss them.",),
            covers=((change.stack.name, change.logical_id, ""),),
        )
    if change.type == _MAPPING:
        start = properties.get("StartingPosition", "?")
        what = (
            "what the stream still holds is read again, which raises no count"
            if start == "TRIM_HORIZON"
            else "records that arrive between the two are not read"
        )
        yield Finding(
            kind=Kind.INTERRUPTION if start == "TRIM_HORIZON" else Kind.DATA_LOSS,
            text=f"**The {change.title} is replaced, and the new one starts at {start}**: {what}.",
            covers=((change.stack.name, change.logical_id, ""),),
        )
