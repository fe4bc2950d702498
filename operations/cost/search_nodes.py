"""How many data nodes of a type carry the peak and hold the counts, for those who may choose the type."""

from math import ceil

from operations.cost.prices import Prices
from settings import Settings
from settings.capacity import WANTED_HEADROOM
from settings.disks import SMALLEST_VOLUME_GIB, filled_gib_a_day, largest_volume_gib
from settings.measured import DOCUMENTS_PER_SECOND_PER_NODE

DOCUMENTS_PER_SECOND_PER_VCPU = DOCUMENTS_PER_SECOND_PER_NODE // 2
"""What a node of two cores is taken to index; taken as growing with the processors."""
KEPT_DAYS = 90
"""Where an environment keeps counts for ever: as many days as are reckoned with."""
BURSTABLE = "t3."
"""For trying out: their processor is lent by the hour."""


def stored_gib(settings: Settings) -> float:
    """Counts with their replicas on disks that are not full, at the high end of what is assumed."""
    return filled_gib_a_day(settings, replicas=1).high * (settings.search.retention_days or KEPT_DAYS)


def with_nodes(settings: Settings, instance_type: str, prices: Prices) -> Settings | None:
    """These settings with as many nodes of the type as they need; None where 80 are too few."""
    rate = prices.node(instance_type).vcpus * DOCUMENTS_PER_SECOND_PER_VCPU
    zones = settings.search.availability_zones
    to_write = settings.peak.counts_per_second * WANTED_HEADROOM * 2 / rate
    to_hold = stored_gib(settings) / largest_volume_gib(instance_type)
    count = max(ceil(ceil(max(to_write, to_hold)) / zones) * zones, zones)
    if count > 80:
        return None
    volume = max(SMALLEST_VOLUME_GIB, ceil(stored_gib(settings) / count))
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
