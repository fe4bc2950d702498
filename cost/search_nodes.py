"""How many data nodes of a type carry the peak and hold the counts, for those who may choose the type."""

from datetime import timedelta
from math import ceil

from contract.count import GRAIN
from cost.assumptions import DOCUMENT_BYTES, MAX_COUNTS_OF_A_TIME
from cost.prices import Prices
from settings import Settings
from settings.capacity import WANTED_HEADROOM
from settings.measured import DOCUMENTS_PER_SECOND_PER_NODE

DOCUMENTS_PER_SECOND_PER_VCPU = DOCUMENTS_PER_SECOND_PER_NODE // 2
"""What a node of two cores is taken to index; taken as growing with the processors."""
FULLEST_DISK = 0.75
KEPT_DAYS = 90
"""Where an environment keeps counts for ever: as many days as are reckoned with."""
LARGEST_VOLUME_GIB = {1: 768, 2: 1024, 4: 1536}
"""By vCPUs, 3,072 above: OpenSearch Service developer guide, "EBS volume size quotas", of general purpose
nodes."""
BURSTABLE = "t3."
"""For trying out: their processor is lent by the hour."""


def stored_gib(settings: Settings) -> float:
    """Counts with their replicas on disks that are not full, at the high end of what is assumed."""
    peak, search = settings.peak, settings.search
    written = peak.counts_per_second * peak.mean_to_peak_max * GRAIN.total_seconds()
    kept = timedelta(days=search.retention_days or KEPT_DAYS)
    documents = min(written, MAX_COUNTS_OF_A_TIME) * (kept // GRAIN)
    return documents * DOCUMENT_BYTES.high * 2 / FULLEST_DISK / 1024**3


def with_nodes(settings: Settings, instance_type: str, prices: Prices) -> Settings | None:
    """These settings with as many nodes of the type as they need; None where 80 are too few."""
    node = prices.node(instance_type)
    rate = node.vcpus * DOCUMENTS_PER_SECOND_PER_VCPU
    zones = settings.search.availability_zones
    to_write = settings.peak.counts_per_second * WANTED_HEADROOM * 2 / rate
    to_hold = stored_gib(settings) / LARGEST_VOLUME_GIB.get(node.vcpus, 3072)
    count = max(ceil(ceil(max(to_write, to_hold)) / zones) * zones, zones)
    if count > 80:
        return None
    volume = max(10, ceil(stored_gib(settings) / count))
    return settings.model_copy(
        update={
            "search": settings.search.model_copy(
                update={
                    "instance_type": instance_type,
                    "instance_count": count,
                    "volume_gib": volume,
                    "documents_per_second_per_node": rate,
                }
            )
        }
    )
