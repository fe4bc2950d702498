"""Prices of what every click flows through: streams, delivery streams, the application, the domain."""

from collections.abc import Iterator
from math import ceil

from cloudformation import Resource
from contract.sink import SINKS
from operations.cost.assumptions import (
    ANSWER_SHARE,
    GB,
    HOURS,
    KB,
    KMS_CALLS_PER_STREAM,
    MAX_KPUS,
    PACKED_FROM,
    PACKED_REQUEST_OVERHEAD,
    REQUEST_OVERHEAD,
    SNAPSHOTS_KEPT,
    STATE_BYTES_PER_COUNT,
    STORAGE_GB_PER_KPU,
)
from operations.cost.basis import Basis, monthly, number
from operations.cost.clicks import mobile_flow, source_flow
from operations.cost.line import Line
from operations.cost.packs import Flow, Packs, single
from operations.cost.prices import UnpricedError
from operations.cost.range import Range, exactly
from settings.capacity import COUNT_BYTES, MOBILE_CONSUMERS, REASON_BYTES, SOURCE_CONSUMERS

PUT_UNIT_BYTES = 25 * KB
ON_DEMAND_STEP = KB
FIREHOSE_STEP = 5 * KB
INCLUDED_HOURS, EXTENDED_HOURS = 24, 168
"""A stream keeps records a day at no charge, a week for one price, longer for another."""


def stream(resource: Resource, basis: Basis) -> Iterator[Line]:
    names = basis.settings.names
    flows = {
        names.mobile_stream: (mobile_flow, MOBILE_CONSUMERS),
        names.source_stream: (source_flow, SOURCE_CONSUMERS),
    }
    name = resource.properties.get("Name")
    if name not in flows:
        raise UnpricedError(
            f"Nothing tells what flows through the stream {name}: add it to operations/cost/flows.py"
        )
    flow_of, consumers = flows[name]
    flow = flow_of(basis)
    if resource.at("StreamModeDetails.StreamMode") == "ON_DEMAND":
        yield from _on_demand(resource, basis, flow, consumers)
    else:
        yield from _provisioned(resource, basis, flow)
    if resource.properties.get("StreamEncryption"):
        yield basis.line(resource, "kms_request", KMS_CALLS_PER_STREAM, part="streams", item="encryption key")
    if name == names.source_stream:
        yield basis.line(
            resource,
            "transfer_to_other_region",
            monthly(_sent(flow)) * (1 / GB),
            part="transfer",
            item="clicks from Tokyo to Oregon",
            region=basis.settings.regions.tokyo,
        )


def _sent(flow: Flow) -> Range:
    """Bytes a second over the wire."""

    def overhead(packs: Packs) -> Range:
        return PACKED_REQUEST_OVERHEAD if packs.waiting >= PACKED_FROM else REQUEST_OVERHEAD

    return Range(
        sum(packs.bytes_per_second * overhead(packs).low for packs in flow.low),
        sum(packs.bytes_per_second * overhead(packs).high for packs in flow.high),
    )


def _on_demand(resource: Resource, basis: Basis, flow: Flow, consumers: int) -> Iterator[Line]:
    billed = flow.billed_per_second(ON_DEMAND_STEP)
    # Whether reads are rounded too, the page does not say.
    read = Range(flow.bytes_per_second.low, billed.high) * consumers
    for price, quantity, item in (
        ("kinesis_on_demand_hour", exactly(HOURS), "hours on demand"),
        ("kinesis_on_demand_in", monthly(billed) * (1 / GB), "records put"),
        ("kinesis_on_demand_out", monthly(read) * (1 / GB), "records read"),
    ):
        yield basis.line(resource, price, quantity, part="streams", item=item)
    for price, hours, item in _kept_longer(resource):
        kept = billed * (hours * 3600 / GB)
        name = "kinesis_extended_month" if price == "extended" else "kinesis_long_term_month"
        yield basis.line(resource, name, kept, part="streams", item=item)


def _provisioned(resource: Resource, basis: Basis, flow: Flow) -> Iterator[Line]:
    shards = number(resource, "ShardCount")
    put_units = monthly(flow.billed_per_second(PUT_UNIT_BYTES)) * (1 / PUT_UNIT_BYTES)
    for price, quantity, item in (
        ("kinesis_shard_hour", exactly(shards * HOURS), "shards"),
        ("kinesis_put_unit", put_units, "records put"),
    ):
        yield basis.line(resource, price, quantity, part="streams", item=item)
    for price, hours, item in _kept_longer(resource):
        if price == "extended":
            yield basis.line(
                resource, "kinesis_extended_shard_hour", exactly(shards * HOURS), part="streams", item=item
            )
        else:
            kept = flow.bytes_per_second * (hours * 3600 / GB)
            yield basis.line(resource, "kinesis_long_term_month", kept, part="streams", item=item)


def _kept_longer(resource: Resource) -> Iterator[tuple[str, float, str]]:
    """(price, hours, item) of what is kept beyond a day, and beyond a week."""
    hours = number(resource, "RetentionPeriodHours", INCLUDED_HOURS)
    if hours > INCLUDED_HOURS:
        yield "extended", min(hours, EXTENDED_HOURS) - INCLUDED_HOURS, "kept for a week at most"
    if hours > EXTENDED_HOURS:
        yield "long term", hours - EXTENDED_HOURS, "kept longer than a week"


def delivery_flow(name: object, basis: Basis) -> Flow:
    """Through the delivery stream of this name."""
    names, traffic = basis.settings.names, basis.traffic
    if name == names.raw_backup_delivery_stream:
        return source_flow(basis)
    singles = {
        names.rejects_delivery_stream: (traffic.rejects, traffic.click_bytes + REASON_BYTES),
        **{names.delivery_stream(sink.name): (traffic.counts, COUNT_BYTES) for sink in SINKS},
    }
    if not isinstance(name, str) or name not in singles:
        raise UnpricedError(
            f"Nothing tells what flows through the delivery stream {name}: add it to operations/cost/flows.py"
        )
    return single(*singles[name])


def delivery_stream(resource: Resource, basis: Basis) -> Iterator[Line]:
    flow = delivery_flow(resource.properties.get("DeliveryStreamName"), basis)
    billed = monthly(flow.billed_per_second(FIREHOSE_STEP)) * (1 / GB)
    yield basis.line(resource, "firehose_in", billed, part="delivery", item="records, in steps of 5 KB")


def application(resource: Resource, basis: Basis) -> Iterator[Line]:
    parallelism = "ApplicationConfiguration.FlinkApplicationConfiguration.ParallelismConfiguration"
    kpus = ceil(
        number(resource, f"{parallelism}.Parallelism") / number(resource, f"{parallelism}.ParallelismPerKPU")
    )
    scaling = resource.at(f"{parallelism}.AutoScalingEnabled")
    if not isinstance(scaling, bool):
        raise UnpricedError(
            f"{resource.type} {resource.name}: `{parallelism}.AutoScalingEnabled` is neither true nor false"
        )
    running = Range(kpus, max(kpus, MAX_KPUS) if scaling else kpus)
    hours = Range(running.low + 1, running.high + 1) * HOURS
    state = basis.traffic.counts * STATE_BYTES_PER_COUNT * _state_seconds(basis)
    for price, quantity, item in (
        ("flink_kpu_hour", hours, "KPUs, one for orchestration"),
        ("flink_storage_month", running * STORAGE_GB_PER_KPU, "running storage"),
        ("flink_backup_month", Range(0, (state * SNAPSHOTS_KEPT * (1 / GB)).high), "snapshots"),
    ):
        yield basis.line(resource, price, quantity, part="application", item=item)


def _state_seconds(basis: Basis) -> float:
    """How long the application remembers a count: as late as a click may be, and two hours more."""
    return (basis.settings.analytics.allowed_lateness_hours + 2) * 3600.0


def domain(resource: Resource, basis: Basis) -> Iterator[Line]:
    count = number(resource, "ClusterConfig.InstanceCount")
    extra = [
        path.rpartition(".")[2]
        for path in ("EBSOptions.Iops", "EBSOptions.Throughput", "ClusterConfig.WarmEnabled")
        if resource.at(path)
    ]
    extra += ["VolumeType"] if resource.at("EBSOptions.VolumeType") not in {None, "gp3"} else []
    if extra:
        raise UnpricedError(
            f"Nothing tells what {', '.join(extra)} of the domain {resource.name} costs: add it to "
            "operations/cost/flows.py"
        )
    yield _nodes(resource, basis, "Instance", item="data nodes")
    if resource.at("ClusterConfig.DedicatedMasterEnabled"):
        yield _nodes(resource, basis, "DedicatedMaster", item="dedicated masters")
    volumes = exactly(count * number(resource, "EBSOptions.VolumeSize"))
    yield basis.line(resource, "opensearch_gp3_month", volumes, part="search", item="volumes")
    answers = monthly(basis.traffic.counts) * (ANSWER_SHARE * COUNT_BYTES / GB)
    yield basis.line(
        resource,
        "transfer_to_other_region",
        Range(0, answers.high),
        part="transfer",
        item="answers to the batch server in Tokyo",
        region=basis.settings.regions.oregon,
    )


def _nodes(resource: Resource, basis: Basis, which: str, *, item: str) -> Line:
    """which: `Instance` or `DedicatedMaster`, with which the properties of these nodes begin."""
    instance_type = str(resource.at(f"ClusterConfig.{which}Type"))
    hours = exactly(number(resource, f"ClusterConfig.{which}Count") * HOURS)
    return Line(
        part="search",
        item=f"{item}, {instance_type}",
        of=resource.logical_id,
        named=resource.name or "",
        region=resource.region,
        unit="node-hour",
        quantity=hours,
        usd=hours * basis.prices.node(instance_type).usd_hour,
    )
