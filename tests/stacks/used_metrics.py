"""The metrics of synthesised alarms and dashboards, with metric math and Metrics Insights taken apart."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from lambdas.shared.metrics import SERVICE_DIMENSION
from tests.stacks.dashboard_bodies import (
    DEFAULT_PERIOD,
    REGIONS,
    Body,
    pairs,
    properties_of,
    shown,
    text,
    widgets,
)
from twin.alarms.catalogue import CataloguedMetric, catalogued

QUERY = re.compile(r"SELECT (MAX|MIN)\((\w+)\) FROM \"([\w/]+)\" WHERE (\w+) = '([^']+)'")
MATH_FUNCTIONS = {"IF", "FILL", "DIFF"}
"""Of metric math, those in use (CloudWatch user guide, "Math expressions with metrics")."""


@dataclass(frozen=True, kw_only=True)
class UsedMetric:
    """As it stands in a template. used_by: the alarm or the graph; region: where it is emitted; statistic,
    period (seconds): also of a query."""

    used_by: str
    region: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int
    queried: bool = False

    @property
    def place(self) -> str:
        [place] = [place for place, region in REGIONS.items() if region == self.region]
        return place

    @property
    def row(self) -> CataloguedMetric:
        """Raises UnknownMetricError."""
        function = self.dimensions.get(SERVICE_DIMENSION)
        of = re.sub(r"^click-trends-.+?-(?=[a-z-]+$)", "", function) if function else None
        return catalogued(self.namespace, self.name, function=of and of.replace("-", "_"))


@dataclass(frozen=True, kw_only=True)
class MathUsed:
    """An expression over what has these ids, and the periods of the metrics among them."""

    used_by: str
    expression: str
    ids: frozenset[str]
    periods: frozenset[int]

    @property
    def calls(self) -> set[str]:
        """Functions."""
        return {each.func.id for each in _calls(self._tree)}

    @property
    def names(self) -> set[str]:
        """Ids of what it calculates with."""
        return _names(self._tree) - self.calls

    @property
    def bare(self) -> set[str]:
        """Ids that somewhere stand outside FILL: without their value there is no result."""
        tree = self._tree
        for call in _calls(tree):
            if call.func.id == "FILL":
                call.args = call.args[1:]
        return _names(tree) - self.calls

    @property
    def _tree(self) -> ast.AST:
        return ast.parse(self.expression.replace(" AND ", " and ").replace(" OR ", " or "), mode="eval")


class _NamedCall(Protocol):
    func: ast.Name
    args: list[ast.expr]


def _calls(tree: ast.AST) -> list[_NamedCall]:
    return [cast(_NamedCall, node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def on_dashboards(bodies: Mapping[str, Body]) -> Iterator[UsedMetric | MathUsed]:
    for body in bodies.values():
        for widget in widgets(body, "metric"):
            yield from _on_widget(widget)


def _on_widget(widget: dict[str, Any]) -> Iterator[UsedMetric | MathUsed]:
    lines, title = list(shown(widget)), f"the graph {widget.get('title')}"
    for one in lines:
        region, period = str(one.get("region", widget["region"])), one.get("period", DEFAULT_PERIOD)
        if "expression" not in one:
            namespace, name, *flat = one["of"]
            yield UsedMetric(
                used_by=title,
                region=region,
                namespace=namespace,
                name=name,
                dimensions=dict(pairs(tuple(flat))),
                statistic=one.get("stat", "Average"),  # what CloudWatch takes where nothing is said
                period=period,
            )
        elif one["expression"].startswith("SELECT"):
            yield _queried(title, region, one["expression"], period)
        else:
            yield MathUsed(
                used_by=title,
                expression=one["expression"],
                ids=frozenset(other["id"] for other in lines if "id" in other and other is not one),
                periods=frozenset(
                    other.get("period", DEFAULT_PERIOD)
                    for other in lines
                    if "id" in other and "expression" not in other
                ),
            )


def in_alarms(templates: dict[str, Any]) -> Iterator[UsedMetric | MathUsed]:
    for place, region in REGIONS.items():
        for alarm in properties_of(templates, place, "AWS::CloudWatch::Alarm"):
            yield from in_alarm(alarm, region)


def in_alarm(alarm: dict[str, Any], region: str) -> Iterator[UsedMetric | MathUsed]:
    name = alarm["AlarmName"]
    if "MetricName" in alarm:
        yield _measured(name, region, alarm, alarm["Statistic"], alarm["Period"])
    queries = alarm.get("Metrics", [])
    stats = [one["MetricStat"] for one in queries if "MetricStat" in one]
    for stat in stats:
        yield _measured(name, region, stat["Metric"], stat["Stat"], stat["Period"])
    for one in queries:
        if "Expression" not in one:
            continue
        if one["Expression"].startswith("SELECT"):
            yield _queried(name, region, one["Expression"], one["Period"])
        else:
            yield MathUsed(
                used_by=name,
                expression=one["Expression"],
                ids=frozenset(other["Id"] for other in queries if other is not one),
                periods=frozenset(stat["Period"] for stat in stats),
            )


def _measured(
    used_by: str, region: str, metric: Mapping[str, Any], statistic: str, period: int
) -> UsedMetric:
    return UsedMetric(
        used_by=used_by,
        region=region,
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions={one["Name"]: text(one["Value"]) for one in metric["Dimensions"]},
        statistic=statistic,
        period=period,
    )


def _queried(used_by: str, region: str, expression: str, period: int) -> UsedMetric:
    found = QUERY.fullmatch(expression)
    assert found, f"{used_by}: not understood: {expression}"
    worst, name, namespace, dimension, value = found.groups()
    return UsedMetric(
        used_by=used_by,
        region=region,
        namespace=namespace,
        name=name,
        dimensions={dimension: value},
        statistic={"MAX": "Maximum", "MIN": "Minimum"}[worst],
        period=period,
        queried=True,
    )
