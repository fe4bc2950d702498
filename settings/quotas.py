"""Quotas of AWS that differ between regions, as they are before they are raised."""

from dataclasses import dataclass

MIB = 1024 * 1024

LARGE_REGIONS = {"us-east-1", "us-west-2", "eu-west-1"}
"""Those that begin with five times the direct puts (Amazon Data Firehose developer guide, "Quota") and fifty
times the on-demand throughput (Kinesis Data Streams developer guide, "Quotas and limits") of the others."""


@dataclass(frozen=True, kw_only=True)
class DirectPut:
    """What a delivery stream takes from direct puts; its records and bytes grow together."""

    mib_per_second: int
    records_per_second: int

    def raised_to(self, mib_per_second: int) -> "DirectPut":
        records = self.records_per_second * mib_per_second // self.mib_per_second
        return DirectPut(mib_per_second=mib_per_second, records_per_second=records)


def direct_put(region: str) -> DirectPut:
    if region in LARGE_REGIONS:
        return DirectPut(mib_per_second=5, records_per_second=500_000)
    return DirectPut(mib_per_second=1, records_per_second=100_000)


def on_demand_bytes_per_second(region: str) -> int:
    """What an on-demand stream takes at most."""
    return (10 * 1024 if region in LARGE_REGIONS else 200) * MIB
