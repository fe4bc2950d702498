"""How many times the declared peak each hop carries, from the settings alone: the checks of
settings/capacity.py, as numbers to compare."""

from math import floor, isinf

from contract.limits import MIB
from settings.capacity import (
    COUNT_BYTES,
    MOBILE_CONSUMERS,
    SHARD_BYTES_PER_SECOND,
    SHARD_READ_BYTES_PER_SECOND,
    SHARD_RECORDS_PER_SECOND,
    SOURCE_CONSUMERS,
    forwarder_capacity,
    source_records,
)
from settings.environment import Settings
from settings.measured import CLICKS_PER_SECOND_PER_KPU
from settings.packing import Records, mobile_records

ON_DEMAND = None
"""The stream follows the traffic: it has no headroom of its own to state."""


def headroom(settings: Settings) -> dict[str, float | None]:
    """Hop -> times the declared peak that it carries, in the order in which data flows."""
    peak, streams, analytics = settings.peak, settings.streams, settings.analytics
    kpus = -(-analytics.parallelism // analytics.parallelism_per_kpu)
    return {
        "mobile stream": _stream(streams.mobile_shards, mobile_records(peak), MOBILE_CONSUMERS),
        "forwarder, of a full shard": forwarder_capacity(
            settings.forwarder, click_bytes=peak.click_bytes, clicks_per_record=peak.mobile_clicks_per_record
        ).headroom,
        "source stream": _stream(streams.source_shards, source_records(settings), SOURCE_CONSUMERS),
        "analytics application": kpus * CLICKS_PER_SECOND_PER_KPU / peak.clicks_per_second,
        "counts delivery stream": _delivery(settings),
        "search domain": _search(settings),
    }


def shown(times: float | None) -> str:
    """`3.2 x`, rounded down: a headroom is no larger than it is."""
    if times is ON_DEMAND:
        return "on demand"
    return "no traffic" if isinf(times) else f"{floor(times * 10) / 10:,} x"


def _stream(shards: int | None, records: Records, consumers: int) -> float | None:
    if shards is None:
        return ON_DEMAND
    if not records.per_second:
        return float("inf")
    return min(
        shards * SHARD_RECORDS_PER_SECOND / records.per_second,
        shards * SHARD_BYTES_PER_SECOND / records.bytes_per_second,
        shards * SHARD_READ_BYTES_PER_SECOND / (records.bytes_per_second * consumers),
    )


def _delivery(settings: Settings) -> float:
    counts, quota = settings.peak.counts_per_second, settings.direct_put
    by_bytes = quota.mib_per_second * MIB / (counts * COUNT_BYTES)
    return min(by_bytes, quota.records_per_second / counts)


def _search(settings: Settings) -> float:
    search = settings.search
    documents = search.instance_count * search.documents_per_second_per_node / (1 + search.replicas)
    return documents / settings.peak.counts_per_second
