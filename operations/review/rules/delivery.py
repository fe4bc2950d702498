"""Delivery streams, and the logs of everything."""

from cloudformation import at
from operations.review.assessing import (
    FINE,
    Assess,
    Value,
    Verdict,
    always,
    elsewhere,
    less,
    more,
    unless,
    value_rules,
)
from operations.review.findings import Kind

_STREAM = "AWS::KinesisFirehose::DeliveryStream"

# Firehose API reference, BufferingHints and RetryOptions: what holds where the template says nothing.
_BUFFER_SECONDS, _BUFFER_MB, _RETRY_SECONDS = 300, 5, 300


def _delimited(value: Value) -> Verdict:
    processing = at(value.change.new, "Properties.ExtendedS3DestinationConfiguration.ProcessingConfiguration")
    processors = at(processing, "Processors")
    listed = processors if isinstance(processors, list) else []
    delimits = any(
        at(one, "Type") == "AppendDelimiterToRecord"
        and at(one, "Parameters") in (None, [], [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}])
        for one in listed
    )
    if delimits and at(processing, "Enabled") is True:
        return FINE
    return (
        Kind.DATA_LOSS,
        "**The {title} no longer ends each record with a line break**: records without one of their own are "
        "glued together in its bucket, and a replay or a restore cannot take them apart.",
    )


def _log(of: str) -> tuple[Assess, Assess]:
    silent = f"**The {{title}} no longer logs {of}**"
    return (
        unless(True, kind=Kind.ALARM_LOST, text=f"{silent}: why something fails is written nowhere."),
        elsewhere(Kind.ALARM_LOST, f"**The {{title}} logs {of} elsewhere**"),
    )


_LOGS, _LOGS_TO = _log("its failed deliveries")
_GIVES_LESS_TIME = always(
    Kind.LATENCY,
    "**The {title} retries what the domain refuses for a different time**: {old} → {new} seconds. After it a "
    "document goes to the bucket, and is counted when the redelivery puts it again; until then it holds back "
    "those behind it.",
    absent=_RETRY_SECONDS,
)

DELIVERY = value_rules(
    {
        _STREAM: {
            ("*DestinationConfiguration*.BucketARN", "*.DomainARN", "*.ClusterEndpoint"): elsewhere(
                Kind.DATA_LEFT, "**The {title} delivers to another place from now on**"
            ),
            ("*Prefix", "*.IndexName", "*.IndexRotationPeriod", "*.TypeName"): always(
                Kind.DATA_LEFT,
                "**The {title} writes under another name from now on**: {old} → {new}. What it delivered "
                "stays where it is, and what reads the old name finds nothing new.",
            ),
            "KinesisStreamSourceConfiguration.KinesisStreamARN": elsewhere(
                Kind.DATA_LOSS, "**The {title} keeps the records of another stream from now on**"
            ),
            "*.RetryOptions.DurationInSeconds": _GIVES_LESS_TIME,
            "*.BufferingHints.IntervalInSeconds": more(
                Kind.LATENCY,
                "**The {title} delivers later**: it holds records for up to {new} seconds, until now {old}.",
                absent=_BUFFER_SECONDS,
            ),
            "*.BufferingHints.SizeInMBs": less(
                Kind.NOTE, "The {title} delivers in smaller pieces: {old} → {new} MB.", absent=_BUFFER_MB
            ),
            "*.CloudWatchLoggingOptions.Enabled": _LOGS,
            "*.CloudWatchLoggingOptions.Log*Name": _LOGS_TO,
            "*.ProcessingConfiguration*": _delimited,
        },
        "AWS::Logs::LogGroup": {
            "RetentionInDays": less(
                Kind.NOTE,
                "The {title} deletes events older than {new} days, until now {old}.",
                absent=float("inf"),
            ),
        },
    }
)
