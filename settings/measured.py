"""What the capacity checks take for measured, each by its rule from the figures of docs/benchmarks.md.

A test applies the rules to docs/benchmarks/figures.json and compares; rules round, so that a figure may swing
as it does from run to run. If it fails after `make bench`, set the constant to what the test names.
"""

from math import ceil, floor, log10

CLICKS_PER_SECOND_PER_KPU = 20_000
FORWARDER_CPU_SECONDS_PER_RECORD = 60e-6

SHARE_OF_A_CORE = 0.1
"""Of what a core counts in the SQL job alone. A KPU's vCPU is a hyperthread, half a core; the connectors take
about as much as the counting; and a fifth is wanted for checkpoints to S3 and whatever else is uneven."""
FORWARDER_ALLOWANCE = 2.5
"""For TLS, half as much again, and for a vCPU that is slower than the core that measured."""


def clicks_per_second_per_kpu(cpu_seconds_per_million: float) -> int:
    """From the CPU of the SQL job: SHARE_OF_A_CORE, down to one digit."""
    clicks = 1e6 / cpu_seconds_per_million * SHARE_OF_A_CORE
    digit = 10 ** floor(log10(clicks))
    return int(clicks // digit * digit)


def forwarder_cpu_seconds_per_record(cpu_seconds: float, records: int) -> float:
    """From the processor time of one batch: FORWARDER_ALLOWANCE times that, up to the next 20 us."""
    microseconds = cpu_seconds / records * 1e6 * FORWARDER_ALLOWANCE
    return ceil(microseconds / 20) * 20 / 1e6
