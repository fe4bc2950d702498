"""Settings of the forwarder; capacity.py checks that with them it carries what a shard takes in."""

from typing import Annotated

from pydantic import Field

from settings.forwarder_capacity import Capacity, capacity
from settings.section import Section


class ForwarderSettings(Section):
    parallelization_factor: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2,
        description="Batches of one shard carried at the same time, split by partition key. More lanes: more "
        "throughput, and a batch that fails holds up fewer readers; each lane is invoked, and paid, for "
        "itself, and may use one concurrent execution.",
    )
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=10_000,
        description="Limit of records in one invocation; 6 MiB of payload may end a batch sooner. Larger: "
        "cheaper, and a failure repeats more records.",
    )
    batching_window_seconds: Annotated[int, Field(ge=0, le=300)] = Field(
        default=2,
        description="Longest time Lambda gathers a batch, in seconds. It adds to the age of every count, and "
        "divides the invocations of a quiet stream; 0 invokes as soon as anything is there.",
    )
    max_record_age_seconds: Annotated[int, Field(ge=60, le=604_800)] = Field(
        default=21_600,
        description="A record older than this is given up: its batch goes to the dead-letter bucket. It "
        "bounds how long Oregon may be away, and how long a batch that always fails holds up its lane; in "
        "seconds.",
    )
    retry_attempts: Annotated[int, Field(ge=-1, le=10_000)] = Field(
        default=-1,
        description="Repetitions of a failed batch before it is given up; -1: until max_record_age_seconds.",
    )
    concurrent_executions: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="Quota of the account in Tokyo, Service Quotas: Lambda, Concurrent executions; for the "
        "check only. Left out: a new account's, 10.",
    )
    memory_mib: Annotated[int, Field(ge=128, le=10_240)] = Field(
        default=1769,
        description="Memory of the function, in MiB; its share of a processor grows with it, 1769: one.",
    )
    timeout_seconds: Annotated[int, Field(ge=15, le=900)] = Field(
        default=60,
        description="Longest time of one invocation, in seconds; until 8 s before it, refused records are "
        "retried.",
    )
    requests_in_flight: Annotated[int, Field(ge=1, le=100)] = Field(
        default=20,
        description="PutRecords requests in flight to Oregon, per invocation; 20 are a full batch at once.",
    )
    round_trip_milliseconds: Annotated[int, Field(ge=1, le=4_000)] = Field(
        default=150,
        description="Assumed duration of one PutRecords to Oregon, in milliseconds; for the check only.",
    )

    def capacity(self, record_bytes: int) -> Capacity:
        """What one shard's lanes can carry with these settings, of records of this size."""
        return capacity(
            batch_size=self.batch_size,
            lanes=self.parallelization_factor,
            requests_in_flight=self.requests_in_flight,
            memory_mib=self.memory_mib,
            round_trip_seconds=self.round_trip_milliseconds / 1000,
            record_bytes=record_bytes,
        )
