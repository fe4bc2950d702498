"""Checks at synth that every hop carries the declared peak.

Pure functions of the settings. A problem ends the synthesis, a warning does not; each says what is needed and
what to set. docs/reference/flow_limits.md has the sources of the numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from contract.limits import FORWARDER_ATTEMPT_RESERVE_SECONDS, MIB, PUT_RECORDS
from settings import disks
from settings.environment import Settings
from settings.forwarder import ForwarderSettings
from settings.measured import CLICKS_PER_SECOND_PER_KPU, FORWARDER_CPU_SECONDS_PER_RECORD
from settings.quotas import DirectPut, on_demand_bytes_per_second

WANTED_HEADROOM = 2.0
"""Every hop carries twice the peak: after an outage it catches up as fast as new clicks arrive, and a shard
with more than its share still has room."""

# Kinesis Data Streams developer guide, "Quotas and limits"
SHARD_RECORDS_PER_SECOND = 1_000
SHARD_BYTES_PER_SECOND = 1 * MIB
SHARD_READ_BYTES_PER_SECOND = 2 * MIB
ON_DEMAND_FIRST_RECORDS_PER_SECOND = 4_000
ON_DEMAND_FIRST_BYTES_PER_SECOND = 4 * MIB

SOURCE_CONSUMERS = 2
"""The analytics application and the raw backup share the read limit of a shard."""
MOBILE_CONSUMERS = 1

COUNT_BYTES = 300
"""A count as JSON with an article id of 120 bytes."""
REASON_BYTES = 40
"""What a rejected click has in addition to its own fields."""

ON_DEMAND_FIRST_SHARDS = 4

ONE_VCPU_MIB = 1769
"""A function of this size has one vCPU:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
PAYLOAD_BYTES = 6 * MIB
"""Payload of a synchronous invocation."""
EVENT_FIELDS_BYTES = 600
"""What a record has in the payload besides its data, which is in base64."""
INVOCATION_SECONDS = 0.02

NEW_ACCOUNT_EXECUTIONS = 10
"""Concurrent executions in a region. The default is 1,000, but "new AWS accounts have reduced concurrency"
(Lambda developer guide, "Lambda quotas"); accounts were seen with 10."""

STATE_MAX_PARALLELISM = 128
"""Maximum parallelism of a state first started with a parallelism of up to 85."""


@dataclass(frozen=True, kw_only=True)
class CapacityWarning:
    id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ForwarderCapacity:
    """Rates are for one shard. records_per_batch: as Lambda hands them over; lanes: of that shard."""

    records_per_batch: int
    batch_seconds: float
    lanes: int
    record_bytes: int

    @property
    def records_per_second(self) -> float:
        return self.lanes * self.records_per_batch / self.batch_seconds

    @property
    def headroom(self) -> float:
        """Ratio to what a shard can take in, by records or by bytes, whichever is lower."""
        return min(
            self.records_per_second / SHARD_RECORDS_PER_SECOND,
            self.records_per_second * self.record_bytes / SHARD_BYTES_PER_SECOND,
        )


def forwarder_capacity(forwarder: ForwarderSettings, record_bytes: int) -> ForwarderCapacity:
    """Capacity with full batches on every lane of one shard, as after an outage: docs/reference/forwarder.md.

    A batch takes a fixed time + records x CPU / vCPUs + waves x round trip. Python uses at most one vCPU, a
    wave is `requests_in_flight` requests, and a request holds what PutRecords allows.
    """
    records = min(forwarder.batch_size, PAYLOAD_BYTES // (ceil(record_bytes * 4 / 3) + EVENT_FIELDS_BYTES))
    per_request = min(PUT_RECORDS.records, PUT_RECORDS.request_bytes // record_bytes)
    waves = ceil(ceil(records / per_request) / forwarder.requests_in_flight)
    vcpus = min(1.0, forwarder.memory_mib / ONE_VCPU_MIB)
    return ForwarderCapacity(
        records_per_batch=records,
        batch_seconds=INVOCATION_SECONDS
        + records * FORWARDER_CPU_SECONDS_PER_RECORD / vcpus
        + waves * forwarder.round_trip_milliseconds / 1000,
        lanes=forwarder.parallelization_factor,
        record_bytes=record_bytes,
    )


def shards_to_write(records_per_second: float, record_bytes: int) -> int:
    """Shards that take these records with the wanted headroom, by count and by bytes."""
    fullest = max(
        records_per_second / SHARD_RECORDS_PER_SECOND,
        records_per_second * record_bytes / SHARD_BYTES_PER_SECOND,
    )
    return max(1, ceil(fullest * WANTED_HEADROOM))


def shards_to_read(records_per_second: float, record_bytes: int, *, consumers: int) -> int:
    """Shards from which each consumer gets every record with the wanted headroom."""
    wanted = records_per_second * record_bytes * consumers * WANTED_HEADROOM
    return max(1, ceil(wanted / SHARD_READ_BYTES_PER_SECOND))


def problems(settings: Settings) -> Iterator[str]:
    """Hops that cannot carry the declared peak, from the producers to OpenSearch."""
    peak = settings.peak
    for stream, records_per_second, consumers in (
        ("mobile", peak.mobile_clicks_per_second, MOBILE_CONSUMERS),
        ("source", float(peak.clicks_per_second), SOURCE_CONSUMERS),
    ):
        yield from _stream_problems(settings, stream, records_per_second, consumers)
    yield from _forwarder_problems(settings)
    yield from _application_problems(settings)
    yield from _delivery_problems(settings)
    yield from _search_problems(settings)


def warnings(settings: Settings) -> Iterator[CapacityWarning]:
    """What carries the peak only under a condition that no setting states."""
    streams, peak = settings.streams, settings.peak
    yield from _too_many_executions(settings)
    yield from _state_of_fewer_tasks(settings.analytics.parallelism)
    if text := disks.warning(settings):
        yield CapacityWarning(id="volumes-are-small", text=f"{text}.")
    if streams.mode == "on_demand":
        for stream, records_per_second in (
            ("mobile", peak.mobile_clicks_per_second),
            ("source", float(peak.clicks_per_second)),
        ):
            yield from _first_days(stream, records_per_second, peak.click_bytes)
        return
    parallelism, shards = settings.analytics.parallelism, streams.source_shards or 0
    if parallelism > shards:
        yield CapacityWarning(
            id="idle-source-tasks",
            text=f"analytics.parallelism ({parallelism}) is more than streams.source_shards ({shards}): one "
            f"task reads a shard, so {parallelism - shards} read nothing. Counting still uses all tasks; if "
            f"reading is the bottleneck, set analytics.parallelism = {shards}.",
        )


def forwarder_executions(settings: Settings) -> tuple[int, int]:
    """(shards of the mobile stream at the declared peak, concurrent executions of all their lanes)."""
    peak = settings.peak
    shards = settings.streams.mobile_shards or 0
    if settings.streams.mode == "on_demand":
        wanted = shards_to_write(peak.mobile_clicks_per_second, peak.click_bytes)
        shards = max(ON_DEMAND_FIRST_SHARDS, wanted)
    return shards, shards * settings.forwarder.parallelization_factor


def _too_many_executions(settings: Settings) -> Iterator[CapacityWarning]:
    forwarder = settings.forwarder
    shards, executions = forwarder_executions(settings)
    quota = forwarder.concurrent_executions
    if executions <= (NEW_ACCOUNT_EXECUTIONS if quota is None else quota):
        return
    has = (
        f"a new account has {NEW_ACCOUNT_EXECUTIONS} in a region, others 1,000. Look up yours in Service "
        "Quotas (Tokyo, Lambda, Concurrent executions) and set forwarder.concurrent_executions to it; if it "
        "is too low, request an increase"
        if quota is None
        else f"by forwarder.concurrent_executions the account has {quota:,} in Tokyo. Request an increase in "
        "Service Quotas"
    )
    yield CapacityWarning(
        id="forwarder-concurrency",
        text=f"{shards} shards of {forwarder.parallelization_factor} lanes each need {executions:,} "
        f"concurrent executions of the forwarder; {has}, or lower forwarder.parallelization_factor.",
    )


def default_max_parallelism(parallelism: int) -> int:
    """Maximum parallelism that Flink gives a state at its first start: one and a half times the parallelism,
    rounded up to a power of two, 128 to 32,768 (KeyGroupRangeAssignment.computeDefaultMaxParallelism)."""
    wanted = parallelism + parallelism // 2
    return min(max(1 << (wanted - 1).bit_length(), 128), 32_768)


def _state_of_fewer_tasks(parallelism: int) -> Iterator[CapacityWarning]:
    if parallelism <= STATE_MAX_PARALLELISM:
        return
    first = next(one for one in range(1, parallelism + 1) if default_max_parallelism(one) >= parallelism)
    yield CapacityWarning(
        id="state-max-parallelism",
        text=f"analytics.parallelism ({parallelism}) is too high for a state that was first started with a "
        f"parallelism below {first}: that start fixed its maximum, and a restore with more tasks fails. "
        f"Keep analytics.parallelism at {STATE_MAX_PARALLELISM} or less, or raise analytics.state_generation "
        "with it (docs/start/deployment.md). Ignore this if the state was first started with the new "
        "parallelism.",
    )


def _stream_problems(
    settings: Settings, stream: str, records_per_second: float, consumers: int
) -> Iterator[str]:
    mode, record_bytes = settings.streams.mode, settings.peak.click_bytes
    key = f"streams.{stream}_shards"
    shards: int | None = getattr(settings.streams, f"{stream}_shards")
    if mode == "on_demand":
        if shards is not None:
            yield f'{key} is for mode = "provisioned" only: remove it, or set streams.mode = "provisioned"'
        mib = records_per_second * record_bytes * WANTED_HEADROOM / MIB
        region = settings.regions.tokyo if stream == "mobile" else settings.regions.oregon
        if mib * MIB > on_demand_bytes_per_second(region):
            yield (
                f"the {stream} stream must take {mib:,.0f} MiB/s at the declared peak, with a headroom of "
                f"{WANTED_HEADROOM:.0f}, but an on-demand stream in {region} takes "
                f'{on_demand_bytes_per_second(region) // MIB:,}: set streams.mode = "provisioned"'
            )
        return
    to_write = shards_to_write(records_per_second, record_bytes)
    to_read = shards_to_read(records_per_second, record_bytes, consumers=consumers)
    needed = max(to_write, to_read)
    if shards is None:
        yield f'{key} is missing for streams.mode = "provisioned": the declared peak needs {key} = {needed}'
    elif shards < needed:
        yield (
            f"{key} ({shards}) cannot carry the declared peak: {records_per_second:,.0f} records/s of "
            f"{record_bytes} bytes, with a headroom of {WANTED_HEADROOM:.0f}, need {to_write} to write "
            f"({SHARD_RECORDS_PER_SECOND:,} records/s and 1 MiB/s each) and {to_read} to read (2 "
            f"MiB/s each, shared by {consumers}): set {key} = {needed}, or correct [peak]"
        )


def _forwarder_problems(settings: Settings) -> Iterator[str]:
    """Compared with a shard's limit, not the peak: hot keys can fill a single shard."""
    forwarder, record_bytes = settings.forwarder, settings.peak.click_bytes
    estimate = forwarder_capacity(forwarder, record_bytes)
    if estimate.headroom < WANTED_HEADROOM:
        yield (
            f"the forwarder would carry {estimate.headroom:.1f} times what a shard takes in, but must carry "
            f"{WANTED_HEADROOM:.0f} times: at {forwarder.round_trip_milliseconds} ms a request, its "
            f"{estimate.lanes} lanes carry {estimate.records_per_second:,.0f} records/s of "
            f"{record_bytes} bytes, in batches of {estimate.records_per_batch}; raise "
            "forwarder.parallelization_factor (to 10), requests_in_flight, batch_size or memory_mib (to 1769)"
        )
    needed = ceil(FORWARDER_ATTEMPT_RESERVE_SECONDS + estimate.batch_seconds)
    if forwarder.timeout_seconds < needed:
        yield (
            f"forwarder.timeout_seconds ({forwarder.timeout_seconds}) is too short for a full batch of "
            f"{estimate.records_per_batch} records and the reserve for the last response, so the batch would "
            f"never finish: set it to {needed} or more, or lower batch_size"
        )


def _application_problems(settings: Settings) -> Iterator[str]:
    analytics, peak = settings.analytics, settings.peak.clicks_per_second
    kpus = ceil(analytics.parallelism / analytics.parallelism_per_kpu)
    needed = ceil(peak * WANTED_HEADROOM / CLICKS_PER_SECOND_PER_KPU)
    if kpus < needed:
        yield (
            f"the application has {kpus} KPU, but {peak:,} clicks/s with a headroom of {WANTED_HEADROOM:.0f} "
            f"need {needed} ({CLICKS_PER_SECOND_PER_KPU:,} clicks/s each): set analytics.parallelism = "
            f"{needed * analytics.parallelism_per_kpu}"
        )


def _delivery_problems(settings: Settings) -> Iterator[str]:
    """The two delivery streams that the application puts into; the raw backup reads a Kinesis stream, which
    has no such quota."""
    peak, quota = settings.peak, settings.direct_put
    counts = (peak.counts_per_second * WANTED_HEADROOM, COUNT_BYTES, "counts")
    # The most possible: every click is rejected.
    rejects = (float(peak.clicks_per_second), peak.click_bytes + REASON_BYTES, "rejects")
    needed, (records_per_second, record_bytes, name) = max(
        (_direct_put_mib(quota, records_per_second, record_bytes), (records_per_second, record_bytes, name))
        for records_per_second, record_bytes, name in (counts, rejects)
    )
    if needed > quota.mib_per_second:
        yield (
            f"the {name} delivery stream would get {records_per_second:,.0f} records/s of {record_bytes} "
            f"bytes, but its quota is {quota.mib_per_second} MiB/s: request {needed} MiB/s for Amazon Data "
            f"Firehose in {settings.regions.oregon}, then set delivery.direct_put_mib_per_second = {needed}"
        )


def _direct_put_mib(quota: DirectPut, records_per_second: float, record_bytes: int) -> int:
    """The quota that takes these records, in MiB/s; its records/s are raised with it."""
    by_count = records_per_second / quota.records_per_second * quota.mib_per_second
    return ceil(max(by_count, records_per_second * record_bytes / MIB))


def _search_problems(settings: Settings) -> Iterator[str]:
    search = settings.search
    writes = settings.peak.counts_per_second * WANTED_HEADROOM
    rate = search.documents_per_second_per_node
    if writes * (1 + search.replicas) > search.instance_count * rate:
        nodes = ceil(writes * 2 / rate)  # more than one node means a replica of each document
        needed = max(2, ceil(nodes / search.availability_zones) * search.availability_zones)
        yield (
            f"search.instance_count ({search.instance_count}) is too small: {writes:,.0f} counts/s, with a "
            f"headroom of {WANTED_HEADROOM:.0f} and {search.replicas} replica, are more than {rate:,} "
            f"documents/s a node: set search.instance_count = {needed}, or measure your nodes and set "
            "search.documents_per_second_per_node"
        )
    if text := disks.problem(settings):
        yield text


def _first_days(stream: str, records_per_second: float, record_bytes: int) -> Iterator[CapacityWarning]:
    records = records_per_second * WANTED_HEADROOM
    mib = records * record_bytes / MIB
    if records > ON_DEMAND_FIRST_RECORDS_PER_SECOND or mib * MIB > ON_DEMAND_FIRST_BYTES_PER_SECOND:
        shards = shards_to_write(records_per_second, record_bytes)
        yield CapacityWarning(
            id=f"{stream}-stream-is-cold",
            text=f"A new on-demand stream takes {ON_DEMAND_FIRST_RECORDS_PER_SECOND:,} records/s and 4 "
            f"MiB/s, later up to twice the peak of the last 30 days. The {stream} stream must take "
            f"{records:,.0f} records/s and {mib:,.1f} MiB/s, twice the declared peak. Before the first peak, "
            f'deploy it once with streams.mode = "provisioned" and streams.{stream}_shards = {shards}, then '
            "on demand: it keeps its shards.",
        )
