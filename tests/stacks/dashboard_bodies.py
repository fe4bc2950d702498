"""Dashboards and alarms of synthesised templates, taken apart."""

from collections.abc import Iterator
from typing import Any

import pytest

from names import OREGON, TOKYO, Names

Body = dict[str, Any]
Widget = dict[str, Any]

NAMES = Names(environment="production", account="111111111111")
REGIONS = {"Tokyo": TOKYO, "Oregon": OREGON}
PLACES = pytest.mark.parametrize("place", REGIONS)
DEFAULT_PERIOD = 300
"""Seconds; of a graph that says none (CloudWatch API reference, "Dashboard Body Structure and Syntax")."""


def text(value: Any) -> str:
    """With a reference to a resource of the same template as `<its logical id>`."""
    if isinstance(value, str):
        return value
    [(function, argument)] = value.items()
    if function == "Ref":
        return f"<{argument}>"
    assert function == "Fn::Join", f"the body has {function}, which another stack must export"
    return "".join(text(part) for part in argument[1])


def resources_in(templates: dict[str, Any], place: str) -> dict[str, dict[str, Any]]:
    """By logical id, of both stacks of a region."""
    return {
        logical_id: resource
        for stack, template in templates.items()
        if stack.startswith(place)
        for logical_id, resource in template["Resources"].items()
    }


def properties_of(templates: dict[str, Any], place: str, kind: str) -> list[dict[str, Any]]:
    return [found["Properties"] for found in resources_in(templates, place).values() if found["Type"] == kind]


def widgets(body: Body, kind: str) -> list[Widget]:
    return [widget["properties"] for widget in body["widgets"] if widget["type"] == kind]


def shown(widget: Widget) -> Iterator[dict[str, Any]]:
    """Each metric of a widget: its options, and `of` it namespace, name and dimensions."""
    for entry in widget["metrics"]:
        *of, options = entry if isinstance(entry[-1], dict) else [*entry, {}]
        yield {**options, "of": tuple(of)}


def compared(alarm: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What an alarm compares: (metric or expression, statistic, period), sorted."""
    if "MetricName" in alarm:
        return [(_named(alarm), alarm["Statistic"], alarm["Period"])]
    [period] = {one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one} or {60}
    return sorted(
        (_named(one["MetricStat"]["Metric"]), one["MetricStat"]["Stat"], one["MetricStat"]["Period"])
        if "MetricStat" in one
        else ((one["Expression"],), None, period)
        for one in alarm["Metrics"]
    )


def _named(found: dict[str, Any]) -> tuple[str, ...]:
    """As a dashboard writes a metric. The order of dimensions means nothing."""
    dimensions = sorted((one["Name"], text(one["Value"])) for one in found["Dimensions"])
    return (found["Namespace"], found["MetricName"], *(part for pair in dimensions for part in pair))


def drawn(widget: Widget) -> list[tuple[Any, ...]]:
    """The same of a graph."""
    return sorted(
        ((one["expression"],), None, one.get("period", DEFAULT_PERIOD))
        if "expression" in one
        else (
            (*one["of"][:2], *(part for pair in sorted(pairs(one["of"][2:])) for part in pair)),
            one.get("stat", "Average"),  # what CloudWatch takes where nothing is said
            one.get("period", DEFAULT_PERIOD),
        )
        for one in shown(widget)
    )


def pairs(flat: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
