"""Checks at synth that the domain's volumes hold the counts until they are deleted; the cost uses it too.

How full a volume may be: OpenSearch Service developer guide, "Calculating storage requirements"
(https://docs.aws.amazon.com/opensearch-service/latest/developerguide/bp-storage.html). Linux keeps 5 %, the
service 20 % or 20 GiB a node; its formula divides by 0.95 x 0.8 whatever the size.
"""

from datetime import timedelta
from math import ceil, floor
from typing import NamedTuple

from contract.count import WINDOW
from contract.sink import SINKS
from settings.environment import Settings

DOCUMENT_BYTES = (45, 70)
"""Lowest and highest assumed size of a count in the index, without its replica. 61 were measured:
docs/decisions/index-settings-by-measurement.md."""
MAX_COUNTS_OF_A_TIME = 1_000_000
"""Most distinct counts of one window: 700 segments times 1,400 articles. Clicks grow without limit, pairs of
article and segment do not."""
FULLEST_DISK = 0.75
"""Below the 0.76 of the formula; here the alarm on FreeStorageSpace enters ALARM. With less than 20 % free
"basic write operations ... can start to fail" (developer guide, "Lack of available storage space")."""

SMALLEST_VOLUME_GIB = 10
_LARGEST_VOLUME_GIB = {"t3.small": 100, "t3.medium": 200, "medium": 768, "large": 1024, "xlarge": 1536}
_LARGEST_OTHERS_GIB = 3072
"""Largest gp3 volume that every type of a size takes: developer guide, "EBS volume size quotas". Some types,
such as r6g, take more; `make doctor` asks AWS for the exact limit."""


class FilledGib(NamedTuple):
    """GiB of volumes including free space, at the low and the high end of the assumptions."""

    low: float
    high: float


def largest_volume_gib(instance_type: str) -> int:
    type_, size = instance_type.removesuffix(".search"), instance_type.split(".")[1]
    return _LARGEST_VOLUME_GIB.get(type_) or _LARGEST_VOLUME_GIB.get(size, _LARGEST_OTHERS_GIB)


def filled_gib_a_day(settings: Settings, *, replicas: int) -> FilledGib:
    peak = settings.peak

    def filled(mean_to_peak: float, document_bytes: int) -> float:
        written = peak.counts_per_second * mean_to_peak * WINDOW.total_seconds()
        documents = min(written, MAX_COUNTS_OF_A_TIME) * (timedelta(days=1) / WINDOW) * len(SINKS)
        return documents * document_bytes * (1 + replicas) / FULLEST_DISK / 1024**3

    low, high = DOCUMENT_BYTES
    return FilledGib(filled(peak.mean_to_peak_min, low), filled(peak.mean_to_peak_max, high))


def problem(settings: Settings) -> str | None:
    """Says that the volumes are too small even at the low end; None if they are not."""
    days = settings.search.retention_days
    if settings.is_twin or days is None or _days_held(settings).high >= days:
        return None
    return _too_small(settings)


def warning(settings: Settings) -> str | None:
    """Says that the volumes are too small at the high end, or that nothing is ever deleted; else None."""
    days = settings.search.retention_days
    if settings.is_twin or problem(settings) or (days is not None and _days_held(settings).low >= days):
        return None
    return _too_small(settings)


class DaysHeld(NamedTuple):
    low: float
    high: float


def _days_held(settings: Settings) -> DaysHeld:
    search = settings.search
    a_day = filled_gib_a_day(settings, replicas=search.replicas)
    volumes = search.instance_count * search.volume_gib
    return DaysHeld(volumes / a_day.high, volumes / a_day.low)


def _too_small(settings: Settings) -> str:
    search = settings.search
    held = _days_held(settings)
    wanted = "for ever" if search.retention_days is None else f"{search.retention_days:,} days"
    return (
        f"search.volume_gib ({search.volume_gib}) on {search.instance_count} nodes holds the counts of "
        f"{_shown(held)} days, at the declared traffic and {DOCUMENT_BYTES[0]} to {DOCUMENT_BYTES[1]} bytes "
        f"each, but they are kept {wanted} (search.retention_days). On full disks OpenSearch refuses every "
        f"count: {_remedies(settings)}"
    )


def _shown(held: DaysHeld) -> str:
    low, high = f"{floor(held.low):,}", f"{floor(held.high):,}"
    return low if low == high else f"{low} to {high}"


def _remedies(settings: Settings) -> str:
    search, fewest_days = settings.search, settings.analytics.allowed_lateness_hours // 24 + 2
    remedies = []
    if search.retention_days is not None:
        a_day = filled_gib_a_day(settings, replicas=search.replicas)
        volume = ceil(a_day.high * search.retention_days / search.instance_count)
        if volume <= largest_volume_gib(search.instance_type):
            remedies.append(f"set search.volume_gib = {volume}")
        else:
            remedies.append("raise search.volume_gib and search.instance_count")
    if (days := floor(_days_held(settings).low)) >= fewest_days:
        remedies.append(f"set search.retention_days = {days}")
    return ", or ".join([*remedies, "correct [peak]"])
