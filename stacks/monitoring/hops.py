"""The path of a click, hop by hop, and what the graphs of a hop show beside its alarms.

An alarm names its hop by the title; one that names none of these ends the synthesis.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aws_cdk import Duration

from contract.sink import SINKS
from lambdas.feedback.metrics import FAILED, UNCHANGED, WRITTEN
from lambdas.forwarder.metrics import DROPPED, FORWARDED, FORWARDED_BYTES, RECEIVED, REJECTED, RETRIED
from lambdas.reconciliation import metrics as reconciliation
from lambdas.redelivery.metrics import REDELIVERED, STALE, WAITING
from lambdas.replay.metrics import REPLAYED_COUNTS
from lambdas.segments_publisher.metrics import PUBLISHED
from lambdas.segments_publisher.metrics import REFUSED as REFUSED_SEGMENTS
from names import Names
from stacks.monitoring.flows import (
    bytes_into_delivery_stream,
    bytes_into_stream,
    counted,
    delivered_to_s3,
    delivered_to_search,
    into_delivery_stream,
    into_stream,
    read_by_delivery_stream,
)
from stacks.monitoring.measure import Measure, metric, query

MOBILE_STREAM = "Mobile stream"
FORWARDER = "Forwarder, to Oregon's source stream"
FEEDBACK = "Feedback, from OpenSearch in Oregon"
SERVICE = "Service"
SOURCE_STREAM = "Source stream"
RAW_BACKUP = "Raw backup"
APPLICATION = "Analytics application"
OPENSEARCH = "OpenSearch"
REDELIVERY = "Redelivery"
SEGMENTS_DOOR = "Segments, from upload to version"
RECONCILIATION = "Reconciliation"
REPLAYS = "Replays"
DEPLOYMENT = "Functions of a deployment"


def _spoken(name: str) -> str:
    """The name of a sink, as a title writes it."""
    return name.replace("-", " ")


def delivery_of(what: str) -> str:
    """The hop of a delivery stream that the application puts into. what: the sink's name, or `rejects`."""
    return f"Delivery of {_spoken(what)}"


REJECTS = delivery_of("rejects")


@dataclass(frozen=True, kw_only=True)
class Hop:
    """graphs: title -> measures."""

    title: str
    graphs: Mapping[str, tuple[Measure, ...]]


def bytes_a_minute(names: Names) -> tuple[Measure, ...]:
    """What passes each hop, in both regions: where a line ends, the path ends. A record holds any number of
    clicks, so bytes are compared."""
    hops = (
        ("mobile stream", names.tokyo, bytes_into_stream(names.mobile_stream)),
        ("forwarded", names.tokyo, counted(names.forwarder, FORWARDED_BYTES)),
        ("source stream", names.oregon, bytes_into_stream(names.source_stream)),
        *(
            (_spoken(sink.name), names.oregon, bytes_into_delivery_stream(names.delivery_stream(sink.name)))
            for sink in SINKS
        ),
        ("rejects", names.oregon, bytes_into_delivery_stream(names.rejects_delivery_stream)),
    )
    return tuple(
        measure.shown_as(f"{number}. {label}", region=region)
        for number, (label, region, measure) in enumerate(hops, start=1)
    )


def rankings_a_minute(names: Names) -> Measure:
    """The end of the path, for the right axis of the same graph."""
    return counted(names.feedback, WRITTEN).shown_as("rankings written, right axis", region=names.tokyo)


def tokyo_path(names: Names) -> tuple[Hop, ...]:
    return (
        Hop(title=MOBILE_STREAM, graphs=_stream(names.mobile_stream)),
        Hop(
            title=FORWARDER,
            graphs={
                "Clicks a minute": _counted(names.forwarder, RECEIVED, FORWARDED, DROPPED, REJECTED, RETRIED)
            },
        ),
        Hop(
            title=FEEDBACK,
            graphs={"Rankings a minute": _counted(names.feedback, WRITTEN, UNCHANGED, FAILED)},
        ),
        Hop(
            title=SERVICE,
            graphs={
                "Capacity that reads and writes of the rankings took": (
                    _of_table(names, "ConsumedReadCapacityUnits", "read"),
                    _of_table(names, "ConsumedWriteCapacityUnits", "written"),
                )
            },
        ),
    )


def oregon_path(names: Names) -> tuple[Hop, ...]:
    raw_backup, rejects = names.raw_backup_delivery_stream, names.rejects_delivery_stream
    return (
        Hop(title=SOURCE_STREAM, graphs=_stream(names.source_stream)),
        Hop(
            title=RAW_BACKUP,
            graphs={
                "Records a minute": (
                    read_by_delivery_stream(raw_backup).shown_as("read from the source stream"),
                    delivered_to_s3(raw_backup).shown_as("written to S3"),
                )
            },
        ),
        Hop(
            title=APPLICATION,
            graphs={
                "Load": (_reported(names, "containerCPUUtilization", "processor, %"),),
                "Checkpoint": (_reported(names, "lastCheckpointDuration", "ms"),),
            },
        ),
        *(_delivery(sink.name, names.delivery_stream(sink.name), delivered_to_search) for sink in SINKS),
        _delivery("rejects", rejects, delivered_to_s3),
        Hop(
            title=OPENSEARCH,
            graphs={
                "Load of the busiest node": (
                    _of_domain(names, "CPUUtilization", "processor, %"),
                    _of_domain(names, "JVMMemoryPressure", "heap, %"),
                ),
                # Each node reports its own, a document and a search once a copy or shard (OpenSearch Service
                # guide, "Monitoring OpenSearch cluster metrics"), so a mean would be one node's.
                "Searches of shards and documents a minute, all nodes": (
                    _of_domain(names, "SearchRate", "searches", statistic="Sum"),
                    _of_domain(names, "IndexingRate", "documents", statistic="Sum"),
                ),
            },
        ),
        Hop(
            title=REDELIVERY,
            graphs={"Documents a minute": _counted(names.redelivery, STALE, WAITING, REDELIVERED)},
        ),
        Hop(
            title=SEGMENTS_DOOR,
            graphs={"Versions a minute": _counted(names.segments_publisher, PUBLISHED, REFUSED_SEGMENTS)},
        ),
        Hop(
            title=RECONCILIATION,
            graphs={
                "Clicks of an hour": tuple(
                    counted(names.reconciliation, name, period=Duration.hours(1))
                    for name in (
                        reconciliation.RECEIVED,
                        reconciliation.COUNTED,
                        reconciliation.REJECTED,
                        reconciliation.UNPARSEABLE,
                        reconciliation.SET_ASIDE,
                    )
                )
            },
        ),
        Hop(title=REPLAYS, graphs={"Counts a minute": _counted(names.replay, REPLAYED_COUNTS)}),
        Hop(title=DEPLOYMENT, graphs={}),
    )


def _delivery(what: str, delivery_stream: str, delivered: Callable[[str], Measure]) -> Hop:
    return Hop(
        title=delivery_of(what),
        graphs={
            "Records a minute": (
                into_delivery_stream(delivery_stream).shown_as("from the application"),
                delivered(delivery_stream).shown_as("delivered"),
            )
        },
    )


def _stream(name: str) -> Mapping[str, tuple[Measure, ...]]:
    """A shard has a limit of both."""

    def read(what: str) -> Measure:
        dimensions = {"StreamName": name}
        measure = metric(f"AWS/Kinesis GetRecords.{what}", dimensions=dimensions, statistic="Sum")
        return measure.shown_as("read by all consumers")

    return {
        "Records a minute": (into_stream(name).shown_as("written"), read("Records")),
        "Bytes a minute": (bytes_into_stream(name).shown_as("written"), read("Bytes")),
    }


def _counted(function: str, *names: str) -> tuple[Measure, ...]:
    return tuple(counted(function, name) for name in names)


def _of_table(names: Names, name: str, label: str) -> Measure:
    dimensions = {"TableName": names.trending_table}
    return metric(f"AWS/DynamoDB {name}", dimensions=dimensions, statistic="Sum").shown_as(label)


def _reported(names: Names, name: str, label: str) -> Measure:
    measure = query(name, namespace="AWS/KinesisAnalytics", dimension="Application", value=names.application)
    return measure.shown_as(label)


def _of_domain(names: Names, name: str, label: str, statistic: str = "Maximum") -> Measure:
    dimensions = {"ClientId": names.account, "DomainName": names.search_domain}
    return metric(f"AWS/ES {name}", dimensions=dimensions, statistic=statistic).shown_as(label)
