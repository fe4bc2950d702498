"""What the forwarder carries from one shard, by the formula and figures of docs/reference/forwarder.md."""

from dataclasses import dataclass
from math import ceil

from lambdas.shared.destinations import DataStream
from settings.measured import FORWARDER_CPU_SECONDS_PER_RECORD

# A shard's own limits for writing: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
SHARD_RECORDS_PER_SECOND = 1_000
SHARD_BYTES_PER_SECOND = 1024 * 1024

# A function has one vCPU at this size: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
ONE_VCPU_MIB = 1769
# Payload of a synchronous invocation. It holds a record's data in base64 and about 600 bytes of other fields.
PAYLOAD_BYTES = 6 * 1024 * 1024
EVENT_FIELDS_BYTES = 600

INVOCATION_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """Rates are for one shard. records_per_batch: as Lambda hands them over; lanes: of that shard."""

    records_per_batch: int
    batch_seconds: float
    lanes: int
    record_bytes: int

    @property
    def lane_records_per_second(self) -> float:
        return self.records_per_batch / self.batch_seconds

    @property
    def records_per_second(self) -> float:
        return self.lanes * self.lane_records_per_second

    @property
    def headroom(self) -> float:
        """Ratio to what a shard can take in, by records or by bytes, whichever is lower."""
        return min(
            self.records_per_second / SHARD_RECORDS_PER_SECOND,
            self.records_per_second * self.record_bytes / SHARD_BYTES_PER_SECOND,
        )


def capacity(
    *,
    batch_size: int,
    lanes: int,
    requests_in_flight: int,
    memory_mib: int,
    round_trip_seconds: float,
    record_bytes: int,
) -> Capacity:
    """Capacity with full batches on every lane of one shard, as after an outage.

    A batch takes a fixed time + records x CPU / vCPUs + waves x round trip. Python uses at most one vCPU, a
    wave is `requests_in_flight` requests, and a request holds what PutRecords allows.
    """
    records = min(batch_size, PAYLOAD_BYTES // (ceil(record_bytes * 4 / 3) + EVENT_FIELDS_BYTES))
    limits = DataStream.limits
    per_request = min(limits.records, limits.request_bytes // record_bytes)
    waves = ceil(ceil(records / per_request) / requests_in_flight)
    vcpus = min(1.0, memory_mib / ONE_VCPU_MIB)
    seconds = (
        INVOCATION_SECONDS + records * FORWARDER_CPU_SECONDS_PER_RECORD / vcpus + waves * round_trip_seconds
    )
    return Capacity(records_per_batch=records, batch_seconds=seconds, lanes=lanes, record_bytes=record_bytes)
