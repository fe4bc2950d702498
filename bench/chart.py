"""Pictures as PNG that depend only on the numbers."""

from pathlib import Path

import matplotlib

from bench.report import Plot

matplotlib.use("agg")

COLOURS = ("#332288", "#CC6677", "#117733", "#DDCC77", "#88CCEE", "#882255", "#44AA99")
"""Distinguishable with colour blindness: Paul Tol's "muted" scheme, https://personal.sron.nl/~pault/."""
MARKERS = "osD^vPX"


def draw(picture: Plot, folder: Path) -> Path:
    """Write `folder`/<name>.png: a line and a marker for each curve, from zero up."""
    from matplotlib import pyplot

    file = folder / f"{picture.name}.png"
    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for curve, colour, marker in zip(picture.curves, COLOURS, MARKERS, strict=False):
        xs, ys = zip(*curve.points, strict=True)
        axes.plot(xs, ys, color=colour, marker=marker, label=curve.label)
    if picture.logarithmic:
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set(title=picture.title, xlabel=picture.x, ylabel=picture.y)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, metadata={"Software": None})
    pyplot.close(figure)
    return file
