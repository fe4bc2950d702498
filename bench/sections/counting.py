"""The SQL job compared with Spark and DuckDB: CPU as a slope, and time from submission to the end.

The slope between a small and a large number of clicks cancels what every run has once: starting Python, the
JVM and Flink, and compiling. On a shared machine CPU time varies less than elapsed time, and the ratio of
two jobs that took turns less than either.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.clicks import write_clicks, write_segments
from bench.report import Benchmark, Block, Figures, Table, spread, verdict
from bench.scale import Scale
from bench.usage import Usage, usage
from contract.count import SEGMENT_COLUMNS, WINDOW

PROJECT = Path(__file__).parent.parent.parent
SPARK_PYTHON = PROJECT / ".cache" / "bench-spark" / "bin" / "python"

MAX_OF_SPARK_CPU = 0.4
MAX_TIMES_DUCKDB_CPU = 4.0
MIN_SPARK_SPEED = 1.4
TOLERANCE = 1.3
"""Variation of the ratio to DuckDB on a shared machine; bench/regression_check.py."""

SQL, SPARK, DUCKDB = "SQL job", "Spark", "DuckDB"


def command(job: str, data: Path, checkpoints: str) -> list[str]:
    """Of a job over the clicks and segments in `data`; its last line of JSON has the seconds."""
    files = [str(data / "clicks"), str(data / "segments")]
    spark = [str(SPARK_PYTHON), str(PROJECT / "bench" / "spark_counts.py")]
    flink = [sys.executable, "-m", "bench.flink_counts", *files, checkpoints]
    return {
        SQL: flink,
        SPARK: [*spark, *files, checkpoints, ",".join(SEGMENT_COLUMNS), f"{WINDOW.total_seconds():.0f}"],
        DUCKDB: [sys.executable, "-m", "bench.duckdb_counts", *files],
    }[job]


def run(job: str, data: Path) -> Usage:
    with tempfile.TemporaryDirectory(dir=data) as temporary:
        checkpoints = Path(temporary) / "checkpoints"
        checkpoints.mkdir()
        return usage(command(job, data, str(checkpoints)), log=Path(temporary) / "log")


def write_data(folder: Path, clicks: int, users: int) -> Path:
    data = folder / str(clicks)
    write_clicks(data, clicks=clicks, users=users)
    write_segments(data, users=users)
    return data


def slope(small: float, large: float, clicks: tuple[int, int]) -> float:
    """Per million clicks. clicks: of the small and of the large run."""
    return (large - small) / (clicks[1] - clicks[0]) * 1e6


def measure(scale: Scale) -> dict[str, Any]:
    clicks = (scale.small_clicks, scale.large_clicks)
    jobs = (SQL, SPARK, DUCKDB)
    cpu: dict[str, list[float]] = {job: [] for job in jobs}
    peak: dict[str, list[float]] = {job: [] for job in jobs}
    seconds: dict[str, list[float]] = {SQL: [], SPARK: []}
    with tempfile.TemporaryDirectory() as temporary:
        small, large = (write_data(Path(temporary), number, scale.users) for number in clicks)
        for _ in range(scale.runs):
            for job in jobs:
                first, second = run(job, small), run(job, large)
                cpu[job].append(slope(first.cpu_seconds, second.cpu_seconds, clicks))
                peak[job].append(second.peak_mib)
        timed = write_data(Path(temporary), scale.timed_clicks, scale.users)
        for turn in range(scale.timed_runs):
            for job in (SQL, SPARK) if turn % 2 == 0 else (SPARK, SQL):
                seconds[job].append(run(job, timed).answer()["seconds"])
    return {
        "clicks": clicks,
        "users": scale.users,
        "cpu_seconds_per_million": cpu,
        "peak_mib": peak,
        "timed_clicks": scale.timed_clicks,
        "seconds": seconds,
    }


def ratio_to(figures: Figures, other: str) -> list[float]:
    """CPU of the SQL job over that of the other, of each turn."""
    cpu = figures["cpu_seconds_per_million"]
    return [ours / theirs for ours, theirs in zip(cpu[SQL], cpu[other], strict=True)]


def report(figures: Figures) -> Sequence[Block]:
    cpu, seconds = figures["cpu_seconds_per_million"], figures["seconds"]
    goals = {
        SPARK: verdict(median(ratio_to(figures, SPARK)), MAX_OF_SPARK_CPU, at_most=True),
        DUCKDB: verdict(median(ratio_to(figures, DUCKDB)), MAX_TIMES_DUCKDB_CPU, at_most=True),
    }
    rows = tuple(
        (
            job,
            spread(cpu[job]),
            spread(ratio_to(figures, job)) if job != SQL else "",
            goals.get(job, ""),
            spread(figures["peak_mib"][job], ",.0f"),
        )
        for job in (SQL, SPARK, DUCKDB)
    )
    faster = median(seconds[SPARK]) / median(seconds[SQL])
    small, large = figures["clicks"]
    return (
        f"Slope between {small:,} and {large:,} clicks on two cores with {figures['users']:,} users. The "
        f"jobs take turns, {len(cpu[SQL])} runs each: median (range). The SQL job runs `analytics_sql/` with "
        "all checks, RocksDB and a checkpoint every 5 s. Spark and DuckDB make the same checks, join and "
        "count. Spark uses RocksDB and has about as many clicks between two outputs. DuckDB reads all files "
        "at once without state: it shows the lower limit of one machine and is no alternative.",
        Table(
            head=("job", "CPU s per million", "SQL job / this", "goal", "peak memory, MiB"),
            rows=rows,
        ),
        f"Time from submission to the end, {figures['timed_clicks']:,} clicks, {len(seconds[SQL])} runs in "
        "turn:",
        Table(
            head=("job", "seconds", "clicks/s, median"),
            rows=tuple(
                (job, spread(values, ".1f"), f"{figures['timed_clicks'] / median(values):,.0f}")
                for job, values in seconds.items()
            ),
        ),
        f"The SQL job has {faster:.2f} times Spark's speed "
        f"({verdict(faster, MIN_SPARK_SPEED, at_most=False)}). "
        f"`make bench` fails if the ratio to DuckDB exceeds {TOLERANCE:g} times the last recorded one.",
    )


SECTION = Benchmark(name="counting", title="Counting clicks", measure=measure, report=report)
