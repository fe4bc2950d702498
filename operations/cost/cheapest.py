"""The cheapest settings for a traffic: each choice that matters is tried, if no check refuses it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import ValidationError

from cloudformation import Resource
from operations.cost.estimate import Estimate, estimate_resources
from operations.cost.prices import Prices, UnpricedError
from operations.cost.search_nodes import BURSTABLE, with_nodes
from settings import Settings, capacity, consistency, latency
from settings.capacity import (
    MOBILE_CONSUMERS,
    SOURCE_CONSUMERS,
    kpus_to_count,
    kpus_to_remember,
    shards_to_read,
    shards_to_write,
    source_records,
)
from settings.packing import Records, mobile_records
from settings.streams import StreamSettings

LANES = (1, 2, 5, 10)
WINDOWS_SECONDS = (0, 1, 2, 5, 10, 20)
FACTORS = (1, 3, 10, 30, 100, 300, 1000)
"""Times the declared traffic."""


class NoSettingsError(Exception):
    """No settings carry a traffic; the message says what stands in the way."""


@dataclass(frozen=True, kw_only=True)
class Cheapest:
    """factor: times the declared traffic."""

    factor: int
    settings: Settings
    estimate: Estimate


def cheapest(resources: Iterable[Resource], settings: Settings, prices: Prices, *, factor: int) -> Cheapest:
    """By the middle of low and high, among settings that carry the traffic and keep to the latency target.
    The declared settings are tried too, at the declared traffic: the cheapest never cost more than they.

    resources: of the environment's templates. Raises NoSettingsError and UnpricedError.
    """
    templates = tuple(resources)
    wanted = with_application(scaled(settings, factor))

    def priced(candidate: Settings) -> Estimate:
        estimate = estimate_resources(with_settings(templates, candidate), candidate, prices)
        if estimate.unpriced:
            raise UnpricedError(estimate.unpriced[0].why)
        return estimate

    nodes = [
        candidate
        for instance_type in prices.opensearch_nodes
        if not instance_type.startswith(BURSTABLE)
        if (candidate := with_nodes(wanted, instance_type, prices))
    ]
    if not nodes:
        raise NoSettingsError(f"{factor} times the traffic: no 80 nodes of OpenSearch carry or hold it")
    searching = min(nodes, key=lambda candidate: priced(candidate).total.middle)
    declared = [settings] if factor == 1 else []
    candidates = [one for one in (*declared, *_carriers(searching)) if not _refused(one)]
    if not candidates:
        refused = _refused(next(_carriers(searching)))
        raise NoSettingsError(f"{factor} times the traffic cannot be carried: " + "; ".join(refused))
    best = min(candidates, key=lambda candidate: priced(candidate).total.middle)
    return Cheapest(factor=factor, settings=best, estimate=priced(best))


def scaled(settings: Settings, factor: int) -> Settings:
    """`factor` times the clicks on as many times the web servers, else the same traffic; with quotas raised,
    which costs nothing."""
    peak = settings.peak
    servers = peak.web_servers and peak.web_servers * factor
    return _changed(
        settings,
        peak={"clicks_per_second": peak.clicks_per_second * factor, "web_servers": servers},
        delivery={"direct_put_mib_per_second": 1_000},
    )


def with_application(settings: Settings) -> Settings:
    """As many KPUs as the peak needs; the tasks that share one stay."""
    shared = settings.analytics.parallelism_per_kpu
    return _changed(
        settings, analytics={"parallelism": max(kpus_to_count(settings), kpus_to_remember(settings)) * shared}
    )


def _carriers(settings: Settings) -> Iterator[Settings]:
    """Both modes of the streams, with every shape of the forwarder."""
    hours = settings.streams.retention_hours
    on_demand = StreamSettings(mode="on_demand", retention_hours=hours)
    mobile_shards = _shards(mobile_records(settings.peak), MOBILE_CONSUMERS)
    for lanes, window in product(LANES, WINDOWS_SECONDS):
        shaped = _changed(
            settings, forwarder={"parallelization_factor": lanes, "batching_window_seconds": window}
        )
        yield shaped.model_copy(update={"streams": on_demand})
        provisioned = on_demand.model_copy(update={"mode": "provisioned", "mobile_shards": mobile_shards})
        written = source_records(shaped.model_copy(update={"streams": provisioned}))
        source_shards = _shards(written, SOURCE_CONSUMERS)
        yield shaped.model_copy(
            update={"streams": provisioned.model_copy(update={"source_shards": source_shards})}
        )


def _shards(records: Records, consumers: int) -> int:
    return max(shards_to_write(records), shards_to_read(records, consumers=consumers))


def _refused(settings: Settings) -> list[str]:
    """What the checks at synth, or the limits of a field, say against these settings."""
    try:
        valid = Settings.model_validate(settings.model_dump())
    except ValidationError as error:
        return [str(error)]
    return [problem for check in (consistency, capacity, latency) for problem in check.problems(valid)]


def _changed(settings: Settings, **sections: dict[str, Any]) -> Settings:
    return settings.model_copy(
        update={
            name: getattr(settings, name).model_copy(update=changes) for name, changes in sections.items()
        }
    )


def with_settings(resources: Iterable[Resource], settings: Settings) -> tuple[Resource, ...]:
    """The resources as a synthesis with these settings would make them, as far as the search changes them."""
    return tuple(resource.with_properties(**_properties(resource, settings)) for resource in resources)


def _properties(resource: Resource, settings: Settings) -> dict[str, Any]:
    streams, search, forwarder = settings.streams, settings.search, settings.forwarder
    given = resource.properties
    match resource.type:
        case "AWS::Kinesis::Stream":
            is_mobile = given["Name"] == settings.names.mobile_stream
            shards = streams.mobile_shards if is_mobile else streams.source_shards
            mode = "PROVISIONED" if shards else "ON_DEMAND"
            return {"StreamModeDetails": {"StreamMode": mode}, "ShardCount": shards}
        case "AWS::KinesisAnalyticsV2::Application":
            configuration = given["ApplicationConfiguration"]
            flink = configuration["FlinkApplicationConfiguration"]
            parallelism = {
                **flink["ParallelismConfiguration"],
                "Parallelism": settings.analytics.parallelism,
                "ParallelismPerKPU": settings.analytics.parallelism_per_kpu,
            }
            changed = {**flink, "ParallelismConfiguration": parallelism}
            return {"ApplicationConfiguration": {**configuration, "FlinkApplicationConfiguration": changed}}
        case "AWS::OpenSearchService::Domain":
            cluster = {"InstanceType": search.instance_type, "InstanceCount": search.instance_count}
            return {
                "ClusterConfig": {**given["ClusterConfig"], **cluster},
                "EBSOptions": {**given["EBSOptions"], "VolumeSize": search.volume_gib},
            }
        case "AWS::Lambda::EventSourceMapping":
            return {
                "ParallelizationFactor": forwarder.parallelization_factor,
                "MaximumBatchingWindowInSeconds": forwarder.batching_window_seconds,
            }
    return {}
