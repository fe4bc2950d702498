"""Lets CloudWatch in the twin answer `SELECT MAX(metric) FROM "namespace" WHERE dimension = 'value'`, or
`MIN`: one in a GetMetricData request. MiniStack refuses them."""

import re
from types import ModuleType
from typing import Any

NEEDED_OF_CLOUDWATCH = ("_get_metric_data", "_metrics", "_metric_bucket", "_dims_key")
SELECTED = "Twin/Selected"
"""Namespace of query results, from which MiniStack answers."""
_STATISTICS = {"MAX": "Maximum", "MIN": "Minimum"}
SELECT = re.compile(r"""SELECT (MAX|MIN)\((\w+)\) FROM "([\w/]+)" WHERE (\w+) = '([^']*)'""")
"""Its groups: the function, the metric, its namespace, a dimension and that dimension's value."""


def answer_queries(cloudwatch: ModuleType) -> None:
    """cloudwatch: MiniStack's module of that name."""
    get_metric_data = cloudwatch._get_metric_data

    def answered(parameters: Any, body: dict[str, Any], *protocol: bool) -> Any:
        queries = body.get("MetricDataQueries", [])
        found = [SELECT.fullmatch(query.get("Expression", "")) for query in queries]
        if sum(match is not None for match in found) == 1:  # more are refused, as MiniStack refuses all
            queries = [
                _selected(cloudwatch, query, match) if match else query
                for query, match in zip(queries, found, strict=True)
            ]
        return get_metric_data(parameters, {**body, "MetricDataQueries": queries}, *protocol)

    cloudwatch._get_metric_data = answered  # type: ignore[attr-defined]


def _selected(cloudwatch: ModuleType, query: dict[str, Any], match: re.Match[str]) -> dict[str, Any]:
    """The query for a metric that holds the points of all that match."""
    statistic, name, namespace, dimension, value = match.groups()
    points = [
        point
        for (of_namespace, of_name, _), bucket in cloudwatch._metrics.items()
        if (of_namespace, of_name) == (namespace, name)
        for point in bucket
        if point["Dimensions"].get(dimension) == value
    ]
    expression = query["Expression"]
    cloudwatch._metric_bucket((SELECTED, expression, ""))[:] = points
    plain = {key: part for key, part in query.items() if key not in {"Expression", "Period"}}
    metric = {"Namespace": SELECTED, "MetricName": expression, "Dimensions": []}
    stat = {"Metric": metric, "Period": query["Period"], "Stat": _STATISTICS[statistic]}
    return {**plain, "MetricStat": stat}
