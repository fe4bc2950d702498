"""The figures of the last run of each section, in one file, from which the page is made."""

import json
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.report import Benchmark
from bench.scale import Scale

FILE = Path(__file__).parent.parent / "docs" / "benchmarks" / "figures.json"


def recorded(file: Path = FILE) -> dict[str, Any]:
    """By the name of the section: `machine`, `scale` and `figures`."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def measured(section: Benchmark, scale: Scale) -> dict[str, Any]:
    """Run a section; what `recorded` has of it. Through JSON, so that the page is the same from the file."""
    on = machine()
    entry = {"machine": on, "scale": scale.name, "figures": section.measure(scale)}
    through_json: dict[str, Any] = json.loads(json.dumps(entry))
    return through_json


def record(name: str, entry: dict[str, Any], file: Path = FILE) -> None:
    """Put a section in the place of its last run; the others stay."""
    together = recorded(file) | {name: entry}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(together, indent=1, sort_keys=True) + "\n", encoding="utf-8")
