"""The forwarder: capacity.py checks that it carries what a shard takes in."""

from typing import Annotated

from pydantic import Field

from settings.section import Section

ONE_VCPU_MIB = 1769
"""A function of this size has one vCPU:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


class ForwarderSettings(Section):
    parallelization_factor: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2,
        description="Batches of one shard processed at the same time, split by partition key. More lanes "
        "carry more, and a failing batch holds up fewer readers. Each lane has its own invocations, costs, "
        "and up to one concurrent execution.",
    )
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=10_000,
        description="Most records in one invocation; 6 MiB of payload may end a batch sooner. A larger batch "
        "costs less, but a failure repeats more records.",
    )
    batching_window_seconds: Annotated[int, Field(ge=0, le=300)] = Field(
        default=2,
        description="Longest time for which Lambda gathers a batch, in seconds. It delays every count and "
        "saves invocations on a quiet stream; 0 invokes as soon as a record arrives.",
    )
    record_bytes: Annotated[int, Field(ge=1_000, le=1_000_000)] = Field(
        default=25_000,
        description="Most bytes of a record into which the forwarder packs the clicks of a batch; a larger "
        "click has a record of its own. Kinesis and Firehose bill by record.",
    )
    max_record_age_seconds: Annotated[int, Field(ge=60, le=604_800)] = Field(
        default=21_600,
        description="Give up a record older than this, in seconds: its batch goes to the dead-letter bucket. "
        "It bounds how long Oregon may be away, and how long a failing batch holds up its lane.",
    )
    retry_attempts: Annotated[int, Field(ge=-1, le=10_000)] = Field(
        default=-1,
        description="Retries of a failed batch before it is given up; -1 retries it until "
        "max_record_age_seconds.",
    )
    concurrent_executions: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="The account's quota in Tokyo (Service Quotas, Lambda, Concurrent executions); used only "
        "by the checks. Without it the 10 of a new account.",
    )
    memory_mib: Annotated[int, Field(ge=128, le=10_240)] = Field(
        default=768,
        description="Memory of the function, in MiB. Its share of a vCPU grows with it; 1769 gives one. "
        "Most of a batch's time is the round trip to Oregon, for which a larger function costs more.",
    )
    timeout_seconds: Annotated[int, Field(ge=15, le=900)] = Field(
        default=60,
        description="Timeout of an invocation, in seconds. Refused records are retried until 8 s before it.",
    )
    requests_in_flight: Annotated[int, Field(ge=1, le=100)] = Field(
        default=20,
        description="PutRecords requests that one invocation keeps in flight; 20 carry a full batch at once.",
    )
    round_trip_milliseconds: Annotated[int, Field(ge=1, le=4_000)] = Field(
        default=150,
        description="Assumed duration of a PutRecords request to Oregon, in milliseconds; used only by the "
        "checks.",
    )

    @property
    def vcpus(self) -> float:
        """Python uses at most one."""
        return min(1.0, self.memory_mib / ONE_VCPU_MIB)
