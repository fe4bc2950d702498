"""The monthly cost of an environment: every resource of its templates, priced with its traffic."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cost.basis import Basis, MeanTraffic
from cost.line import PARTS, Line, Part
from cost.prices import PriceError, Prices, load_prices
from cost.range import Range, total
from cost.template import TemplateResource, read_resources
from cost.types import FREE, PRICED
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """lines: every billed dimension; prices_of: the day of the prices."""

    environment: str
    prices_of: date
    lines: tuple[Line, ...]

    @property
    def total(self) -> Range:
        return total([line.usd for line in self.lines])

    def parts(self) -> dict[Part, Range]:
        """USD a month by part, in the order in which data flows; parts without a line are left out."""
        return {
            part: total([line.usd for line in self.lines if line.part == part])
            for part in PARTS
            if any(line.part == part for line in self.lines)
        }

    def regions(self) -> dict[str, Range]:
        regions = sorted({line.region for line in self.lines})
        return {
            region: total([line.usd for line in self.lines if line.region == region]) for region in regions
        }

    def as_json(self) -> dict[str, Any]:
        """For programs: plain numbers, USD a month."""
        return {
            "environment": self.environment,
            "prices_of": self.prices_of.isoformat(),
            "currency": "USD",
            "period": "month",
            "total": _plain(self.total),
            "parts": {part: _plain(usd) for part, usd in self.parts().items()},
            "regions": {region: _plain(usd) for region, usd in self.regions().items()},
            "lines": [
                {
                    "part": line.part,
                    "item": line.item,
                    "of": line.of,
                    "named": line.named,
                    "region": line.region,
                    "unit": line.unit,
                    "quantity": _plain(line.quantity),
                    "usd": _plain(line.usd),
                }
                for line in self.lines
            ],
        }


def estimate(assembly: Path, settings: Settings, prices: Prices | None = None) -> Estimate:
    """assembly: a cloud assembly (cdk.out) of the environment whose settings these are.

    Raises AssemblyError, PriceError where a type or a dimension has no price, and UnknownFlowError where
    nothing tells how much flows through a resource.
    """
    return estimate_resources(read_resources(assembly), settings, prices or load_prices())


def estimate_resources(resources: Iterable[TemplateResource], settings: Settings, prices: Prices) -> Estimate:
    """As `estimate`, of resources that were read already."""
    basis = Basis(
        settings=settings, traffic=MeanTraffic.of(settings), prices=prices, resources=tuple(resources)
    )
    if unknown := sorted({resource.type for resource in basis.resources} - PRICED.keys() - FREE.keys()):
        raise PriceError(
            f"Nothing tells what {', '.join(unknown)} costs: add it to cost/types.py, priced, or free "
            "with the reason"
        )
    return Estimate(
        environment=settings.environment,
        prices_of=prices.date,
        lines=tuple(
            line
            for resource in basis.resources
            if resource.type in PRICED
            for line in PRICED[resource.type](resource, basis)
        ),
    )


def _plain(value: Range) -> dict[str, float]:
    return {"low": round(value.low, 6), "high": round(value.high, 6)}
