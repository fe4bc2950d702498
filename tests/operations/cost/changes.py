"""What the tests of the cost change in settings and resources, and read from an estimate."""

from typing import Any

from cloudformation import Resource
from operations.cost.line import Line
from operations.cost.range import Range
from settings import Settings

Resources = tuple[Resource, ...]


def mean_of(settings: Settings, ratio: float) -> Settings:
    """These settings with a known mean: `ratio` of the peak."""
    peak = settings.peak.model_copy(update={"mean_to_peak_min": ratio, "mean_to_peak_max": ratio})
    return settings.model_copy(update={"peak": peak})


def changed(resources: Resources, resource_type: str, **properties: Any) -> Resources:
    return tuple(one.with_properties(**properties) if one.type == resource_type else one for one in resources)


def usd(lines: tuple[Line, ...], item: str, named: str = "") -> Range:
    [line] = [line for line in lines if line.item == item and line.named.endswith(named)]
    return line.usd
