"""The path of a click, hop by hop: what each hop is made of, and what its graphs show beside its alarms.

The alarms are not named here. Each finds its hop by what it watches, and one that finds none ends the
synthesis.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.sink import SINKS
from lambdas.feedback.metrics import FAILED, UNCHANGED, WRITTEN
from lambdas.forwarder.metrics import DROPPED, FORWARDED, RECEIVED, REJECTED, RETRIED
from lambdas.redelivery.metrics import REDELIVERED, STALE, WAITING
from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from names import Names
from stacks.monitoring.measure import Measure, metric, query

AGES: Mapping[str, str] = {
    "GetRecords.IteratorAgeMilliseconds": "ms",
    "IteratorAge": "ms",
    "millisBehindLatest": "ms",
    "segmentsSecondsSinceCheck": "s",
    "DeliveryToS3.DataFreshness": "s",
    "DeliveryToAmazonOpenSearchService.DataFreshness": "s",
    "WaitingAge": "s",
    "RankingAge": "s",
}
"""Measures of alarms that say how old the oldest waiting thing is, with their units."""
DEAD_LETTERS = (
    "OnFailureDestinationDeliveredEventCount",
    "DroppedEventCount",
    "Unexpected",
    "GivenUp",
)
"""Measures of alarms that count what was given up."""


@dataclass(frozen=True, kw_only=True)
class Hop:
    """watches: physical names of its parts, by which its alarms are found; graphs: title -> measures."""

    title: str
    watches: tuple[str, ...]
    graphs: Mapping[str, tuple[Measure, ...]]


def records_a_minute(names: Names) -> tuple[Measure, ...]:
    """What passes each hop, in both regions: where a line ends, the path ends."""
    hops = (
        ("mobile stream", names.tokyo, "AWS/Kinesis IncomingRecords", {"StreamName": names.mobile_stream}),
        ("forwarded", names.tokyo, f"{NAMESPACE} {FORWARDED}", {SERVICE_DIMENSION: names.forwarder}),
        ("source stream", names.oregon, "AWS/Kinesis IncomingRecords", {"StreamName": names.source_stream}),
        *(
            (label, names.oregon, "AWS/Firehose IncomingRecords", {"DeliveryStreamName": delivery_stream})
            for label, delivery_stream in _direct_puts(names).items()
        ),
        ("rankings written", names.tokyo, f"{NAMESPACE} {WRITTEN}", {SERVICE_DIMENSION: names.feedback}),
    )
    return tuple(
        metric(name, dimensions=dimensions, statistic="Sum", label=f"{number}. {label}", region=region)
        for number, (label, region, name, dimensions) in enumerate(hops, start=1)
    )


def _direct_puts(names: Names) -> dict[str, str]:
    """Label -> delivery stream that the application puts into."""
    counts = {sink.name.replace("-", " "): names.delivery_stream(sink.name) for sink in SINKS}
    return counts | {"rejects": names.rejects_delivery_stream}


def tokyo_path(names: Names) -> tuple[Hop, ...]:
    return (
        Hop(
            title="Mobile stream",
            watches=(names.mobile_stream,),
            graphs={"Records a minute": _stream(names.mobile_stream)},
        ),
        Hop(
            title="Forwarder, to Oregon's source stream",
            watches=(names.forwarder,),
            graphs={
                "Records a minute": _counted(names.forwarder, RECEIVED, FORWARDED, DROPPED, REJECTED, RETRIED)
            },
        ),
        Hop(
            title="Feedback, from OpenSearch in Oregon",
            watches=(names.feedback,),
            graphs={"Rankings a minute": _counted(names.feedback, WRITTEN, UNCHANGED, FAILED)},
        ),
        Hop(
            title="Service",
            watches=(names.trending_table,),
            graphs={
                "Capacity that reads and writes of the rankings took": tuple(
                    metric(
                        f"AWS/DynamoDB {name}",
                        dimensions={"TableName": names.trending_table},
                        statistic="Sum",
                        label=label,
                    )
                    for name, label in (
                        ("ConsumedReadCapacityUnits", "read"),
                        ("ConsumedWriteCapacityUnits", "written"),
                    )
                )
            },
        ),
    )


def oregon_path(names: Names) -> tuple[Hop, ...]:
    return (
        Hop(
            title="Source stream",
            watches=(names.source_stream,),
            graphs={"Records a minute": _stream(names.source_stream)},
        ),
        Hop(
            title="Raw backup",
            watches=(names.raw_backup_delivery_stream,),
            graphs={
                "Records a minute": tuple(
                    _delivered(names.raw_backup_delivery_stream, name, label)
                    for name, label in (
                        ("DataReadFromKinesisStream.Records", "read from the source stream"),
                        ("DeliveryToS3.Records", "written to S3"),
                    )
                )
            },
        ),
        Hop(
            title="Analytics application",
            watches=(names.application,),
            graphs={
                "Load": (_reported(names, "containerCPUUtilization", "processor, %"),),
                "Checkpoint": (_reported(names, "lastCheckpointDuration", "ms"),),
            },
        ),
        *(_delivery(label, delivery_stream, names) for label, delivery_stream in _direct_puts(names).items()),
        Hop(
            title="OpenSearch",
            watches=(names.search_domain,),
            graphs={
                "Load of the busiest node": tuple(
                    _of_domain(names, name, label)
                    for name, label in (
                        ("CPUUtilization", "processor, %"),
                        ("JVMMemoryPressure", "heap, %"),
                    )
                ),
                # Each node reports its own, a document and a search once a copy or shard (OpenSearch Service
                # guide, "Monitoring OpenSearch cluster metrics"), so a mean would be one node's.
                "Searches of shards and documents a minute, all nodes": tuple(
                    _of_domain(names, name, label, statistic="Sum")
                    for name, label in (("SearchRate", "searches"), ("IndexingRate", "documents"))
                ),
            },
        ),
        Hop(
            title="Redelivery",
            watches=(names.redelivery,),
            graphs={"Documents a minute": _counted(names.redelivery, STALE, WAITING, REDELIVERED)},
        ),
        Hop(
            title="Functions of a deployment",
            watches=(names.application_lifecycle, names.search_bootstrap),
            graphs={},
        ),
    )


def _delivery(label: str, delivery_stream: str, names: Names) -> Hop:
    destination = "S3" if delivery_stream == names.rejects_delivery_stream else "AmazonOpenSearchService"
    return Hop(
        title=f"Delivery of {label}",
        watches=(delivery_stream,),
        graphs={
            "Records a minute": (
                _delivered(delivery_stream, "IncomingRecords", "from the application"),
                _delivered(delivery_stream, f"DeliveryTo{destination}.Records", "delivered"),
            )
        },
    )


def _stream(name: str) -> tuple[Measure, ...]:
    return tuple(
        metric(f"AWS/Kinesis {each}", dimensions={"StreamName": name}, statistic="Sum", label=label)
        for each, label in (("IncomingRecords", "written"), ("GetRecords.Records", "read by all readers"))
    )


def _counted(function: str, *names: str) -> tuple[Measure, ...]:
    """Metrics of a function of ours, by their names."""
    return tuple(
        metric(f"{NAMESPACE} {name}", dimensions={SERVICE_DIMENSION: function}, statistic="Sum")
        for name in names
    )


def _delivered(delivery_stream: str, name: str, label: str) -> Measure:
    return metric(
        f"AWS/Firehose {name}",
        dimensions={"DeliveryStreamName": delivery_stream},
        statistic="Sum",
        label=label,
    )


def _reported(names: Names, name: str, label: str) -> Measure:
    return query(
        name, namespace="AWS/KinesisAnalytics", dimension="Application", value=names.application, label=label
    )


def _of_domain(names: Names, name: str, label: str, statistic: str = "Maximum") -> Measure:
    dimensions = {"ClientId": names.account, "DomainName": names.search_domain}
    return metric(f"AWS/ES {name}", dimensions=dimensions, statistic=statistic, label=label)
