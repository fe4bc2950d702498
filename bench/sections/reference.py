"""The reference table: load time, memory and lookups, and whether loading holds up clicks."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.clicks import write_clicks, write_segments
from bench.report import Benchmark, Block, Curve, Figures, Plot, Table, verdict
from bench.scale import Scale
from bench.subprocesses import output
from bench.usage import usage

CONNECTORS = Path(__file__).parent.parent.parent / "connectors"
MAX_GAP_MILLISECONDS = 200
POLL_MILLISECONDS = 10


def measure(scale: Scale) -> dict[str, Any]:
    maven = [
        "mvn",
        "-q",
        "-B",
        "-f",
        str(CONNECTORS / "pom.xml"),
        "test-compile",
        "dependency:build-classpath",
    ]
    output(maven)
    target = CONNECTORS / "target"
    libraries = (target / "test.classpath").read_text(encoding="utf-8").strip()
    class_path = f"{target / 'classes'}:{target / 'test-classes'}:{libraries}"
    loads = []
    for users in scale.reference_users:
        command = ["java", "-cp", class_path, "clicktrends.reference.SegmentsLoadBenchmark", str(users)]
        loads.append(json.loads(output(command).splitlines()[-1]))
    return {"loads": loads, "gap": _gap(scale) if scale.gap_users else None}


def _gap(scale: Scale) -> dict[str, Any]:
    """Longest gap of the SQL job at full speed while it loads a version."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clicks = write_clicks(folder, clicks=scale.gap_clicks, users=scale.gap_users)
        segments = write_segments(folder, users=scale.users)
        new = next(write_segments(folder / "new", users=scale.gap_users).iterdir())
        (folder / "checkpoints").mkdir()
        command = [
            *(sys.executable, "-m", "bench.flink_counts", str(clicks), str(segments)),
            *(str(folder / "checkpoints"), "--poll-milliseconds", str(POLL_MILLISECONDS)),
            *("--new-version", str(new), "--after", str(scale.gap_after_clicks)),
        ]
        answer: dict[str, Any] = usage(command, log=folder / "log").answer()
    return {"users": scale.gap_users} | answer


def report(figures: Figures) -> Sequence[Block]:
    loads = figures["loads"]
    blocks: list[Block] = [
        "One version with ids of 18 bytes and two or three columns with few distinct values. Heap is "
        "measured after garbage collection. Lookups are random, on one thread; one in eleven is unknown.",
        Table(
            head=("users", "load, s", "heap, MB", "bytes a user", "lookups/s", "ns a lookup"),
            rows=tuple(
                (
                    f"{load['users']:,}",
                    f"{load['load_seconds']:.1f}",
                    f"{load['heap_mb_added']:,.0f}",
                    f"{load['heap_mb_added'] * 1e6 / load['users']:.1f}",
                    f"{load['lookups_per_second']:,.0f}",
                    f"{1e9 / load['lookups_per_second']:.0f}",
                )
                for load in loads
            ),
        ),
    ]
    if len(loads) > 1:
        blocks.append(
            Plot(
                name="reference",
                title="The reference table in memory",
                x="users",
                y="heap, MB",
                curves=(
                    Curve(
                        label="heap", points=tuple((each["users"], each["heap_mb_added"]) for each in loads)
                    ),
                ),
                logarithmic=False,
            )
        )
    if gap := figures["gap"]:
        before, after = gap["gap_before_seconds"] * 1000, gap["gap_loading_seconds"] * 1000
        blocks.append(
            f"The SQL job, at full speed on both cores, takes {gap['load_seconds']:.1f} s to load a version "
            f"of {gap['users']:,} users. Meanwhile the longest gap between clicks is {after:,.0f} ms "
            f"({verdict(after, MAX_GAP_MILLISECONDS, at_most=True, unit=' ms')}); before the load it is "
            f"{before:,.0f} ms. The gap is read from Flink's metrics every {POLL_MILLISECONDS} ms, so it "
            "includes pauses of the whole JVM, such as garbage collection, and delays of the reading itself."
        )
    return blocks


SECTION = Benchmark(name="reference", title="The reference table", measure=measure, report=report)
