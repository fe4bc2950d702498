"""How the SQL job grows: CPU a click, memory and state by users, articles and parallelism.

Each point is a slope as in bench/sections/counting.py, between two smaller numbers of clicks.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.clicks import ARTICLES, write_clicks, write_segments
from bench.report import Benchmark, Block, Curve, Figures, Plot, Table
from bench.scale import Scale
from bench.sections.counting import slope
from bench.usage import Usage, usage


@dataclass(frozen=True, kw_only=True)
class Case:
    """One point: what the clicks are like, and which job counts them."""

    curve: str
    x: int
    users: int
    articles: int = ARTICLES
    skewed: bool = True
    variant: str = "joined"
    parallelism: int = 2


BY_USERS, TEMPORAL = "SQL job", "Flink's temporal join"
SKEWED, UNIFORM = "skewed articles", "uniform articles"
PARALLELISM = "parallelism"


def cases(scale: Scale) -> list[Case]:
    return [
        *(Case(curve=BY_USERS, x=users, users=users) for users in scale.curve_users),
        *(
            Case(curve=TEMPORAL, x=users, users=users, variant="temporal")
            for users in scale.curve_temporal_users
        ),
        *(
            Case(curve=name, x=articles, users=scale.users, articles=articles, skewed=name == SKEWED)
            for articles in scale.curve_articles
            for name in (SKEWED, UNIFORM)
        ),
        *(
            Case(curve=PARALLELISM, x=number, users=scale.users, parallelism=number)
            for number in ((1, 2) if scale.curve_users else ())
        ),
    ]


def measure(scale: Scale) -> dict[str, Any]:
    clicks = (scale.curve_small_clicks, scale.curve_large_clicks)
    points = []
    for case in cases(scale):
        small, large = (_run(case, number) for number in clicks)
        answer = large.answer()
        points.append(
            {
                "curve": case.curve,
                "x": case.x,
                "cpu_seconds_per_million": slope(small.cpu_seconds, large.cpu_seconds, clicks),
                "seconds_per_million": slope(small.answer()["seconds"], answer["seconds"], clicks),
                "peak_mib": large.peak_mib,
                "state_mb": answer["state_bytes"] / 1e6,
            }
        )
    return {"clicks": clicks, "users": scale.users, "points": points}


def _run(case: Case, clicks: int) -> Usage:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = write_clicks(
            folder, clicks=clicks, users=case.users, articles=case.articles, skewed=case.skewed
        )
        segments = write_segments(folder, users=case.users)
        (folder / "checkpoints").mkdir()
        command = [
            *(sys.executable, "-m", "bench.flink_counts", str(files), str(segments)),
            *(str(folder / "checkpoints"), "--variant", case.variant),
            *("--parallelism", str(case.parallelism)),
        ]
        return usage(command, log=folder / "log")


def report(figures: Figures) -> Sequence[Block]:
    points = figures["points"]
    if not points:
        return ("Not part of a quick run.",)
    small, large = figures["clicks"]
    return (
        f"Slopes between {small:,} and {large:,} clicks, one run each, so a point may be off by a "
        "tenth. Peak "
        "memory is the resident memory of the JVM, which takes what it may (a quarter of the "
        "machine's) before it "
        "collects garbage; state is the largest checkpoint of the larger run in full, RocksDB. "
        "Flink's temporal "
        "join keeps every user in state; it stands here with the same checks of the ids.",
        _picture(
            points, (BY_USERS, TEMPORAL), name="users-cpu", title="Users", key="cpu_seconds_per_million"
        ),
        _picture(points, (BY_USERS, TEMPORAL), name="users-state", title="Users", key="state_mb"),
        _picture(
            points, (SKEWED, UNIFORM), name="articles-cpu", title="Articles", key="cpu_seconds_per_million"
        ),
        _picture(points, (SKEWED, UNIFORM), name="articles-state", title="Articles", key="state_mb"),
        Table(
            head=("", "of", "CPU s per million", "seconds per million", "state, MB", "peak memory, MiB"),
            rows=tuple(
                (
                    point["curve"],
                    f"{point['x']:,}",
                    f"{point['cpu_seconds_per_million']:.2f}",
                    f"{point['seconds_per_million']:.2f}",
                    f"{point['state_mb']:,.1f}",
                    f"{point['peak_mib']:,.0f}",
                )
                for point in points
            ),
        ),
    )


_LABELS = {
    "cpu_seconds_per_million": "CPU seconds per million clicks",
    "state_mb": "state in a checkpoint, MB",
}


def _picture(points: Sequence[Figures], names: Sequence[str], *, name: str, title: str, key: str) -> Plot:
    curves = {
        curve: tuple((point["x"], point[key]) for point in points if point["curve"] == curve)
        for curve in names
    }
    return Plot(
        name=name,
        title=f"{title}: {_LABELS[key]}",
        x=title.lower(),
        y=_LABELS[key],
        curves=tuple(Curve(label=curve, points=found) for curve, found in curves.items() if found),
    )


SECTION = Benchmark(name="growth", title="How counting grows", measure=measure, report=report)
