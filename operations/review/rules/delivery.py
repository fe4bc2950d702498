"""Delivery streams, and the logs of everything."""

from operations.review.assessing import (
    FINE,
    Assess,
    Value,
    ValueRule,
    Verdict,
    always,
    elsewhere,
    less,
    more,
    unless,
)
from operations.review.data import at
from operations.review.findings import Kind

_STREAM = "AWS::KinesisFirehose::DeliveryStream"

# Firehose API reference, BufferingHints: what holds where the template says nothing.
_BUFFER_SECONDS, _BUFFER_MB = 300, 5


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
    "**The {title} retries what the domain refuses for another time**: {old} → {new} seconds. After it a "
    "document goes to the bucket, and is counted when the redelivery puts it again; until then it holds back "
    "those behind it.",
)

DELIVERY = (
    ValueRule(
        type=_STREAM,
        paths=("*DestinationConfiguration*.BucketARN", "*.DomainARN", "*.ClusterEndpoint"),
        assess=elsewhere(Kind.DATA_LEFT, "**The {title} delivers to another place from now on**"),
    ),
    ValueRule(
        type=_STREAM,
        paths=("*Prefix", "*.IndexName", "*.IndexRotationPeriod", "*.TypeName"),
        assess=always(
            Kind.DATA_LEFT,
            "**The {title} writes under another name from now on**: {old} → {new}. What it delivered stays "
            "where it is, and what reads the old name finds nothing new.",
        ),
    ),
    ValueRule(
        type=_STREAM,
        paths=("KinesisStreamSourceConfiguration.KinesisStreamARN",),
        assess=elsewhere(Kind.DATA_LOSS, "**The {title} keeps the records of another stream from now on**"),
    ),
    ValueRule(type=_STREAM, paths=("*.RetryOptions.DurationInSeconds",), assess=_GIVES_LESS_TIME),
    ValueRule(
        type=_STREAM,
        paths=("*.BufferingHints.IntervalInSeconds",),
        assess=more(
            Kind.LATENCY,
            "**The {title} delivers later**: it holds records for up to {new} seconds, until now {old}.",
            absent=_BUFFER_SECONDS,
        ),
    ),
    ValueRule(
        type=_STREAM,
        paths=("*.BufferingHints.SizeInMBs",),
        assess=less(
            Kind.NOTE, "The {title} delivers in smaller pieces: {old} → {new} MB.", absent=_BUFFER_MB
        ),
    ),
    ValueRule(type=_STREAM, paths=("*.CloudWatchLoggingOptions.Enabled",), assess=_LOGS),
    ValueRule(type=_STREAM, paths=("*.CloudWatchLoggingOptions.Log*Name",), assess=_LOGS_TO),
    ValueRule(type=_STREAM, paths=("*.ProcessingConfiguration*",), assess=_delimited),
    ValueRule(
        type="AWS::Logs::LogGroup",
        paths=("RetentionInDays",),
        assess=less(
            Kind.NOTE,
            "The {title} deletes events older than {new} days, until now {old}.",
            absent=float("inf"),
        ),
    ),
)
