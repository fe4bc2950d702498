"""How the SQL job grows: CPU a click, memory and state by users, articles, state and parallelism.

Each point is a slope as in bench/sections/counting.py, between two smaller numbers of clicks.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.clicks import ARTICLES, write_clicks, write_segments
from bench.report import Benchmark, Block, Curve, Figures, Plot, Table
from bench.scale import Scale
from bench.sections.counting import slope
from bench.usage import Usage, usage

POLL_MILLISECONDS = 200
MANAGED_MIB_A_TASK = 512
"""For RocksDB: half of the native gigabyte that a KPU has
(https://docs.aws.amazon.com/managed-flink/latest/java/how-resources.html)."""
CLICKS_HAVE_A_KEY_EACH = 1_000_000
"""Articles, uniform, so many that with minute and segment nearly every click is a count of its own."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What the clicks are like, and which job counts them."""

    users: int
    articles: int = ARTICLES
    skewed: bool = True
    variant: str = "joined"
    parallelism: int = 2


@dataclass(frozen=True, kw_only=True)
class Case:
    """One point: a load with two numbers of clicks; x is its place on the curve, but for the state's, where
    the state found is."""

    curve: str
    x: int
    load: Load
    clicks: tuple[int, int]


BY_USERS, TEMPORAL = "SQL job", "Flink's temporal join"
SKEWED, UNIFORM = "skewed articles", "uniform articles"
BY_STATE = "each click a count of its own"
PARALLELISM = "parallelism"


def cases(scale: Scale) -> Iterator[Case]:
    clicks = (scale.curve_small_clicks, scale.curve_large_clicks)
    for users in scale.curve_users:
        yield Case(curve=BY_USERS, x=users, load=Load(users=users), clicks=clicks)
    for users in scale.curve_temporal_users:
        load = Load(users=users, variant="temporal")
        yield Case(curve=TEMPORAL, x=users, load=load, clicks=scale.curve_temporal_clicks)
    for name in (SKEWED, UNIFORM):
        for articles in scale.curve_articles:
            load = Load(users=scale.users, articles=articles, skewed=name == SKEWED)
            yield Case(curve=name, x=articles, load=load, clicks=clicks)
    for step in pairwise(scale.curve_state_clicks):
        load = Load(users=scale.users, articles=CLICKS_HAVE_A_KEY_EACH, skewed=False)
        yield Case(curve=BY_STATE, x=step[1], load=load, clicks=step)
    for number in scale.curve_parallelism:
        yield Case(
            curve=PARALLELISM, x=number, load=Load(users=scale.users, parallelism=number), clicks=clicks
        )


def measure(scale: Scale) -> dict[str, Any]:
    return {
        "clicks": (scale.curve_small_clicks, scale.curve_large_clicks),
        "temporal_clicks": scale.curve_temporal_clicks,
        "users": scale.users,
        "managed_mib_a_task": MANAGED_MIB_A_TASK,
        "points": points(scale, _run),
    }


def points(scale: Scale, run: Callable[[Load, int], Usage]) -> list[dict[str, Any]]:
    once = cache(run)  # two curves meet in some points
    return [_point(case, once) for case in cases(scale)]


def _point(case: Case, run: Callable[[Load, int], Usage]) -> dict[str, Any]:
    small, large = (run(case.load, number) for number in case.clicks)
    answer = large.answer()
    return {
        "curve": case.curve,
        "x": case.x,
        "cpu_seconds_per_million": slope(small.cpu_seconds, large.cpu_seconds, case.clicks),
        "seconds_per_million": slope(small.answer()["seconds"], answer["seconds"], case.clicks),
        "heap_mb": answer["heap_bytes"] / 1e6,
        "state_mb": answer["state_bytes"] / 1e6,
        "peak_mib": large.peak_mib,
    }


def _run(load: Load, clicks: int) -> Usage:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = write_clicks(
            folder, clicks=clicks, users=load.users, articles=load.articles, skewed=load.skewed
        )
        segments = write_segments(folder, users=load.users)
        (folder / "checkpoints").mkdir()
        command = [
            *(sys.executable, "-m", "bench.flink_counts", str(files), str(segments)),
            *(str(folder / "checkpoints"), "--variant", load.variant),
            *("--parallelism", str(load.parallelism)),
            *("--until", str(clicks), "--poll-milliseconds", str(POLL_MILLISECONDS)),
            *("--managed-memory", f"{MANAGED_MIB_A_TASK * load.parallelism} mb"),
        ]
        return usage(command, log=folder / "log")


def report(figures: Figures) -> Sequence[Block]:
    points = figures["points"]
    if not points:
        return ("Not part of a quick run.",)
    small, large = figures["clicks"]
    temporal_small, temporal_large = figures["temporal_clicks"]
    return (
        f"Slopes between {small:,} and {large:,} clicks, one run each, so a point may be off by a fifth. "
        f"Unless stated otherwise: {figures['users']:,} users, {ARTICLES:,} skewed articles, RocksDB, a "
        f"parallelism of 2. RocksDB has {figures['managed_mib_a_task']} MiB a task, half of a KPU's native "
        "memory. With Flink's default of 128 MiB in all, counting uniform articles nearly stops, since every "
        "access to state reads the disk. Flink's temporal join, with the same checks of ids, is the "
        "alternative to the reference table in the heap: it keeps every user and the clicks that wait for "
        f"the watermark in state. It is measured between {temporal_small:,} and {temporal_large:,} clicks.",
        "Heap is measured after garbage collection when all clicks are counted; state is a full checkpoint "
        "at that time. Peak is the JVM's resident memory. Before it collects garbage the heap may grow to a "
        "quarter of the machine's memory.",
        *(plot for plot in _plots(points) if plot.curves),
        "CPU by state: every click is a count of its own, the worst case for state. A point is the slope "
        "from the previous number of clicks.",
        Table(
            head=("", "of", "CPU s per million", "seconds per million", "heap, MB", "state, MB", "peak, MiB"),
            rows=tuple(
                (
                    point["curve"],
                    f"{point['x']:,}",
                    f"{point['cpu_seconds_per_million']:.2f}",
                    _seconds(point["seconds_per_million"]),
                    f"{point['heap_mb']:,.0f}",
                    f"{point['state_mb']:,.1f}",
                    f"{point['peak_mib']:,.0f}",
                )
                for point in points
            ),
        ),
    )


def _seconds(per_million: float) -> str:
    """The seconds of a slope, which between very short runs can be negative and then means nothing."""
    return f"{per_million:.2f}" if per_million > 0 else "too short to tell"


CPU, SECONDS = "cpu_seconds_per_million", "seconds_per_million"
HEAP, STATE = "heap_mb", "state_mb"
_LABELS = {
    CPU: "CPU seconds per million clicks",
    SECONDS: "seconds per million clicks",
    HEAP: "heap after garbage collection, MB",
    STATE: "state in a checkpoint, MB",
}
USERS, BY_ARTICLES = (BY_USERS, TEMPORAL), (SKEWED, UNIFORM)


def _plots(points: Sequence[Figures]) -> Iterator[Plot]:
    yield _plot(points, "users-cpu", "Users", CPU, USERS)
    yield _plot(points, "users-heap", "Users", HEAP, USERS)
    yield _plot(points, "users-state", "Users", STATE, USERS)
    yield _plot(points, "articles-cpu", "Articles", CPU, BY_ARTICLES)
    yield _plot(points, "articles-heap", "Articles", HEAP, BY_ARTICLES)
    yield _plot(points, "articles-state", "Articles", STATE, BY_ARTICLES)
    yield _plot(points, "state-cpu", "State", CPU, (BY_STATE,), x=STATE)
    both = [_curve(points, PARALLELISM, "x", key, label=_LABELS[key]) for key in (CPU, SECONDS)]
    yield Plot(
        name="parallelism",
        title="Parallelism",
        x="parallelism",
        y="seconds per million clicks",
        curves=tuple(curve for curve in both if curve.points),
        logarithmic=False,
    )


def _plot(
    points: Sequence[Figures], name: str, title: str, y: str, names: Sequence[str], *, x: str = "x"
) -> Plot:
    curves = [_curve(points, curve, x, y, label=curve) for curve in names]
    return Plot(
        name=name,
        title=f"{title}: {_LABELS[y]}",
        x=_LABELS.get(x, title.lower()),
        y=_LABELS[y],
        curves=tuple(curve for curve in curves if curve.points),
        logarithmic=x == "x",
    )


def _curve(points: Sequence[Figures], curve: str, x: str, y: str, *, label: str) -> Curve:
    return Curve(label=label, points=tuple((each[x], each[y]) for each in points if each["curve"] == curve))


SECTION = Benchmark(name="growth", title="How counting grows", measure=measure, report=report, on_demand=True)
