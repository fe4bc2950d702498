"""Rules that derive the figures of the capacity checks and the cost from docs/reference/benchmarks.md.

`make docs` applies the rules to docs/reference/benchmarks/figures.json and writes measured.toml, which
this module reads; a test compares the two. Rules round, so that a figure may vary from run to run.
"""

import tomllib
from math import ceil, floor, log10
from pathlib import Path

FILE = Path(__file__).parent / "measured.toml"
_measured = tomllib.loads(FILE.read_text(encoding="utf-8"))

CLICKS_PER_SECOND_PER_KPU: int = _measured["clicks_per_second_per_kpu"]
FORWARDER_CPU_SECONDS_PER_RECORD: float = _measured["forwarder_cpu_microseconds_per_record"] / 1e6
FORWARDER_CPU_SECONDS_PER_CLICK: float = _measured["forwarder_cpu_microseconds_per_click"] / 1e6
"""A record takes the first, and the second for each click in it."""

SHARE_OF_A_CORE = 0.1
"""Share of a core's rate in the SQL job alone that a KPU is assumed to reach. A KPU's vCPU is a hyperthread,
half a core; the connectors take about as much as counting; a fifth is left for checkpoints to S3 and uneven
load."""
FORWARDER_ALLOWANCE = 2.5
"""Allows half as much again for TLS, and for a vCPU slower than the benchmark's core."""

DOCUMENTS_PER_SECOND_PER_NODE = 4_000
"""Chosen, not measured: a setting overrides it, since nodes differ. A test holds it below what the benchmarks
measured on two cores."""


def clicks_per_second_per_kpu(cpu_seconds_per_million: float) -> int:
    """SHARE_OF_A_CORE of the SQL job's rate, rounded down to 1, 2 or 5 times a power of ten."""
    clicks = 1e6 / cpu_seconds_per_million * SHARE_OF_A_CORE
    power = 10 ** floor(log10(clicks))
    return int(max(step for step in (1, 2, 5) if step * power <= clicks) * power)


def forwarder_cpu_microseconds(
    single: float, packed: float, *, clicks: int, clicks_per_record: int
) -> tuple[int, int]:
    """(of a record, of each click in it): FORWARDER_ALLOWANCE times the CPU time, each rounded up to 10 us.

    single, packed: CPU seconds for these clicks with one in a record, and with clicks_per_record.
    """
    packed_records = clicks / clicks_per_record
    record_seconds = max(0.0, (single - packed) / (clicks - packed_records))
    click_seconds = max(0.0, packed - packed_records * record_seconds) / clicks
    return _allowed_microseconds(record_seconds), _allowed_microseconds(click_seconds)


def _allowed_microseconds(seconds: float) -> int:
    return ceil(round(seconds * 1e6 * FORWARDER_ALLOWANCE, 3) / 10) * 10
