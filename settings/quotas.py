"""Initial AWS quotas that differ between regions."""

from dataclasses import dataclass

from contract.limits import MIB

LARGE_REGIONS = {"us-east-1", "us-west-2", "eu-west-1"}
"""They begin with five times the Direct PUT quota (Amazon Data Firehose developer guide, "Quota") and fifty
times the on-demand throughput (Kinesis Data Streams developer guide, "Quotas and limits") of the others."""


@dataclass(frozen=True, kw_only=True)
class DirectPut:
    """Direct PUT quota of a delivery stream; its records and bytes are raised together."""

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
    """Most that an on-demand stream takes."""
    return (10 * 1024 if region in LARGE_REGIONS else 200) * MIB
