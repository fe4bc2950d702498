"""A soak as a picture: memory, disk, lag and clicks over time, with the drills as bands."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.chart import COLOURS
from bench.soak.record import Line, SoakRecord
from bench.soak.series import SERIES, waiting

PANELS = {
    "memory of ": ("memory, MiB", False),
    "disk of ": ("disk, MiB", True),
    "heap of ": ("heap, %", False),
    "lag": ("lag, s", True),
    "clicks": ("clicks", True),
}
"""By what the names of its series begin with: the axis, and whether it is logarithmic above 1."""
CLICKS: Mapping[str, Callable[[Line], float | None]] = {
    "sent": lambda sample: _of_state(sample, "sent"),
    "counted": lambda sample: _of_state(sample, "counted"),
    "rejected": lambda sample: _of_state(sample, "rejected"),
    "unparseable": lambda sample: _of_state(sample, "unparseable"),
    "waiting": waiting,
    "sent a second": lambda sample: _of_state(sample, "clicks_a_second"),
}


def draw(record: SoakRecord, file: Path) -> None:
    """Write a PNG that depends only on the record. Where nothing was seen, a line has a gap."""
    from matplotlib import pyplot
    from matplotlib.ticker import SymmetricalLogLocator

    figure, panels = pyplot.subplots(
        len(PANELS), 1, figsize=(11, 2.6 * len(PANELS)), sharex=True, layout="constrained"
    )
    for axes, (begin, (label, logarithmic)) in zip(panels, PANELS.items(), strict=True):
        for (name, value), colour in zip(_lines(begin).items(), COLOURS, strict=False):
            _plot(axes, record.samples, name, value, colour)
        for drill in record.drills:
            axes.axvspan(drill["began"] / 60, drill["ended"] / 60, color="#DDDDDD", zorder=0)
        if logarithmic:
            axes.set_yscale("symlog", linthresh=1)
            axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=(1, 3)))
            axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylim(bottom=0)
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    for drill in record.drills:
        panels[0].annotate(
            drill["fault"],
            (drill["began"] / 60, 1),
            xycoords=("data", "axes fraction"),
            fontsize="x-small",
            rotation=20,
        )
    panels[-1].set_xlabel("minutes; grey: a drill")
    figure.align_ylabels()
    figure.savefig(file, metadata={"Software": None})
    pyplot.close(figure)


def _lines(begin: str) -> Mapping[str, Callable[[Line], float | None]]:
    if begin == "clicks":
        return CLICKS
    if begin == "lag":
        return {series.name: series.value for series in SERIES if series.unit == "s"}
    return {
        series.name.removeprefix(begin): series.value for series in SERIES if series.name.startswith(begin)
    }


def _of_state(sample: Line, name: str) -> float | None:
    number = (sample.get("state") or {}).get(name)
    return None if number is None else float(number)


def _plot(
    axes: Any, samples: Sequence[Line], name: str, value: Callable[[Line], float | None], colour: str
) -> None:
    values = [value(sample) for sample in samples]
    minutes = [sample["at"] / 60 for sample in samples]
    axes.plot(minutes, [math.nan if v is None else v for v in values], label=name, color=colour, linewidth=1)
