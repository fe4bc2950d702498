"""settings/measured.toml, made from the recorded figures by the rules of settings/measured.py:
python -m bench.constants."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import recorded
from bench.forwarder import CLICKS
from bench.sections.counting import SQL
from settings import measured

HEAD = """# Made by `make docs` from docs/reference/benchmarks/figures.json by settings/measured.py.
"""


def constants(figures: Mapping[str, Any]) -> dict[str, float]:
    """The constants of recorded sections."""
    found: dict[str, float] = {}
    if counting := figures.get("counting"):
        cpu = {job: median(values) for job, values in counting["figures"]["cpu_seconds_per_million"].items()}
        found["clicks_per_second_per_kpu"] = measured.clicks_per_second_per_kpu(cpu[SQL])
    forwarder = figures.get("forwarder", {}).get("figures", {})
    if packed := forwarder.get("packed"):
        record, click = measured.forwarder_cpu_microseconds(
            min(forwarder["libraries"]["json"]),
            min(packed["processor"]),
            clicks=CLICKS,
            clicks_per_record=packed["clicks_per_record"],
        )
        found["forwarder_cpu_microseconds_per_record"] = record
        found["forwarder_cpu_microseconds_per_click"] = click
    return found


def write(figures: Mapping[str, Any], file: Path = measured.FILE) -> None:
    """Constants without a recorded figure stay as they are."""
    values = tomllib.loads(file.read_text(encoding="utf-8")) | constants(figures)
    lines = (f"{name} = {value}\n" for name, value in values.items())
    file.write_text(HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    write(recorded())
