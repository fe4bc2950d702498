"""One billed dimension of one resource."""

from dataclasses import dataclass
from typing import Literal, get_args

from operations.cost.range import Range

Part = Literal[
    "streams",
    "transfer",
    "forwarder",
    "application",
    "delivery",
    "search",
    "storage",
    "serving",
    "monitoring",
    "other",
]
PARTS: tuple[Part, ...] = get_args(Part)
"""In the order in which data flows."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """part: of the system; of: the resource's logical id; named: its physical name, where it has one; price:
    its name in prices.toml, empty for nodes; unit: what the price is for; usd: a month."""

    part: Part
    item: str
    of: str
    named: str
    region: str
    price: str = ""
    unit: str
    quantity: Range
    usd: Range
