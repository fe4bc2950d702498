"""Settings of the forwarder, with the check that it can carry what a shard takes in."""

from math import ceil
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lambdas.forwarder.configuration import ATTEMPT_RESERVE_SECONDS
from stacks.forwarder_capacity import Capacity, capacity

WANTED_HEADROOM = 2.0
"""Twice what a shard takes in, so that after an outage the forwarder catches up as fast as records arrive."""


class ForwarderSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    parallelization_factor: Annotated[int, Field(ge=1, le=10)] = Field(
        default=10,
        description="Batches of one shard carried at the same time, split by partition key. More lanes: more "
        "throughput, and a slow batch holds up fewer readers; each lane may use one concurrent execution.",
    )
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=10_000,
        description="Most records in one invocation; 6 MB of payload may end a batch sooner. Larger: "
        "cheaper, and a failure repeats more records.",
    )
    batching_window_seconds: Annotated[int, Field(ge=0, le=300)] = Field(
        default=1,
        description="Longest time Lambda gathers a batch, in seconds. It adds to the age of every count; 0 "
        "invokes as soon as anything is there.",
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
    memory_mib: Annotated[int, Field(ge=128, le=10_240)] = Field(
        default=1769,
        description="Memory of the function, in MiB; its share of a processor grows with it, 1769: one.",
    )
    timeout_seconds: Annotated[int, Field(ge=15, le=900)] = Field(
        default=60,
        description="Longest time of one invocation, in seconds; until 8 s before it, refused records are "
        "put again.",
    )
    requests_in_flight: Annotated[int, Field(ge=1, le=100)] = Field(
        default=20,
        description="PutRecords requests in flight to Oregon, per invocation; 20 are a full batch at once.",
    )
    round_trip_milliseconds: Annotated[int, Field(ge=1, le=4_000)] = Field(
        default=150,
        description="Assumed duration of one PutRecords to Oregon, in milliseconds; for the check only.",
    )
    record_bytes: Annotated[int, Field(ge=1, le=1_048_576)] = Field(
        default=300, description="Assumed mean size of a record, in bytes; for the check only."
    )

    @property
    def capacity(self) -> Capacity:
        """What one shard's lanes can carry with these settings."""
        return capacity(
            batch_size=self.batch_size,
            lanes=self.parallelization_factor,
            requests_in_flight=self.requests_in_flight,
            memory_mib=self.memory_mib,
            round_trip_seconds=self.round_trip_milliseconds / 1000,
            record_bytes=self.record_bytes,
        )

    @model_validator(mode="after")
    def _carries_what_a_shard_takes_in(self) -> "ForwarderSettings":
        estimate = self.capacity
        if estimate.headroom < WANTED_HEADROOM:
            raise ValueError(
                f"the forwarder would carry {estimate.headroom:.1f} times what a shard takes in, wanted are "
                f"{WANTED_HEADROOM:.0f}: at {self.round_trip_milliseconds} ms a request its "
                f"{estimate.lanes} lanes carry {estimate.records_per_second:,.0f} records/s of "
                f"{self.record_bytes} bytes, in batches of {estimate.records_per_batch}; raise "
                "parallelization_factor (to 10), requests_in_flight, batch_size or memory_mib (to 1769)"
            )
        needed = ceil(ATTEMPT_RESERVE_SECONDS + estimate.batch_seconds)
        if self.timeout_seconds < needed:
            raise ValueError(
                f"timeout_seconds ({self.timeout_seconds}) is shorter than a full batch of "
                f"{estimate.records_per_batch} records and the reserve for the last answer, so it would "
                f"never be done: set it to {needed} or more, or lower batch_size"
            )
        return self
