"""What a benchmark shows: paragraphs, tables and pictures, the same on the page and in the terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from bench.scale import Scale

Figures = Mapping[str, Any]
"""What a section measured, as JSON has it."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The first column is text; the others are numbers, with the unit in the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Curve:
    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """name: of the file, without its extension."""

    name: str
    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]
    logarithmic: bool = True


MAX_COLUMNS = 12
"""Of a curve in the terminal; one with more points is on the page only."""

Block = str | Table | Plot


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """measure: runs the benchmark; report: shows what it measured and whether the goals are met.

    on_demand: it takes long, so it runs only when named.
    """

    name: str
    title: str
    measure: Callable[[Scale], Figures]
    report: Callable[[Figures], Sequence[Block]]
    on_demand: bool = False


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, with the range if there are several values: `3.5 (3.3-3.9)`."""
    middle = format(median(values), form)
    if len(values) < 2:
        return middle
    return f"{middle} ({min(values):{form}}-{max(values):{form}})"


def verdict(value: float, goal: float, *, at_most: bool, unit: str = "") -> str:
    """A goal, and whether the value meets it."""
    met = value <= goal if at_most else value >= goal
    word = "at most" if at_most else "at least"
    return f"{word} {goal:g}{unit}: {'reached' if met else 'MISSED'}"


def markdown(block: Block) -> str:
    if isinstance(block, str):
        return block
    if isinstance(block, Plot):
        return f"![{block.title}](benchmarks/{block.name}.png)"
    lines = [block.head, ("---", *("---:" for _ in block.head[1:])), *block.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def show(console: Console, block: Block) -> None:
    """Prints a block; a picture as the numbers of its curves."""
    if isinstance(block, str):
        console.print(block, markup=False)
        return
    if isinstance(block, Plot):
        xs = sorted({x for curve in block.curves for x, _ in curve.points})
        if len(xs) > MAX_COLUMNS:
            console.print(f"({block.title}: {block.name}.png on the page)")
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
