"""The evaluator against the rules, with a clock and metrics of the test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from twin.alarms.evaluator import Dimensions, Sent, datapoints, evaluate, read_alarm
from twin.alarms.missing_data import State

NOW = 1_000_020.0  # a minute's beginning
STREAM = [{"Name": "StreamName", "Value": "source"}]


@dataclass
class Remembered:
    held: dict[tuple[str, str, Dimensions], list[Sent]] = field(default_factory=dict)

    def put(self, name: str, at: float, *values: float, **dimensions: str) -> None:
        key = ("Some", name, frozenset(dimensions.items()))
        self.held.setdefault(key, []).extend(Sent(at, 1, value, value, value) for value in values)

    def sent(self, namespace: str, name: str, since: float) -> Iterable[tuple[Dimensions, Sequence[Sent]]]:
        for (of, named, dimensions), points in self.held.items():
            if (of, named) == (namespace, name):
                yield dimensions, [point for point in points if point.at >= since]


def _alarm(**others: Any) -> dict[str, Any]:
    return {
        "AlarmName": "alarm",
        "Namespace": "Some",
        "MetricName": "metric",
        "Dimensions": STREAM,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 10,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **others,
    }


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("Sum", 6.0), ("Average", 2.0), ("Maximum", 3.0), ("Minimum", 1.0), ("SampleCount", 3.0)],
)
def test_a_datapoint_is_the_statistic_of_what_was_sent_in_its_period(statistic: str, value: float) -> None:
    metrics = Remembered()
    metrics.put("metric", NOW - 60, 1, 2, StreamName="source")
    metrics.put("metric", NOW - 0.1, 3, StreamName="source")
    metrics.put("metric", NOW, 100, StreamName="source")
    found = datapoints(read_alarm(_alarm(Statistic=statistic)), metrics, NOW)
    assert found == [None, None, None, None, value]


def test_only_a_metric_of_exactly_the_dimensions_counts() -> None:
    metrics = Remembered()
    metrics.put("metric", NOW - 1, 50, StreamName="another")
    metrics.put("metric", NOW - 1, 50, StreamName="source", ShardId="0")
    metrics.put("metric", NOW - 1, 50)
    assert set(datapoints(read_alarm(_alarm()), metrics, NOW)) == {None}


def test_a_query_takes_the_worst_of_all_metrics_with_its_dimension() -> None:
    expression = "SELECT MAX(metric) FROM \"Some\" WHERE StreamName = 'source'"
    alarm = _alarm(Metrics=[{"Id": "q", "Expression": expression, "Period": 60, "ReturnData": True}])
    metrics = Remembered()
    metrics.put("metric", NOW - 1, 1, StreamName="source", ShardId="0")
    metrics.put("metric", NOW - 1, 7, StreamName="source", ShardId="1")
    metrics.put("metric", NOW - 1, 99, StreamName="another")
    assert datapoints(read_alarm(alarm), metrics, NOW)[-1] == 7


def test_an_expression_takes_its_metrics_in_their_period() -> None:
    stat = {"Metric": {"Namespace": "Some", "MetricName": "sent"}, "Period": 300, "Stat": "Sum"}
    taken = {**stat, "Metric": {"Namespace": "Some", "MetricName": "taken"}}
    math = "IF(FILL(sent, 0) > 0 AND FILL(taken, 0) == 0, 1, 0)"
    queries = [
        {"Id": "e", "Expression": math, "ReturnData": True},
        {"Id": "sent", "MetricStat": stat, "ReturnData": False},
        {"Id": "taken", "MetricStat": taken, "ReturnData": False},
    ]
    alarm = read_alarm(_alarm(Metrics=queries, EvaluationPeriods=2, Threshold=0))
    metrics = Remembered()
    for minutes in (2, 8):
        metrics.put("sent", NOW - minutes * 60, 5)
    assert datapoints(alarm, metrics, NOW) == [0, 0, 1, 1]
    assert evaluate(alarm, metrics, NOW, State.OK).state is State.ALARM
    metrics.put("taken", NOW - 60, 1)
    assert evaluate(alarm, metrics, NOW, State.ALARM).state is State.OK


def test_two_of_three_datapoints_beyond_the_threshold_make_alarm() -> None:
    metrics = Remembered()
    alarm = read_alarm(_alarm())
    metrics.put("metric", NOW - 30, 11, StreamName="source")
    metrics.put("metric", NOW - 90, 10, StreamName="source")
    assert evaluate(alarm, metrics, NOW, State.OK).state is State.OK
    metrics.put("metric", NOW - 150, 11, StreamName="source")
    evaluation = evaluate(alarm, metrics, NOW, State.OK)
    assert evaluation.state is State.ALARM
    assert evaluation.reason.endswith("the newest last: 11, 10, 11")
    assert evaluate(alarm, metrics, NOW + 60, State.ALARM).state is State.ALARM
    assert evaluate(alarm, metrics, NOW + 180, State.ALARM).state is State.OK


@pytest.mark.parametrize(
    "others",
    [
        {"ExtendedStatistic": "p95"},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"Metrics": [{"Id": "q", "Expression": "SELECT AVG(a) FROM b", "Period": 60}]},
    ],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(others: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the twin does not"):
        read_alarm(_alarm(**others))
