"""The figures of each section's last run, in one file, from which the page is generated."""

import json
import os
from pathlib import Path
from typing import Any

from bench.machine import ProcessorTimes, machine
from bench.report import Benchmark
from bench.scale import Scale
from bench.subprocesses import BenchmarkError, children_of, end_orphans

FILE = Path(__file__).parent.parent / "docs" / "reference" / "benchmarks" / "figures.json"


def recorded(file: Path = FILE) -> dict[str, Any]:
    """Section name -> `machine`, `scale` and `figures`. Raises BenchmarkError."""
    if not file.exists():
        return {}
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BenchmarkError(f"{file} is damaged ({error}): restore it with git, or delete it") from None
    return found


def measured(section: Benchmark, scale: Scale) -> dict[str, Any]:
    """Run a section and return its entry of `recorded`, through JSON, as the page reads it from the file.

    Ends whatever the section left running, also when it fails.
    """
    began, on = ProcessorTimes.now(), machine()  # without /proc not even Java starts
    older = children_of(os.getpid())
    try:
        figures = section.measure(scale)
    finally:
        end_orphans(older)
    ended = ProcessorTimes.now()
    on |= {
        "other_load": round(began.other_cores_until(ended), 1),
        "minutes": round((ended.at - began.at) / 60, 1),
        "processor_minutes": round((ended.own - began.own) / 60, 1),
    }
    through_json: dict[str, Any] = json.loads(
        json.dumps({"machine": on, "scale": scale.name, "figures": figures})
    )
    return through_json


def record(name: str, entry: dict[str, Any], file: Path = FILE) -> None:
    """Replace the last run of a section; the others stay."""
    together = recorded(file) | {name: entry}
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = file.with_suffix(".new")  # a full disk must not destroy recorded figures
    whole.write_text(json.dumps(together, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    whole.replace(file)
