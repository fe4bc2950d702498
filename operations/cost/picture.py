"""The picture of cost by part as the traffic grows, as a PNG that depends on nothing but the numbers."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from operations.cost.cheapest import Cheapest
from operations.cost.line import PARTS

matplotlib.use("agg")

COLOURS = ("#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499")
"""Told apart by the colour-blind: Paul Tol's "muted" scheme, https://personal.sron.nl/~pault/."""
LEAST_SHOWN_USD = 1.0
DIGEST = "numbers "


def digest(found: Sequence[Cheapest]) -> str:
    """Of every number in the picture; it stands in the picture's description."""
    numbers = [
        [one.factor, *([part, round(usd.low), round(usd.high)] for part, usd in one.estimate.parts().items())]
        for one in found
    ]
    return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()[:16]


def draw(found: Sequence[Cheapest], file: Path) -> None:
    """Write the picture of these factors: a line for each part at its middle, a band from low to high."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6), layout="constrained")
    factors = [one.factor for one in found]
    parts = [part for part in PARTS if any(_middle(one, part) >= LEAST_SHOWN_USD for one in found)]
    for part, colour in zip(parts, COLOURS, strict=False):
        usd = [one.estimate.parts()[part] for one in found]
        axes.plot(factors, [one.middle for one in usd], color=colour, marker="o", label=part)
        axes.fill_between(
            factors,
            [max(one.low, LEAST_SHOWN_USD / 10) for one in usd],
            [one.high for one in usd],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    totals = [one.estimate.total for one in found]
    axes.errorbar(
        factors,
        [one.middle for one in totals],
        yerr=[[one.middle - one.low for one in totals], [one.high - one.middle for one in totals]],
        color="black",
        marker="s",
        capsize=4,
        linewidth=2,
        label="total",
    )
    axes.set(
        xscale="log",
        yscale="log",
        ylim=(LEAST_SHOWN_USD, None),
        xlabel=f"times the declared peak of {found[0].settings.peak.clicks_per_second:,} clicks/s",
        ylabel="USD a month, low to high",
        title=f"Cost by part with the cheapest settings, prices of {found[0].estimate.prices_of}",
    )
    axes.set_xticks(factors, [f"{factor:,}" for factor in factors])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", ncols=2, frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Software": None, "Description": DIGEST + digest(found)})
    pyplot.close(figure)


def _middle(one: Cheapest, part: str) -> float:
    return {name: usd.middle for name, usd in one.estimate.parts().items()}.get(part, 0.0)  # type: ignore[call-overload,no-any-return]
