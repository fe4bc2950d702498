"""Reconciliation: what the command takes for a day, and the function for an hour."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.reconcile_clicks import write_delivered
from bench.report import Benchmark, Block, Figures, Table, verdict
from bench.scale import Scale
from bench.subprocesses import BenchmarkError
from bench.usage import usage
from stacks.reconciliation import MEMORY_MIB, TIMEOUT

DAY_CLICKS = 100_000_000
RESERVED_MIB = 300
"""Of the function's memory: Python's own on Lambda, and files that it caches."""


def measure(scale: Scale) -> dict[str, Any]:
    return {
        "days": [_measured(hours=24, clicks=clicks, later=clicks) for clicks in scale.reconciled_day_clicks],
        "hours": [
            _measured(hours=1, clicks=clicks, later=25 * clicks) for clicks in scale.reconciled_hour_clicks
        ],
    }


def _measured(*, hours: int, clicks: int, later: int) -> dict[str, Any]:
    """later: clicks in the raw backup of the hours after, which are read through."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_delivered(folder, hours=hours, clicks=clicks)
        command = [sys.executable, "-m", "bench.reconcile_clicks", str(folder)]
        used = usage([*command, str(hours), str(clicks), str(later)], log=folder / "log")
        answer = used.answer()
        if (answer["received"], answer["counted"], answer["unexplained"]) != (clicks, clicks, 0):
            raise BenchmarkError(f"{clicks} clicks do not add up: {answer}")
        return {
            "clicks": clicks,
            "later": later,
            "cpu_seconds": used.cpu_seconds,
            "seconds": answer["seconds"],
            "peak_mib": used.peak_mib,
            "disk_mib": answer["disk_bytes"] / 1024**2,
        }


def report(figures: Figures) -> Sequence[Block]:
    days, hours = figures["days"], figures["hours"]
    blocks: list[Block] = [
        "Each click stands in a line of its own, of some 190 bytes; objects have 100,000 lines, one in 50 "
        "is delivered twice. The hours in which clicks may arrive late hold as many others, which are read "
        "through. Objects are read from the disk, so the time that S3 takes comes on top.",
        Table(
            head=("time", "clicks", "others read through", "s", "CPU s", "peak, MiB", "temporary files, MiB"),
            rows=tuple(
                (
                    name,
                    f"{each['clicks']:,}",
                    f"{each['later']:,}",
                    f"{each['seconds']:,.0f}",
                    f"{each['cpu_seconds']:,.0f}",
                    f"{each['peak_mib']:,.0f}",
                    f"{each['disk_mib']:,.0f}",
                )
                for name, some in (("a day, by the command", days), ("an hour, by the function", hours))
                for each in some
            ),
        ),
    ]
    if len(days) > 1:
        small, large = days[0], days[-1]
        blocks.append(
            f"By the slope between the first and last of these days, {DAY_CLICKS:,} clicks take "
            f"{_by_slope(small, large, 'cpu_seconds') / 60:,.0f} minutes of a core, "
            f"{_by_slope(small, large, 'peak_mib'):,.0f} MiB of memory and "
            f"{_by_slope(small, large, 'disk_mib') / 1024:,.1f} GiB of temporary files. That day was not run."
        )
    if hours:
        largest = hours[-1]
        memory = verdict(largest["peak_mib"], MEMORY_MIB - RESERVED_MIB, at_most=True, unit=" MiB")
        seconds = verdict(largest["cpu_seconds"], TIMEOUT.to_seconds(), at_most=True, unit=" s")
        blocks.append(f"The function's memory holds an hour ({memory}), and so does its time ({seconds}).")
    return blocks


def _by_slope(small: Figures, large: Figures, name: str) -> float:
    a_click = (large[name] - small[name]) / (large["clicks"] - small["clicks"])
    return float(large[name] + a_click * (DAY_CLICKS - large["clicks"]))


SECTION = Benchmark(
    name="reconciliation", title="Reconciliation", measure=measure, report=report, on_demand=True
)
