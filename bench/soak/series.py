"""What a soak watches for growth, and how much growth is none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.soak.record import Line
from bench.soak.usage_of_parts import TWIN
from bench.twin_cpu import EMULATOR, FLINK, FUNCTIONS, OPENSEARCH

HOUR, MILLION_CLICKS = "hour", "million clicks"
MEMORY_MIB_AN_HOUR = 64.0
"""A leak of 500 bytes a click, is 70 MiB an hour at 40 clicks a second. Less is not told from
what an allocator keeps."""
HEAP_PERCENT_AN_HOUR = 10.0
LAG_SECONDS_AN_HOUR = 30.0
"""A system that does not keep up by one part in a hundred falls back by 36 s an hour."""
EMULATOR_MIB_A_MILLION = 8_000.0
DELIVERED_MIB_A_MILLION = 2_000.0
INDEX_MIB_A_MILLION = 1_000.0
LOGS_MIB_AN_HOUR = 50.0
CHECKPOINTS_MIB_AN_HOUR = 50.0
TRANSPORT_MIB_A_MILLION = 2_000.0


@dataclass(frozen=True, kw_only=True)
class WatchedSeries:
    """value: of a sample, None where it was not seen. bound: the most that `unit` may rise by an HOUR or by
    MILLION_CLICKS sent; why: it is kept by design, or how the bound was chosen. part: whose start begins the
    series anew."""

    name: str
    unit: str
    value: Callable[[Line], float | None]
    bound: float
    per: str = HOUR
    why: str
    part: str | None = None
    lowest: bool = False


def _of(group: str, name: str) -> Callable[[Line], float | None]:
    def value(sample: Line) -> float | None:
        found: Mapping[str, Any] = sample.get(group) or {}
        number = found.get(name)
        return None if number is None else float(number)

    return value


def _memory(part: str) -> WatchedSeries:
    by_design = part == EMULATOR
    return WatchedSeries(
        name=f"memory of {part}",
        unit="MiB",
        value=_of("memory", part),
        bound=EMULATOR_MIB_A_MILLION if by_design else MEMORY_MIB_AN_HOUR,
        per=MILLION_CLICKS if by_design else HOUR,
        why="holds streams, objects and logs, which AWS keeps elsewhere" if by_design else "holds no clicks",
        part=None if part == FUNCTIONS else part,
    )


def _lag(name: str, key: str) -> WatchedSeries:
    return WatchedSeries(
        name=name,
        unit="s",
        value=_of("state", key),
        bound=LAG_SECONDS_AN_HOUR,
        why="falls back by one part in a hundred at most",
    )


def _heap(part: str, key: str) -> WatchedSeries:
    return WatchedSeries(
        name=f"heap of {part}",
        unit="%",
        value=_of("state", key),
        bound=HEAP_PERCENT_AN_HOUR,
        why="the lowest of each block, after a collection",
        part=part,
        lowest=True,
    )


_DISK_BOUNDS = {
    "checkpoints": (CHECKPOINTS_MIB_AN_HOUR, HOUR, "old ones are deleted"),
    "logs": (LOGS_MIB_AN_HOUR, HOUR, "a line for what happens, not for a click"),
    "delivered records": (DELIVERED_MIB_A_MILLION, MILLION_CLICKS, "the raw backup, which S3 expires"),
    "index data": (INDEX_MIB_A_MILLION, MILLION_CLICKS, "counts, which expire by day"),
    "files of the transport": (TRANSPORT_MIB_A_MILLION, MILLION_CLICKS, "streams, which expire after a day"),
}


def waiting(sample: Line) -> float | None:
    """Clicks sent that are neither counted nor rejected so far; None where counts could not be read."""
    state = sample.get("state")
    if not state or state["counted"] is None:
        return None
    return float(state["sent"] - state["counted"] - state["rejected"] - state["unparseable"])


SERIES = (
    *map(_memory, (FLINK, OPENSEARCH, FUNCTIONS, EMULATOR, TWIN)),
    _heap(FLINK, "flink_heap_percent"),
    _heap(OPENSEARCH, "opensearch_heap_percent"),
    *(
        WatchedSeries(
            name=f"disk of {store}", unit="MiB", value=_of("disk", store), bound=bound, per=per, why=why
        )
        for store, (bound, per, why) in _DISK_BOUNDS.items()
    ),
    _lag("age of the newest count", "newest_count_seconds"),
    _lag("age of the latest complete minute", "complete_minute_seconds"),
    _lag("lag of the application", "application_behind_seconds"),
    _lag("lag of the forwarder", "forwarder_behind_seconds"),
)
