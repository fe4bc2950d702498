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
from cost.template import TemplateResource, UnpricedError, read_resources
from cost.types import FREE, PRICED
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class Unpriced:
    """A resource whose cost is not known. of: its logical id; named: its physical name; why: a sentence."""

    of: str
    named: str
    region: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """lines: every billed dimension; prices_of: the day of the prices."""

    environment: str
    prices_of: date
    lines: tuple[Line, ...]
    unpriced: tuple[Unpriced, ...] = ()

    @property
    def total(self) -> Range:
        """Of what is known."""
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
            "total": None if self.unpriced else _plain(self.total),
            "not_known": [vars(one) for one in self.unpriced],
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

    Raises AssemblyError, and PriceError where the file of prices cannot be used.
    """
    return estimate_resources(read_resources(assembly), settings, prices or load_prices())


def estimate_resources(resources: Iterable[TemplateResource], settings: Settings, prices: Prices) -> Estimate:
    """As `estimate`, of resources that were read already."""
    basis = Basis(
        settings=settings, traffic=MeanTraffic.of(settings), prices=prices, resources=tuple(resources)
    )
    lines: list[Line] = []
    unpriced: list[Unpriced] = []
    for resource in basis.resources:
        try:
            lines += _priced(resource, basis)
        except UnpricedError as error:
            unpriced.append(
                Unpriced(of=resource.logical_id, named=resource.name, region=resource.region, why=str(error))
            )
    return Estimate(
        environment=settings.environment,
        prices_of=prices.date,
        lines=tuple(lines),
        unpriced=tuple(unpriced),
    )


def _priced(resource: TemplateResource, basis: Basis) -> list[Line]:
    """Raises UnpricedError, whatever stands in the template."""
    if resource.type in FREE:
        return []
    if resource.type not in PRICED:
        raise UnpricedError(
            f"Nothing tells what {resource.type} costs: add it to cost/types.py, priced, or free with the "
            "reason"
        )
    try:
        return list(PRICED[resource.type](resource, basis))
    except PriceError as error:
        raise UnpricedError(str(error)) from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnpricedError(
            f"{resource.type} {resource.name or resource.logical_id} is written in a way that the estimate "
            f"does not know ({type(error).__name__}: {error})"
        ) from error


def _plain(value: Range) -> dict[str, float]:
    return {"low": round(value.low, 6), "high": round(value.high, 6)}
