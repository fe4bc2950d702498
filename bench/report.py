"""What a benchmark shows: paragraphs, tables and pictures. The page and the terminal draw the same ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from bench.scale import Scale

Figures = Mapping[str, Any]
"""What a section measured, as it stands in JSON."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The first column is text, the others are numbers with their unit in the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Curve:
    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """name: of the file without its ending."""

    name: str
    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]
    logarithmic: bool = True


MAX_COLUMNS = 12
"""In the terminal; a curve of more points is on the page only."""

Block = str | Table | Plot


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A benchmark. measure: runs it; report: draws what it measured, and says whether the goals are met.

    on_demand: only run when it is named, as it takes long.
    """

    name: str
    title: str
    measure: Callable[[Scale], Figures]
    report: Callable[[Figures], Sequence[Block]]
    on_demand: bool = False


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, and the least and the most where there are more than one: `3.5 (3.3-3.9)`."""
    middle = format(median(values), form)
    if len(values) < 2:
        return middle
    return f"{middle} ({min(values):{form}}-{max(values):{form}})"


def verdict(value: float, goal: float, *, at_most: bool, unit: str = "") -> str:
    """A goal beside what was reached."""
    met = value <= goal if at_most else value >= goal
    word = "at most" if at_most else "at least"
    return f"{word} {goal:g}{unit}: {'reached' if met else 'MISSED'}"


def markdown(block: Block) -> str:
    if isinstance(block, str):
        return block
    if isinstance(block, Plot):
        return f"![{block.title}](benchmarks/{block.name}.svg)"
    lines = [block.head, ("---", *("---:" for _ in block.head[1:])), *block.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def show(console: Console, block: Block) -> None:
    """Pictures are for the page; the terminal has the numbers of their curves."""
    if isinstance(block, str):
        console.print(block, markup=False)
        return
    if isinstance(block, Plot):
        xs = sorted({x for curve in block.curves for x, _ in curve.points})
        if len(xs) > MAX_COLUMNS:
            console.print(f"({block.title}: {block.name}.svg on the page)")
            return
        rows = tuple(
            (
                f"{curve.label}",
                *(f"{dict(curve.points)[x]:,.3g}" if x in dict(curve.points) else "" for x in xs),
            )
            for curve in block.curves
        )
        console.print(f"{block.title} ({block.y}, by {block.x})")
        block = Table(head=("", *(f"{x:,g}" for x in xs)), rows=rows)
    table = RichTable()
    for number, name in enumerate(block.head):
        table.add_column(name, justify="right" if number else "left")
    for row in block.rows:
        table.add_row(*row)
    console.print(table)
