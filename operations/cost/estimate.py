"""The monthly cost of an environment: every resource of its templates, priced with its traffic."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cloudformation import Resource, read_resources
from operations.cost.basis import Basis
from operations.cost.line import PARTS, Line, Part
from operations.cost.prices import PriceError, Prices, UnpricedError, load_prices
from operations.cost.range import NOTHING, Range, total
from operations.cost.types import FREE, PRICED
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
                    "price": line.price,
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


def estimate_resources(resources: Iterable[Resource], settings: Settings, prices: Prices) -> Estimate:
    """As `estimate`, of resources that were read already."""
    basis = Basis.of(resources, settings, prices)
    lines: list[Line] = []
    unpriced: list[Unpriced] = []
    for resource in basis.resources:
        try:
            lines += _priced(resource, basis)
        except UnpricedError as error:
            unpriced.append(
                Unpriced(
                    of=resource.logical_id, named=resource.name or "", region=resource.region, why=str(error)
                )
            )
    return Estimate(
        environment=settings.environment,
        prices_of=prices.date,
        lines=tuple(_sharing_tiers(lines, prices)),
        unpriced=tuple(unpriced),
    )


def _sharing_tiers(lines: Sequence[Line], prices: Prices) -> Iterator[Line]:
    """AWS bills a tier by what an account uses in a region, so the lines of a price pay by their share of it.

    What else the account uses is not known here.
    """
    used: dict[tuple[str, str], Range] = defaultdict(lambda: NOTHING)
    for line in lines:
        used[line.price, line.region] += line.quantity
    for line in lines:
        together = used[line.price, line.region]
        tiers = prices.prices[line.price].rates[line.region] if line.price else ()
        if len(tiers) < 2 or together == line.quantity:
            yield line
            continue
        usd = prices.price(line.price, line.region).usd(together, line.region)
        # The less is used in all, the more a unit costs: what is used exactly costs less at the high end.
        ends = (
            _share(usd.low, line.quantity.low, together.low),
            _share(usd.high, line.quantity.high, together.high),
        )
        yield replace(line, usd=Range(min(ends), max(ends)))


def _share(usd: float, quantity: float, together: float) -> float:
    return usd * quantity / together if together else 0.0


def _priced(resource: Resource, basis: Basis) -> list[Line]:
    """Raises UnpricedError, whatever stands in the template."""
    if resource.type in FREE:
        return []
    if resource.type not in PRICED:
        raise UnpricedError(
            f"Nothing tells what {resource.type} costs: add it to operations/cost/types.py, "
            "priced, or free with the reason"
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
