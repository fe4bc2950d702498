"""An estimate in tables: by part, by dimension, as it grows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from operations.cost.assumptions import SECONDS
from operations.cost.billed import BilledMoment
from operations.cost.cheapest import FACTORS, Cheapest
from operations.cost.estimate import Estimate
from operations.cost.range import Range

CELL_MARGIN = 3  # blanks around a cell and the line between two of them

SHOWN_FROM_USD = 1.0
"""A dimension whose high is less is in the JSON only."""


@dataclass(frozen=True, kw_only=True)
class CostTable:
    """A table for people and for the docs.

    titles: of its columns; details: those that a terminal too narrow for all does without, in this order.
    """

    title: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    details: tuple[str, ...] = ()

    def markdown(self) -> str:
        rule = "|".join("---:" if self._is_number(index) else "---" for index in range(len(self.titles)))
        lines = [_row(self.titles), f"|{rule}|", *(_row(row) for row in self.rows)]
        return "\n".join(lines)

    def table(self, width: int) -> Table:
        """width: of the terminal. Text may be wrapped in it; a number is never shortened."""
        left_out = self._left_out(width)
        table = Table(title=Text(self.title, no_wrap=len(self.title) <= width), box=box.SIMPLE)
        table.title_justify = table.caption_justify = "left"
        table.min_width = min(len(self.title), width)
        if left_out:
            table.caption = f"without {', '.join(left_out)}: a wider terminal, a file and --json have them"
        shown = [index for index, title in enumerate(self.titles) if title not in left_out]
        for index in shown:
            number = self._is_number(index)
            table.add_column(self.titles[index], justify="right" if number else "left", no_wrap=number)
        for row in self.rows:
            table.add_row(*(row[index] for index in shown))
        return table

    def _left_out(self, width: int) -> tuple[str, ...]:
        widths = {
            title: max([len(title), *(len(row[index]) for row in self.rows)]) + CELL_MARGIN
            for index, title in enumerate(self.titles)
        }
        return next(
            (
                self.details[:number]
                for number in range(len(self.details))
                if sum(widths.values()) - sum(widths[title] for title in self.details[:number]) <= width
            ),
            self.details,
        )

    def _is_number(self, index: int) -> bool:
        return self.titles[index].startswith(("low", "high", "times", "USD", "quantity"))


NOT_KNOWN = "not known"


def by_part(estimate: Estimate) -> CostTable:
    rows = [(str(part), *_both(usd)) for part, usd in estimate.parts().items()]
    rows += [(f"in {region}", *_both(usd)) for region, usd in estimate.regions().items()]
    return CostTable(
        title=f"{estimate.environment}: USD a month by part, at prices of {estimate.prices_of}",
        titles=("part", "low", "high"),
        rows=(
            *rows,
            *((one.named or one.of, NOT_KNOWN, NOT_KNOWN) for one in estimate.unpriced),
            ("total of what is known" if estimate.unpriced else "total", *_both(estimate.total)),
        ),
    )


def by_dimension(estimate: Estimate) -> CostTable:
    lines = sorted(estimate.lines, key=lambda line: -line.usd.high)
    return CostTable(
        title=f"Dimensions that may cost {SHOWN_FROM_USD:.0f} USD a month or more",
        titles=("part", "dimension", "of", "region", "quantity", "unit", "low", "high"),
        details=("of", "region", "unit", "quantity"),
        rows=tuple(
            (
                line.part,
                line.item,
                line.named or line.of,
                line.region,
                _amount(line.quantity),
                line.unit,
                *_both(line.usd),
            )
            for line in lines
            if line.usd.high >= SHOWN_FROM_USD
        ),
    )


def billed(moments: Sequence[BilledMoment], click_bytes: int) -> CostTable:
    return CostTable(
        title=f"Billed bytes of a click of {click_bytes} bytes: source stream on demand, raw backup",
        titles=(
            "moment",
            "clicks/s",
            "a record of the web servers",
            "a record of the forwarder",
            "source stream",
            "times its bytes",
            "raw backup",
            "times its bytes",
        ),
        rows=tuple(
            (
                moment.name,
                f"{moment.clicks_per_second:,.0f}",
                _spread(moment.web_waiting, ".0f"),
                _spread(moment.forwarder_waiting, ".0f"),
                _spread(moment.source_bytes, ".0f"),
                _spread(moment.source_bytes * (1 / click_bytes), ".2f"),
                _spread(moment.raw_bytes, ".0f"),
                _spread(moment.raw_bytes * (1 / click_bytes), ".2f"),
            )
            for moment in moments
        ),
    )


def _spread(value: Range, form: str) -> str:
    low, high = f"{value.low:{form}}", f"{value.high:{form}}"
    return low if low == high else f"{low} to {high}"


NOT_CARRIED = "no settings carry it"


def growth(found: Sequence[Cheapest]) -> CostTable:
    return CostTable(
        title="The cheapest settings as the traffic grows, USD a month",
        titles=("times", "low", "high", "USD a million clicks", "streams", "forwarder", "KPUs", "data nodes"),
        details=("forwarder", "streams", "KPUs"),
        rows=(
            *(_grown(one) for one in found),
            *((f"{factor:,}", *("-",) * 6, NOT_CARRIED) for factor in FACTORS[len(found) :]),
        ),
    )


def _grown(one: Cheapest) -> tuple[str, ...]:
    settings = one.settings
    streams, search, forwarder = settings.streams, settings.search, settings.forwarder
    shards = f"{streams.mobile_shards:,} and {streams.source_shards:,} shards"
    lanes = forwarder.parallelization_factor
    node = search.instance_type.removesuffix(".search")
    return (
        f"{one.factor:,}",
        *_both(one.estimate.total),
        _per_million(one),
        shards if streams.mode == "provisioned" else "on demand",
        f"{lanes} lane{'s' if lanes > 1 else ''}, {forwarder.batching_window_seconds} s",
        str(-(-settings.analytics.parallelism // settings.analytics.parallelism_per_kpu)),
        f"{search.instance_count} {node} of {search.volume_gib:,} GiB",
    )


def _per_million(one: Cheapest) -> str:
    """Of a quiet month and of a busy one: the more clicks, the less each costs."""
    peak, usd_a_month = one.settings.peak, one.estimate.total
    millions = peak.clicks_per_second * SECONDS / 1e6
    quiet = usd_a_month.low / (millions * peak.mean_to_peak_min)
    busy = usd_a_month.high / (millions * peak.mean_to_peak_max)
    return f"{min(quiet, busy):.2f} to {max(quiet, busy):.2f}"


def shown(reports: Iterable[CostTable], width: int) -> RenderableType:
    return Group(*(report.table(width) for report in reports))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _both(usd: Range) -> tuple[str, str]:
    return f"{usd.low:,.0f}", f"{usd.high:,.0f}"


def _amount(quantity: Range) -> str:
    low, high = f"{quantity.low:,.0f}", f"{quantity.high:,.0f}"
    return low if low == high else f"{low} to {high}"
