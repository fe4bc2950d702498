"""Figures of a revision that a reviewer compares: cost, latency, headroom.

Both revisions' are computed by this tree's code, so that a difference is one of the environment and not of
the
formula.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cloudformation import AssemblyError
from operations.cost.estimate import Estimate, estimate
from operations.cost.prices import PriceError
from operations.cost.range import Range
from operations.cost.report import NOT_KNOWN
from operations.review import headroom
from operations.review.findings import Finding, Kind
from settings import latency
from settings.environment import Settings

COST = "Monthly cost in USD, low to high"
TOTAL = "total"
_WORTH_SAYING = 0.01
"""A share of the cost: less is noise of the estimate."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """tables: title -> what -> value as shown; usd: the month's total; cost_problem: why it is not known;
    worst_seconds: from a click until a
    search finds it, by producer; served_seconds: until the service shows it. What is not known is left
    out."""

    tables: Mapping[str, Mapping[str, str]]
    usd: Range | None = None
    cost_problem: str = ""
    worst_seconds: Mapping[str, float] | None = None
    served_seconds: Mapping[str, float] | None = None


NONE = Figures(tables={})


def figures(assembly: Path, raw_settings: Mapping[str, Any]) -> Figures:
    """Of an environment; NONE where the settings of an older revision do not fit this tree's model any more.

    assembly: the folder that synthesis wrote.
    """
    try:
        settings = Settings.model_validate(raw_settings)
    except ValidationError:
        return NONE
    budgets = latency.budget(settings)
    usd, costs, cost_problem = _cost(assembly, settings)
    return Figures(
        tables={
            COST: costs,
            "Seconds from a click until it is visible, and until the service shows it, typical to worst": {
                f"{budget.producer}, {stage}": f"{seconds.typical:.1f} to {seconds.worst:.1f}"
                for budget in budgets
                for stage, seconds in (("visible", budget.visible), ("served", budget.served))
            },
            "Head-room, times the declared peak": {
                hop: headroom.shown(times) for hop, times in headroom.headroom(settings).items()
            },
        },
        usd=usd,
        cost_problem=cost_problem,
        worst_seconds={budget.producer: budget.visible.worst for budget in budgets},
        served_seconds={budget.producer: budget.served.worst for budget in budgets},
    )


def _cost(assembly: Path, settings: Settings) -> tuple[Range | None, dict[str, str], str]:
    try:
        estimated: Estimate = estimate(assembly, settings)
    except (AssemblyError, PriceError) as error:
        return None, {}, str(error)
    parts = {str(part): _usd(usd) for part, usd in estimated.parts().items()}
    if not estimated.unpriced:
        return estimated.total, {**parts, TOTAL: _usd(estimated.total)}, ""
    unknown = {one.named or one.of: NOT_KNOWN for one in estimated.unpriced}
    problem = "; ".join(dict.fromkeys(one.why for one in estimated.unpriced))
    return None, {**parts, **unknown, TOTAL: NOT_KNOWN}, problem


def _usd(usd: Range) -> str:
    return f"{usd.low:,.0f} to {usd.high:,.0f}"


def differing(old: Figures, new: Figures) -> dict[str, list[tuple[str, str, str]]]:
    """Table -> (what, before, after) of the rows that differ, where the new values are known."""
    return {
        f"{title}, of what is known" if NOT_KNOWN in table.values() else title: rows
        for title, table in new.tables.items()
        if table and (rows := list(_rows(old.tables.get(title, {}), table)))
    }


def _rows(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for what in dict.fromkeys([*new, *old]):
        if old.get(what) != new.get(what):
            yield what, old.get(what, "—"), new.get(what, "—")


def cost_change(old: Figures, new: Figures) -> str | None:
    """`cost +12 %`, of the middle between low and high; None where it is the same or not known."""
    if old.usd is None or new.usd is None or not old.usd.middle:
        return None
    share = new.usd.middle / old.usd.middle - 1
    return f"Cost {share:+.0%}".replace("%", " %") if abs(share) >= _WORTH_SAYING else None


def figure_findings(old: Figures, new: Figures, *, existed: bool = True) -> Iterator[Finding]:
    """existed: whether the environment was there before."""
    if new.cost_problem:
        yield Finding(kind=Kind.NOT_UNDERSTOOD, text=f"The monthly cost is not known: {new.cost_problem}")
    if (said := cost_change(old, new)) and old.usd and new.usd:
        yield Finding(kind=Kind.COST, text=f"{said}: {_usd(old.usd)} → {_usd(new.usd)} USD a month.")
    told: dict[str, float] = {}
    for before, after, what in (
        (old.worst_seconds, new.worst_seconds, "become visible"),
        (old.served_seconds, new.served_seconds, "reach the service"),
    ):
        for producer, seconds in (after or {}).items():
            was = (before or {}).get(producer, seconds)
            later = seconds - was
            if later > told.get(producer, 0) + 0.05:  # the second is said where more than the first is later
                told[producer] = later
                yield Finding(
                    kind=Kind.LATENCY,
                    text=f"**Clicks from {producer} {what} later**: at worst {seconds:.1f} s after the click "
                    f"instead of {was:.1f} s.",
                )
    if existed and new.tables and not old.tables:
        yield Finding(
            kind=Kind.NOT_UNDERSTOOD,
            text="Cost, latency and headroom before are not known: the settings of the base do not fit this "
            "tree's model any more.",
        )
