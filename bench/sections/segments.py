"""The validation of a version of the segments: its time, and what the publisher's memory must hold."""

import gzip
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.clicks import write_segments
from bench.report import Benchmark, Block, Figures, Table, verdict
from bench.scale import Scale
from bench.usage import usage

GOAL_USERS, GOAL_SECONDS = 10_000_000, 120


def measure(scale: Scale) -> dict[str, Any]:
    files = []
    for users in scale.reference_users:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            plain = next(write_segments(folder, users=users).iterdir())
            packed = folder / (plain.name + ".gz")
            with plain.open("rb") as content, gzip.open(packed, "wb") as target:
                shutil.copyfileobj(content, target, 1 << 20)
            for file in (plain, packed):
                command = [sys.executable, "-m", "bench.validate_segments", str(file)]
                used = usage(command, log=folder / "log")
                answer = used.answer() | {"gzip": file is packed, "bytes": file.stat().st_size}
                files.append(answer | {"cpu_seconds": used.cpu_seconds, "peak_mib": used.peak_mib})
    return {"files": files}


def report(figures: Figures) -> Sequence[Block]:
    files = figures["files"]
    blocks: list[Block] = [
        "One process, which reads the file from the disk a MiB at a time and uses one core.",
        Table(
            head=("users", "file", "MB", "CPU s", "peak, MiB"),
            rows=tuple(
                (
                    f"{file['users']:,}",
                    "`.csv.gz`" if file["gzip"] else "`.csv`",
                    f"{file['bytes'] / 1e6:,.0f}",
                    f"{file['cpu_seconds']:.1f}",
                    f"{file['peak_mib']:,.0f}",
                )
                for file in files
            ),
        ),
    ]
    if goal := [file["cpu_seconds"] for file in files if file["users"] == GOAL_USERS]:
        slowest = max(goal)
        blocks.append(
            f"{GOAL_USERS:,} users take {slowest:.0f} s of one core "
            f"({verdict(slowest, GOAL_SECONDS, at_most=True, unit=' s')})."
        )
    return blocks


SECTION = Benchmark(name="segments", title="Validating the segments", measure=measure, report=report)
