"""The dated file of prices, prices.toml: rates by region and tier, each with its source."""

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from operations.cost.range import NOTHING, Range

FILE = Path(__file__).parent / "prices.toml"
OLD = timedelta(days=365)
DESCRIBING = {"unit", "source", "note"}


class PriceError(Exception):
    """A price is missing or cannot be used; the message says which and what to do."""


class UnpricedError(Exception):
    """Nothing tells what a resource costs; the message says why, and where to add it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Part):
    """USD a unit, for what is above so many units in a month."""

    above: float = Field(default=0, ge=0)
    low: float = Field(ge=0)
    high: float = Field(ge=0)

    @model_validator(mode="after")
    def _is_a_range(self) -> "Rate":
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) is above high ({self.high})")
        return self


class Price(_Part):
    unit: str
    source: tuple[str, ...] = Field(min_length=1)
    note: str = ""
    rates: dict[str, tuple[Rate, ...]]

    @model_validator(mode="after")
    def _tiers_are_in_order(self) -> "Price":
        for region, rates in self.rates.items():
            begins = [rate.above for rate in rates]
            if not begins or begins[0] != 0 or begins != sorted(set(begins)):
                raise ValueError(f"tiers in {region} must begin at 0 and rise: {begins}")
        return self

    def usd(self, quantity: Range, region: str) -> Range:
        """Of a month, tier by tier. The low price of the low quantity, the high of the high."""
        rates = self.rates[region]
        ends = [*(rate.above for rate in rates[1:]), float("inf")]
        spent = NOTHING
        for rate, end in zip(rates, ends, strict=True):
            low = max(0.0, min(quantity.low, end) - rate.above)
            high = max(0.0, min(quantity.high, end) - rate.above)
            spent += Range(low * rate.low, high * rate.high)
        return spent


class Node(_Part):
    """A type of data node of OpenSearch Service."""

    vcpus: int
    gib: int
    usd_hour: float = Field(gt=0)


class Source(_Part):
    """kind: as prices.toml explains; url: where to look the price up; date: of the price, or of the day on
    which it was read where nobody tells that."""

    kind: Literal["primary", "secondary", "unverified"]
    url: str = Field(pattern=r"^https://[^/ ]+\.[^ ]+$")
    date: date
    says: str = ""


class Prices(_Part):
    """date: when they were gathered."""

    date: date
    prices: dict[str, Price]
    opensearch_nodes: dict[str, Node]
    sources: dict[str, Source]

    @model_validator(mode="after")
    def _sources_are_told(self) -> "Prices":
        for name, price in self.prices.items():
            if unknown := set(price.source) - self.sources.keys():
                raise ValueError(f"{name}: [sources] does not tell {', '.join(sorted(unknown))}")
        return self

    def price(self, name: str, region: str) -> Price:
        """Raises PriceError where there is none for the region."""
        price = self.prices.get(name)
        if price is None or region not in price.rates:
            raise PriceError(
                f"operations/cost/prices.toml has no price of {name} in {region}: add it with its unit "
                "and source"
            )
        return price

    def node(self, instance_type: str) -> Node:
        """Raises PriceError where there is no price of the type."""
        node = self.opensearch_nodes.get(instance_type)
        if node is None:
            raise PriceError(
                f"operations/cost/prices.toml has no price of the OpenSearch node {instance_type}: add it to "
                f"[opensearch_nodes], or use one of {', '.join(self.opensearch_nodes)}"
            )
        return node


def load_prices(path: Path = FILE) -> Prices:
    """Raises PriceError with the file and what is wrong in it."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return Prices(
            date=tables.pop("date", None),
            opensearch_nodes=tables.pop("opensearch_nodes", {}),
            sources=tables.pop("sources", {}),
            prices={name: _price(table) for name, table in tables.items()},
        )
    except (tomllib.TOMLDecodeError, ValidationError, AttributeError) as error:
        raise PriceError(f"{path.name} cannot be used: {error}") from error


def old_prices(prices: Prices, today: date) -> str:
    """What to know about prices that may have changed since; empty where none is old."""
    told = [f"they were gathered on {prices.date}"] if today - prices.date > OLD else []
    told += [
        f"{name} is of {source.date}"
        for name, source in sorted(prices.sources.items())
        if today - source.date > OLD
    ]
    if not told:
        return ""
    return (
        f"Some prices are older than {OLD.days} days, and AWS may have changed them: {'; '.join(told)}. "
        "operations/cost/prices.toml says how to bring them up to date."
    )


def _price(table: dict[str, Any]) -> Price:
    described = {key: value for key, value in table.items() if key in DESCRIBING}
    return Price(**described, rates={key: value for key, value in table.items() if key not in DESCRIBING})
