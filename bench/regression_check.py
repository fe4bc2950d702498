"""Checks whether the SQL job became slower, by the ratio of its CPU to DuckDB's, which holds on any machine.

It is compared with docs/reference/benchmarks/figures.json at the same scale only: in a small run compilation
takes a larger share, so the ratio differs.
"""

from collections.abc import Mapping
from statistics import median
from typing import Any

from bench.sections.counting import DUCKDB, SECTION, TOLERANCE, ratio_to


def regression(name: str, entry: Mapping[str, Any], recorded: Mapping[str, Any]) -> str | None:
    """What became slower in this entry of the section `name`; None if nothing did."""
    last = recorded.get(name)
    if name != SECTION.name or last is None or last["scale"] != entry["scale"]:
        return None
    found, known = (median(ratio_to(each["figures"], DUCKDB)) for each in (entry, last))
    if found <= known * TOLERANCE:
        return None
    return (
        f"SLOWER: the SQL job takes {found:.2f} times DuckDB's CPU per million clicks, recorded are "
        f"{known:.2f} and {TOLERANCE:g} times that is allowed, and it is not recorded: find what made it so "
        "(python -m bench.cpu_slope compares two states of the project). If it is to stay, delete "
        f'"{name}" from docs/reference/benchmarks/figures.json and measure again.'
    )
