"""Checks at synth that every hop carries the declared peak.

Pure functions of the settings. A problem ends the synthesis, a warning does not; each says what is needed and
what to set. docs/reference/flow_limits.md has the sources of the numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

from contract.limits import FORWARDER_ATTEMPT_RESERVE_SECONDS, MIB, PUT_RECORDS, REQUEST_BYTES
from settings import disks, packing, reconciliation
from settings.environment import Settings
from settings.forwarder import ONE_VCPU_MIB, ForwarderSettings
from settings.measured import (
    CLICKS_PER_SECOND_PER_KPU,
    FORWARDER_CPU_SECONDS_PER_CLICK,
    FORWARDER_CPU_SECONDS_PER_RECORD,
)
from settings.packing import Records
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

PAYLOAD_BYTES = 6 * MIB
"""Payload of a synchronous invocation."""
EVENT_FIELDS_BYTES = 600
"""What a record has in the payload besides its data, which is in base64."""
INVOCATION_SECONDS = 0.02

NEW_ACCOUNT_EXECUTIONS = 10
"""Concurrent executions in a region. The default is 1,000, but "new AWS accounts have reduced concurrency"
(Lambda developer guide, "Lambda quotas"); accounts were seen with 10."""

KPU_DISK_GB = 50
"""For the state of an application: Managed Service for Apache Flink developer guide, "Managed Service for
Apache Flink application resources"
(https://docs.aws.amazon.com/managed-flink/latest/java/how-resources.html)."""
CLICK_ID_BYTES = 41
"""In a checkpoint, of a random id of 32 bytes: docs/reference/repetition.md."""
DISK_BYTES_PER_STATE_BYTE = 2.0
"""RocksDB keeps old files until it has merged them, and those of a checkpoint until it is complete."""
REPEATED_IDS_CPU = 13.7
"""CPU of a click where repeated click ids are dropped, in times of one where every click counts (there)."""

STATE_MAX_PARALLELISM = 128
"""Maximum parallelism of a state first started with a parallelism of up to 85."""


@dataclass(frozen=True, kw_only=True)
class CapacityWarning:
    id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ForwarderCapacity:
    """Rates are for one shard. records_per_batch: as Lambda hands them over; record_bytes: of these records;
    lanes: of that shard."""

    records_per_batch: int
    batch_seconds: float
    lanes: int
    record_bytes: float

    @property
    def records_per_second(self) -> float:
        return self.lanes * self.records_per_batch / self.batch_seconds

    @property
    def headroom(self) -> float:
        """Ratio to what a shard takes in by bytes. Of records under 1 KiB it takes even less, until they are
        packed."""
        return self.records_per_second * self.record_bytes / SHARD_BYTES_PER_SECOND


def forwarder_capacity(
    forwarder: ForwarderSettings, *, click_bytes: int, clicks_per_record: float = 1.0
) -> ForwarderCapacity:
    """Capacity with full batches on every lane of one shard, as after an outage: docs/reference/forwarder.md.

    A batch takes CPU (a fixed time, its records, their clicks) / vCPUs + waves x round trip. A wave is
    `requests_in_flight` requests of REQUEST_BYTES.
    """
    record_bytes = clicks_per_record * click_bytes
    records = min(
        forwarder.batch_size, int(PAYLOAD_BYTES // (ceil(record_bytes * 4 / 3) + EVENT_FIELDS_BYTES))
    )
    clicks = records * clicks_per_record
    packed_bytes = max(click_bytes, forwarder.record_bytes // click_bytes * click_bytes)
    packs = ceil(clicks * click_bytes / packed_bytes)
    per_request = min(PUT_RECORDS.records, max(1, REQUEST_BYTES // packed_bytes))
    waves = ceil(ceil(packs / per_request) / forwarder.requests_in_flight)
    cpu_seconds = (
        INVOCATION_SECONDS
        + records * FORWARDER_CPU_SECONDS_PER_RECORD
        + clicks * FORWARDER_CPU_SECONDS_PER_CLICK
    )
    return ForwarderCapacity(
        records_per_batch=records,
        batch_seconds=cpu_seconds / forwarder.vcpus + waves * forwarder.round_trip_milliseconds / 1000,
        lanes=forwarder.parallelization_factor,
        record_bytes=record_bytes,
    )


def shards_to_write(records: Records) -> int:
    """Shards that take these records with the wanted headroom, by count and by bytes."""
    fullest = max(
        records.per_second / SHARD_RECORDS_PER_SECOND, records.bytes_per_second / SHARD_BYTES_PER_SECOND
    )
    return max(1, ceil(fullest * WANTED_HEADROOM))


def shards_to_read(records: Records, *, consumers: int) -> int:
    """Shards from which each consumer gets every record with the wanted headroom."""
    wanted = records.bytes_per_second * consumers * WANTED_HEADROOM
    return max(1, ceil(wanted / SHARD_READ_BYTES_PER_SECOND))


def source_records(settings: Settings) -> Records:
    """Of the web servers and the forwarder at the peak."""
    peak, forwarder = settings.peak, settings.forwarder
    needed = shards_to_write(packing.mobile_records(peak))
    lanes = max(needed, forwarder_executions(settings)[0]) * forwarder.parallelization_factor
    return packing.web_records(peak) + packing.forwarded_records(peak, forwarder, lanes=lanes)


def problems(settings: Settings) -> Iterator[str]:
    """Hops that cannot carry the declared peak, from the producers to OpenSearch."""
    yield from _stream_problems(settings, "mobile", packing.mobile_records(settings.peak), MOBILE_CONSUMERS)
    yield from _stream_problems(settings, "source", source_records(settings), SOURCE_CONSUMERS)
    yield from _forwarder_problems(settings)
    yield from _application_problems(settings)
    yield from _delivery_problems(settings)
    yield from _search_problems(settings)


def warnings(settings: Settings) -> Iterator[CapacityWarning]:
    """What carries the peak only under a condition that no setting states."""
    streams = settings.streams
    yield from _too_many_executions(settings)
    yield from _state_of_fewer_tasks(settings.analytics.parallelism)
    if text := disks.warning(settings):
        yield CapacityWarning(id="volumes-are-small", text=f"{text}.")
    if text := reconciliation.warning(settings):
        yield CapacityWarning(id="reconciliation-time", text=f"{text}.")
    if streams.mode == "on_demand":
        yield from _first_days("mobile", packing.mobile_records(settings.peak))
        yield from _first_days("source", source_records(settings))
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
    shards = settings.streams.mobile_shards or 0
    if settings.streams.mode == "on_demand":
        shards = max(ON_DEMAND_FIRST_SHARDS, shards_to_write(packing.mobile_records(settings.peak)))
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


def _stream_problems(settings: Settings, stream: str, records: Records, consumers: int) -> Iterator[str]:
    key = f"streams.{stream}_shards"
    shards: int | None = getattr(settings.streams, f"{stream}_shards")
    if settings.streams.mode == "on_demand":
        if shards is not None:
            yield f'{key} is for mode = "provisioned" only: remove it, or set streams.mode = "provisioned"'
        mib = records.bytes_per_second * WANTED_HEADROOM / MIB
        region = settings.regions.tokyo if stream == "mobile" else settings.regions.oregon
        if mib * MIB > on_demand_bytes_per_second(region):
            yield (
                f"the {stream} stream must take {mib:,.0f} MiB/s at the declared peak, with a headroom of "
                f"{WANTED_HEADROOM:.0f}, but an on-demand stream in {region} takes "
                f'{on_demand_bytes_per_second(region) // MIB:,}: set streams.mode = "provisioned"'
            )
        return
    to_write = shards_to_write(records)
    to_read = shards_to_read(records, consumers=consumers)
    needed = max(to_write, to_read)
    if shards is None:
        yield f'{key} is missing for streams.mode = "provisioned": the declared peak needs {key} = {needed}'
    elif shards < needed:
        yield (
            f"{key} ({shards}) cannot carry the declared peak: {records.per_second:,.0f} records/s with "
            f"{records.bytes_per_second / MIB:,.2f} MiB/s, with a headroom of {WANTED_HEADROOM:.0f}, need "
            f"{to_write} to write ({SHARD_RECORDS_PER_SECOND:,} records/s and 1 MiB/s each) and {to_read} to "
            f"read (2 MiB/s each, shared by {consumers}): set {key} = {needed}, or correct [peak]"
        )


def _forwarder_problems(settings: Settings) -> Iterator[str]:
    """Compared with a shard's limit, not the peak: hot keys can fill a single shard."""
    forwarder, peak = settings.forwarder, settings.peak
    estimate = forwarder_capacity(
        forwarder, click_bytes=peak.click_bytes, clicks_per_record=peak.mobile_clicks_per_record
    )
    if estimate.headroom < WANTED_HEADROOM:
        rounded_down = floor(estimate.headroom * 10) / 10  # 1.98 is not enough, and must not read as 2.0
        yield (
            f"the forwarder would carry {rounded_down} times what a shard takes in, but must carry "
            f"{WANTED_HEADROOM:.0f} times: at {forwarder.round_trip_milliseconds} ms a request, its "
            f"{estimate.lanes} lanes carry {estimate.records_per_second:,.0f} records/s of "
            f"{estimate.record_bytes:,.0f} bytes, in batches of {estimate.records_per_batch}; raise "
            "forwarder.parallelization_factor (to 10), requests_in_flight or batch_size, or set "
            f"forwarder.memory_mib = {ONE_VCPU_MIB}"
        )
    needed = ceil(FORWARDER_ATTEMPT_RESERVE_SECONDS + estimate.batch_seconds)
    if forwarder.timeout_seconds < needed:
        yield (
            f"forwarder.timeout_seconds ({forwarder.timeout_seconds}) is too short for a full batch of "
            f"{estimate.records_per_batch} records and the reserve for the last response, so the batch would "
            f"never finish: set it to {needed} or more, or lower batch_size"
        )


def kpus_to_count(settings: Settings) -> int:
    """KPUs that count the declared peak with the wanted headroom."""
    cpu = REPEATED_IDS_CPU if settings.analytics.drop_repeated_click_ids_hours else 1.0
    return ceil(settings.peak.clicks_per_second * cpu * WANTED_HEADROOM / CLICKS_PER_SECOND_PER_KPU)


def kpus_to_remember(settings: Settings) -> int:
    """KPUs whose disks hold the click ids that are remembered, as if each hour were the busiest."""
    hours = settings.analytics.drop_repeated_click_ids_hours or 0
    return ceil(_click_ids_gb_an_hour(settings) * hours / KPU_DISK_GB)


def _click_ids_gb_an_hour(settings: Settings) -> float:
    return settings.peak.clicks_per_second * 3600 * CLICK_ID_BYTES * DISK_BYTES_PER_STATE_BYTE / 1e9


def _application_problems(settings: Settings) -> Iterator[str]:
    analytics, peak = settings.analytics, settings.peak.clicks_per_second
    kpus = ceil(analytics.parallelism / analytics.parallelism_per_kpu)
    hours = analytics.drop_repeated_click_ids_hours
    if kpus < (needed := kpus_to_count(settings)):
        dropping = f", {REPEATED_IDS_CPU:g} times the CPU to drop repeated click ids" if hours else ""
        yield (
            f"the application has {kpus} KPU, but {peak:,} clicks/s with a headroom of {WANTED_HEADROOM:.0f} "
            f"need {needed} ({CLICKS_PER_SECOND_PER_KPU:,} clicks/s each{dropping}): set "
            f"analytics.parallelism = {needed * analytics.parallelism_per_kpu}"
        )
    if hours and kpus < (needed := kpus_to_remember(settings)):
        an_hour = _click_ids_gb_an_hour(settings)
        fitting = floor(kpus * KPU_DISK_GB / an_hour)
        shorter = f", or remember them for at most {fitting} h" if fitting else ""
        yield (
            f"the click ids of analytics.drop_repeated_click_ids_hours ({hours}) at {peak:,} clicks/s take "
            f"{an_hour * hours:,.0f} GB, and the disks of {kpus} KPU {kpus * KPU_DISK_GB:,}: set "
            f"analytics.parallelism = {needed * analytics.parallelism_per_kpu}{shorter}"
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


def _first_days(stream: str, records: Records) -> Iterator[CapacityWarning]:
    per_second = records.per_second * WANTED_HEADROOM
    mib = records.bytes_per_second * WANTED_HEADROOM / MIB
    if per_second > ON_DEMAND_FIRST_RECORDS_PER_SECOND or mib * MIB > ON_DEMAND_FIRST_BYTES_PER_SECOND:
        yield CapacityWarning(
            id=f"{stream}-stream-is-cold",
            text=f"A new on-demand stream takes {ON_DEMAND_FIRST_RECORDS_PER_SECOND:,} records/s and 4 "
            f"MiB/s, later up to twice the peak of the last 30 days. The {stream} stream must take "
            f"{per_second:,.0f} records/s and {mib:,.1f} MiB/s, twice the declared peak. Before the first "
            f'peak, deploy it once with streams.mode = "provisioned" and streams.{stream}_shards = '
            f"{shards_to_write(records)}, then on demand: it keeps its shards.",
        )
