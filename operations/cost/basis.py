"""What a resource is priced with: the prices, the traffic, and the other resources."""

from collections.abc import Iterable
from dataclasses import dataclass

from cloudformation import Resource, of_type
from operations.cost.assumptions import REJECTED_SHARE, SECONDS
from operations.cost.line import Line, Part
from operations.cost.prices import Prices, UnpricedError
from operations.cost.range import Range, exactly
from settings import Settings
from settings.capacity import shards_to_write
from settings.packing import mobile_records

ON_DEMAND_SHARDS = 4
"""Of a new on-demand stream: Kinesis Data Streams developer guide, "Choose the data stream capacity mode"."""


@dataclass(frozen=True, kw_only=True)
class MeanTraffic:
    """Means a second over a month. click_bytes: of one click."""

    shares: Range
    clicks: Range
    mobile_clicks: Range
    counts: Range
    rejects: Range
    click_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> "MeanTraffic":
        peak = settings.peak
        mean = Range(peak.mean_to_peak_min, peak.mean_to_peak_max)
        clicks = mean * peak.clicks_per_second
        return cls(
            shares=mean,
            clicks=clicks,
            mobile_clicks=mean * peak.mobile_clicks_per_second,
            counts=mean * peak.counts_per_second,
            rejects=clicks * REJECTED_SHARE,
            click_bytes=peak.click_bytes,
        )


@dataclass(frozen=True, kw_only=True)
class Basis:
    settings: Settings
    traffic: MeanTraffic
    prices: Prices
    resources: tuple[Resource, ...]

    @classmethod
    def of(cls, resources: Iterable[Resource], settings: Settings, prices: Prices) -> "Basis":
        return cls(
            settings=settings,
            traffic=MeanTraffic.of(settings),
            prices=prices,
            resources=tuple(resources),
        )

    def line(
        self,
        resource: Resource,
        price: str,
        quantity: Range,
        *,
        part: Part,
        item: str,
        region: str | None = None,
    ) -> Line:
        """Raises PriceError. region: where it is billed, if not where the resource is."""
        where = region or resource.region
        found = self.prices.price(price, where)
        return Line(
            part=part,
            item=item,
            of=resource.logical_id,
            named=resource.name or "",
            region=where,
            price=price,
            unit=found.unit,
            quantity=quantity,
            usd=found.usd(quantity, where),
        )

    def mobile_shards(self) -> Range:
        """Of the stream that the forwarder reads; on demand it grows with twice the peak."""
        for stream in of_type(self.resources, "AWS::Kinesis::Stream"):
            if stream.properties.get("Name") == self.settings.names.mobile_stream:
                if stream.at("ShardCount"):
                    return exactly(number(stream, "ShardCount"))
                grown = shards_to_write(mobile_records(self.settings.peak))
                return Range(ON_DEMAND_SHARDS, max(ON_DEMAND_SHARDS, grown))
        raise UnpricedError("No template has the mobile stream: cost.estimate needs all stacks")


def number(resource: Resource, path: str, otherwise: float | None = None) -> float:
    """The number at `A.B`, or what AWS takes where it is left out. Raises UnpricedError."""
    value = resource.at(path)
    if value is None and otherwise is not None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float):
        said = "left out" if value is None else f"no number: {value}"
        raise UnpricedError(f"{resource.type} {resource.name or resource.logical_id}: `{path}` is {said}")
    return value


def only(found: list[Resource], what: str) -> Resource:
    """The one there is; raises UnpricedError."""
    if len(found) != 1:
        raise UnpricedError(f"There are {len(found)} times the {what}, and the estimate expects one")
    return found[0]


def monthly(per_second: Range) -> Range:
    return per_second * SECONDS
