"""What the SQL job pays to drop repeated click ids, and what it would pay to count distinct readers.

The jobs take turns over the same clicks, of which each has a random id of its own: the largest state.
CPU is a slope as in bench/sections/counting.py.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from bench.clicks import RANDOM, write_clicks, write_segments
from bench.report import Benchmark, Block, Figures, Table, spread
from bench.scale import Scale
from bench.sections.counting import slope
from bench.sections.growth import MANAGED_MIB_A_TASK, POLL_MILLISECONDS
from bench.subprocesses import BenchmarkError
from bench.usage import Usage, usage
from contract.count import SEGMENT_COLUMNS

TASKS = 2
JOBS = {
    "joined": "every click counts",
    "once": "repeated click ids dropped",
    "readers": "distinct readers beside clicks",
}
"""By the variant of bench/flink_counts.py."""
MAY_NOT_END = ("readers",)
"""Its cost is asked for a decision; the other two have to be measured."""
NOT_ENDED = "not ended"
USED = ("cpu_seconds", "seconds", "state_mb", "checkpoint_ms", "longest_ms")
UNITS = (("CPU s", ""), ("state", ", MB"), ("checkpoint", ", ms"))
SKETCH_BYTES = 1_536
"""A HyperLogLog of 2,048 registers of 6 bits: 1.04 / sqrt(2048) = 2.3 % standard error (Flajolet and others,
"HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm", 2007)."""
HASH_BYTES = 8
"""Of a reader in an exact set, or in a sketch as long as it holds few."""
_READERS_OF_COUNTS = f"""
WITH readers AS (
  SELECT count(*) AS clicks, count(DISTINCT user_id) AS readers
  FROM read_json_auto('{{clicks}}/*.json')
  JOIN read_csv('{{segments}}/*.csv', all_varchar = true) USING (user_id)
  GROUP BY date_trunc('minute', clicked_at), article_id, {", ".join(SEGMENT_COLUMNS)}
)
SELECT
  count(*), sum(clicks)::BIGINT, sum(readers)::BIGINT, max(readers),
  sum(least(readers * {HASH_BYTES}, {SKETCH_BYTES}))::BIGINT
FROM readers
"""


def run(variant: str, data: Path, clicks: int) -> Usage:
    with tempfile.TemporaryDirectory(dir=data) as temporary:
        checkpoints = Path(temporary) / "checkpoints"
        checkpoints.mkdir()
        command = [
            *(sys.executable, "-m", "bench.flink_counts"),
            *(str(data / "clicks"), str(data / "segments"), str(checkpoints)),
            *("--variant", variant, "--until", str(clicks)),
            *("--poll-milliseconds", str(POLL_MILLISECONDS)),
            *("--managed-memory", f"{TASKS * MANAGED_MIB_A_TASK}m"),
        ]
        return usage(command, log=Path(temporary) / "log")


def readers_of_counts(data: Path) -> dict[str, int]:
    """counts: minutes, articles and segments with a click; sketch_bytes: a sketch of each count's readers,
    as hashes as long as these are smaller."""
    with duckdb.connect() as connection:
        query = _READERS_OF_COUNTS.format(clicks=data / "clicks", segments=data / "segments")
        row = connection.execute(query).fetchone()
    assert row is not None
    return dict(zip(("counts", "clicks", "readers", "most_readers", "sketch_bytes"), row, strict=True))


def _write_data(folder: Path, clicks: int, users: int) -> Path:
    data = folder / str(clicks)
    write_clicks(data, clicks=clicks, users=users, click_id=RANDOM)
    write_segments(data, users=users)
    return data


def measure(scale: Scale) -> dict[str, Any]:
    """The small runs of all jobs in turns, then the large ones, which take most of the time."""
    clicks = scale.repetition_clicks
    turns = (scale.repetition_small_runs, scale.repetition_large_runs)
    not_ended: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as temporary:
        data = [_write_data(Path(temporary), number, scale.users) for number in clicks]
        readers = readers_of_counts(data[0])
        small, large = (
            _in_turns(folder, number, runs, not_ended)
            for folder, number, runs in zip(data, clicks, turns, strict=True)
        )
    return {
        "clicks": clicks,
        "users": scale.users,
        "small": small,
        "large": large,
        "not_ended": not_ended,
        "readers": readers,
    }


def _in_turns(
    data: Path, clicks: int, turns: int, not_ended: dict[str, str]
) -> dict[str, dict[str, list[float]]]:
    """By variant, what each of its runs used. not_ended: takes the reason of one that did not end."""
    jobs: dict[str, dict[str, list[float]]] = {variant: {name: [] for name in USED} for variant in JOBS}
    for _ in range(turns):
        for variant, figures in jobs.items():
            try:
                used = run(variant, data, clicks)
            except BenchmarkError as error:
                if variant not in MAY_NOT_END:
                    raise
                not_ended[variant] = str(error).strip().splitlines()[-1]
                continue
            answer = used.answer()
            figures["cpu_seconds"].append(used.cpu_seconds)
            figures["seconds"].append(answer["seconds"])
            figures["state_mb"].append(answer["state_bytes"] / 1e6)
            figures["checkpoint_ms"].append(answer["checkpoint_milliseconds"])
            figures["longest_ms"].append(answer["longest_checkpoint_milliseconds"])
    return jobs


def report(figures: Figures) -> Sequence[Block]:
    small, large, clicks = figures["small"], figures["large"], figures["clicks"]
    slopes = {variant: _slopes(figures, variant) for variant in JOBS}
    whole = [variant for variant in JOBS if slopes[variant]]
    few, many = (f"{number / 1e6:g} M" for number in clicks)
    rows = tuple(
        (
            JOBS[variant],
            _spread(slopes[variant]),
            f"{median(slopes[variant]) / median(slopes['joined']):.2f}" if variant in whole else NOT_ENDED,
            _spread(small[variant]["cpu_seconds"], ",.0f"),
            _spread(large[variant]["cpu_seconds"], ",.0f"),
            _spread(small[variant]["state_mb"], ",.0f"),
            _spread(large[variant]["state_mb"], ",.0f"),
            _spread(small[variant]["checkpoint_ms"], ",.0f"),
            _spread(large[variant]["checkpoint_ms"], ",.0f"),
            _spread(large[variant]["longest_ms"], ",.0f"),
        )
        for variant in JOBS
    )
    ids = median(large["once"]["state_mb"]) - median(large["joined"]["state_mb"])
    runs = [len(of["joined"]["seconds"]) for of in (small, large)]
    readers = figures["readers"]
    a_count = readers["readers"] / readers["counts"]
    a_click = {name: readers[name] / readers["clicks"] for name in ("readers", "sketch_bytes")}
    return (
        f"Slope between {few} and {many} clicks with random ids of 32 bytes, none repeated, "
        f"{figures['users']:,} users, two tasks, RocksDB and a checkpoint every 5 s. The jobs take turns, "
        f"{runs[0]} with {few} clicks and {runs[1]} with {many}: median (range). State and checkpoint are of "
        "the whole state at the end; the longest checkpoint is of all in a large run.",
        Table(
            head=(
                "job",
                "CPU s per million",
                "times the first",
                *(f"{what} at {number}{unit}" for what, unit in UNITS for number in (few, many)),
                "longest checkpoint, ms",
            ),
            rows=rows,
        ),
        *(
            f"With {many} clicks the job of {JOBS[variant]} did not end: {reason}."
            for variant, reason in figures.get("not_ended", {}).items()
        ),
        f"A remembered click id takes {ids / clicks[1] * 1e6:.0f} bytes of a checkpoint. A count has "
        f"{a_count:.2f} readers on average and {readers['most_readers']:,} at most; {a_click['readers']:.1%} "
        "of the clicks are a reader's first of their count. A sketch of each count (hashes of "
        f"{HASH_BYTES} bytes, at most {SKETCH_BYTES:,} bytes for an error of 2.3 %) would hold "
        f"{a_click['sketch_bytes']:.1f} bytes a click, and exact hashes "
        f"{a_click['readers'] * HASH_BYTES:.1f}.",
    )


def _spread(found: list[float], form: str = ".2f") -> str:
    return spread(found, form) if found else NOT_ENDED


def _slopes(figures: Figures, variant: str) -> list[float]:
    """Of each large run with each small one."""
    return [
        slope(small, large, figures["clicks"])
        for small in figures["small"][variant]["cpu_seconds"]
        for large in figures["large"][variant]["cpu_seconds"]
    ]


SECTION = Benchmark(
    name="repetition",
    title="Repeated click ids and distinct readers",
    measure=measure,
    report=report,
    on_demand=True,
)
