"""What the capacity checks and the cost take for measured, each by its rule from the figures of
docs/benchmarks.md.

`make docs` applies the rules to docs/benchmarks/figures.json and writes settings/measured.toml, which this
module reads; a test says when the two disagree. Rules round, so that a figure may swing from run to run.
"""

import tomllib
from math import ceil, floor, log10
from pathlib import Path

FILE = Path(__file__).parent / "measured.toml"
_measured = tomllib.loads(FILE.read_text(encoding="utf-8"))

CLICKS_PER_SECOND_PER_KPU: int = _measured["clicks_per_second_per_kpu"]
SPARK_SHARE_OF_FLINK: float = _measured["spark_share_of_flink"]
FORWARDER_CPU_SECONDS_PER_RECORD: float = _measured["forwarder_cpu_microseconds_per_record"] / 1e6

SHARE_OF_A_CORE = 0.1
"""Of what a core counts in the SQL job alone. A KPU's vCPU is a hyperthread, half a core; the connectors take
about as much as the counting; and a fifth is wanted for checkpoints to S3 and whatever else is uneven."""
FORWARDER_ALLOWANCE = 2.5
"""For TLS, half as much again, and for a vCPU that is slower than the core that measured."""

DOCUMENTS_PER_SECOND_PER_NODE = 4_000
"""Chosen, and the default of a setting, since nodes differ: no more than the benchmarks measured on two
cores; a test compares."""


def clicks_per_second_per_kpu(cpu_seconds_per_million: float) -> int:
    """From the CPU of the SQL job: SHARE_OF_A_CORE, down to 1, 2 or 5 times a power of ten."""
    clicks = 1e6 / cpu_seconds_per_million * SHARE_OF_A_CORE
    power = 10 ** floor(log10(clicks))
    return int(max(step for step in (1, 2, 5) if step * power <= clicks) * power)


def forwarder_cpu_microseconds_per_record(cpu_seconds: float, records: int) -> int:
    """From the processor time of one batch: FORWARDER_ALLOWANCE times that, up to the next 20 us."""
    microseconds = cpu_seconds / records * 1e6 * FORWARDER_ALLOWANCE
    return ceil(microseconds / 20) * 20


def spark_share_of_flink(flink_cpu_seconds: float, spark_cpu_seconds: float) -> float:
    """Clicks that Spark counts with the processor time in which the SQL job counts one, to a tenth."""
    return round(flink_cpu_seconds / spark_cpu_seconds, 1)
