"""The SQL job beside itself without the join and beside Spark Structured Streaming, on the same files.

python -m bench.sql_speed --spark-python PYTHON [--warm-up N] [--clicks N] [--users N] [--runs N]

- 4 M clicks to warm up and 2 M to time, of 200,000 users, all in one version of the segments; from two
  shards, each in order of time and cut into files of 250,000 clicks, for Flink doesn't split a file and Spark
  takes whole files into a micro-batch
- both engines local with parallelism 2, streaming, each run in a process of its own; the jobs take turns,
  and the one that begins changes from round to round
- Flink: the statements of analytics_sql/ with all checks, RocksDB, a checkpoint every 5 s, blackhole sinks
- Spark: the same checks, join and count, RocksDB, trigger AvailableNow with 2 files (500,000 clicks, some
  seconds) a micro-batch, update mode, noop sink
- the first table times the clicks after the warm-up, when the JVM has compiled what it runs: the speed of an
  application that runs for months. The second one times the warm-up, from the submission of the job on.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from contract.count import SEGMENT_FILE_HEADER
from contract.event_time import format_time

HERE = Path(__file__).parent
LEAST_OF_UNJOINED = 0.8
# Without segments there are fewer keys to count: this tells what the join costs from what the keys cost.
WITHOUT_JOIN_SAME_KEYS = "without the join, as many keys"
LEAST_OF_SPARK = 1.2
MILLISECONDS_BETWEEN_CLICKS = 2
ARTICLES = 5_000
SEGMENTS = list(product(("female", "male"), ("10s", "20s", "30s", "40s"), ("tokyo", "osaka", "kyoto")))
SHARDS = 2
CLICKS_A_FILE = 250_000


def write_data(folder: Path, *, clicks: int, users: int) -> tuple[Path, Path]:
    """The folders of clicks and of segments, always the same for the same numbers."""
    rng = random.Random(clicks)
    clicks_folder, segments_folder = folder / "clicks", folder / "segments"
    clicks_folder.mkdir()
    segments_folder.mkdir()
    begin = datetime(2026, 1, 31, tzinfo=UTC)
    clicks_a_slice = SHARDS * CLICKS_A_FILE
    for first in range(0, clicks, clicks_a_slice):
        with ExitStack() as stack:
            files = [
                stack.enter_context((clicks_folder / f"{first:010}-{shard}.json").open("w"))
                for shard in range(SHARDS)
            ]
            for number in range(first, min(first + clicks_a_slice, clicks)):
                moment = begin + timedelta(milliseconds=number * MILLISECONDS_BETWEEN_CLICKS)
                article = min(int(rng.paretovariate(1.1)), ARTICLES)
                files[number % SHARDS].write(
                    f'{{"click_id":"{number:032x}",'
                    f'"clicked_at":"{format_time(moment)}",'
                    f'"user_id":"user-{rng.randrange(users):07}","article_id":"article-{article:06}",'
                    f'"platform":"ios","position":{number // SHARDS % len(SEGMENTS)}}}\n'
                )
    with (segments_folder / "20260101T000000Z.csv").open("w") as file:
        file.write(",".join(SEGMENT_FILE_HEADER) + "\n")
        for user in range(users):
            file.write(f"user-{user:07},{','.join(rng.choice(SEGMENTS))}\n")
    return clicks_folder, segments_folder


class Timing(NamedTuple):
    """Clicks a second."""

    warm: float
    from_submission: float


def timing_of(command: list[str], *, clicks: int) -> Timing:
    """clicks: all that the job counts."""
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    timed = json.loads(done.stdout.splitlines()[-1])
    warm_up = timed["warm_up"]
    return Timing((clicks - warm_up["clicks"]) / timed["seconds"], warm_up["clicks"] / warm_up["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--spark-python", required=True, help="the Python that has bench/requirements.txt")
    parser.add_argument("--warm-up", type=int, default=4_000_000)
    parser.add_argument("--clicks", type=int, default=2_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    clicks_in_all = given.warm_up + given.clicks
    timings: dict[str, list[Timing]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        clicks, segments = write_data(Path(temporary), clicks=clicks_in_all, users=given.users)
        files = [str(given.warm_up), str(clicks), str(segments)]

        def flink(variant: str) -> Callable[[str], list[str]]:
            job = [sys.executable, "-m", "bench.flink_counts", variant, *files]
            return lambda checkpoints: [*job, checkpoints]

        spark = [given.spark_python, str(HERE / "spark_counts.py"), *files]
        contenders = [
            ("SQL job", flink("joined")),
            ("without the join", flink("unjoined")),
            (WITHOUT_JOIN_SAME_KEYS, flink("unjoined-same-keys")),
            ("Spark", lambda checkpoints: [*spark, checkpoints]),
        ]
        for run in range(given.runs):
            for turn in range(len(contenders)):
                name, command = contenders[(run + turn) % len(contenders)]
                with tempfile.TemporaryDirectory(dir=temporary) as checkpoints:
                    timings[name].append(timing_of(command(checkpoints), clicks=clicks_in_all))
    show(
        f"clicks a second, {given.clicks:,} after the warm-up",
        {name: [timing.warm for timing in all_] for name, all_ in timings.items()},
    )
    show(
        f"clicks a second, the {given.warm_up:,} of the warm-up, from the submission of the job",
        {name: [timing.from_submission for timing in all_] for name, all_ in timings.items()},
    )


def show(title: str, speeds: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    table = Table(title=title)
    for column in ("job", "min", "median", "max", "SQL job / this", "at least"):
        table.add_column(column, justify="left" if column == "job" else "right")
    least = {"without the join": f"{LEAST_OF_UNJOINED}", "Spark": f"{LEAST_OF_SPARK}"}
    for name, values in speeds.items():
        ratio = medians["SQL job"] / medians[name]
        low, high = min(values), max(values)
        table.add_row(
            name, f"{low:,.0f}", f"{medians[name]:,.0f}", f"{high:,.0f}", f"{ratio:.2f}", least.get(name, "")
        )
    Console().print(table)


if __name__ == "__main__":
    main()
