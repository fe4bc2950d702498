"""Adds to CloudWatch in the twin what read progress needs and MiniStack lacks.

- Each GetRecords counts in `GetRecords.Records` of its stream.
- GetMetricData answers `SELECT MAX(metric) FROM "namespace" WHERE dimension = 'value'`, or `MIN`, one in a
  request.
"""

import re
import time
from types import ModuleType
from typing import Any

NEEDED_OF_KINESIS = ("_get_records", "_shard_iterators", "_streams")
NEEDED_OF_CLOUDWATCH = ("_get_metric_data", "_metrics", "_metric_bucket", "_dims_key")
PERIOD_SECONDS = 60
SELECTED = "Twin/Selected"
"""Namespace of query results, from which MiniStack answers."""
_STATISTICS = {"MAX": "Maximum", "MIN": "Minimum"}
_SELECT = re.compile(r"""SELECT (MAX|MIN)\((\w+)\) FROM "([\w/]+)" WHERE (\w+) = '([^']*)'""")


def count_reads(kinesis: ModuleType, cloudwatch: ModuleType) -> None:
    """kinesis, cloudwatch: MiniStack's modules of these names."""
    get_records = kinesis._get_records

    def counted(request: dict[str, Any]) -> Any:
        state = kinesis._shard_iterators.get(request.get("ShardIterator"))
        stream = kinesis._streams.get(state["stream"]) if state else None
        shard = stream["shards"].get(state["shard_id"]) if stream and state else None
        if state and shard:
            waiting = max(len(shard["records"]) - state["position"], 0)
            _add(cloudwatch, state["stream"], min(waiting, request.get("Limit", 10_000)))
        return get_records(request)

    kinesis._get_records = counted  # type: ignore[attr-defined]


def _add(cloudwatch: ModuleType, stream: str, records: int) -> None:
    """To this minute's single point: consumers poll several times a second."""
    dimensions = {"StreamName": stream}
    key = ("AWS/Kinesis", "GetRecords.Records", cloudwatch._dims_key(dimensions))
    points = cloudwatch._metric_bucket(key)
    minute = time.time() // PERIOD_SECONDS * PERIOD_SECONDS
    if points and points[-1]["Timestamp"] == minute:
        points[-1]["Value"] += records
    else:
        points.append(
            {"Timestamp": minute, "Value": float(records), "Unit": "Count", "Dimensions": dimensions}
        )


def answer_queries(cloudwatch: ModuleType) -> None:
    """cloudwatch: MiniStack's module of that name."""
    get_metric_data = cloudwatch._get_metric_data

    def answered(parameters: Any, body: dict[str, Any], *protocol: bool) -> Any:
        queries = body.get("MetricDataQueries", [])
        found = [_SELECT.fullmatch(query.get("Expression", "")) for query in queries]
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
