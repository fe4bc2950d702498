"""Every metric of an alarm or a graph is documented, or one of ours, and comes from what is deployed."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from operations.metrics_page import LAMBDAS, metrics_in
from stacks.monitoring.alarm import AlarmDefinition
from tests.conftest import PROJECT
from tests.stacks.dashboard_bodies import (
    DEFAULT_PERIOD,
    NAMES,
    PLACES,
    REGIONS,
    Body,
    pairs,
    properties_of,
    resources_in,
    shown,
    text,
    widgets,
)
from tests.stacks.documented_metrics import METRICS

GAUGES = PROJECT / "connectors/src/main/java/clicktrends/reference/VersionedReferenceLookup.java"
QUERY = re.compile(r"SELECT (MAX|MIN)\((.+)\) FROM \"(.+)\" WHERE (\w+) = '(.+)'")
MAX_LOOK_BACK_SECONDS = 24 * 60 * 60
"""Periods times their length, of an alarm (CloudWatch API reference, PutMetricAlarm, EvaluationPeriods)."""
UNITS = {"Seconds": "s", "Milliseconds": "ms", "Percent": "%", "Megabytes": "MiB"}

EMITTED_BY = {
    ("AWS/Kinesis", "StreamName"): ("AWS::Kinesis::Stream", "Name"),
    ("AWS/Firehose", "DeliveryStreamName"): ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
    ("AWS/Lambda", "FunctionName"): ("AWS::Lambda::Function", "FunctionName"),
    (NAMESPACE, SERVICE_DIMENSION): ("AWS::Lambda::Function", "FunctionName"),
    ("AWS/SQS", "QueueName"): ("AWS::SQS::Queue", "QueueName"),
    ("AWS/DynamoDB", "TableName"): ("AWS::DynamoDB::Table", "TableName"),
    ("AWS/ES", "DomainName"): ("AWS::OpenSearchService::Domain", "DomainName"),
    ("AWS/KinesisAnalytics", "Application"): ("AWS::KinesisAnalyticsV2::Application", "ApplicationName"),
}
"""(namespace, dimension) -> resource type whose metric it is, and the property that is the value."""


class Metric(NamedTuple):
    """As it stands in a template. region: where it is emitted; statistic, period: also of a query."""

    region: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int

    @property
    def place(self) -> str:
        [place] = [place for place, region in REGIONS.items() if region == self.region]
        return place


def on_dashboards(bodies: Mapping[str, Body]) -> Iterator[Metric]:
    for body in bodies.values():
        for widget in widgets(body, "metric"):
            for one in shown(widget):
                region = str(one.get("region", widget["region"]))
                if "expression" not in one:
                    namespace, name, *flat = one["of"]
                    period = one.get("period", DEFAULT_PERIOD)
                    yield Metric(
                        region, namespace, name, dict(pairs(tuple(flat))), one.get("stat", "Average"), period
                    )
                elif one["expression"].startswith("SELECT"):
                    yield _queried(region, one["expression"], one.get("period", DEFAULT_PERIOD))


def in_alarms(templates: dict[str, Any]) -> Iterator[Metric]:
    for place, region in REGIONS.items():
        for alarm in properties_of(templates, place, "AWS::CloudWatch::Alarm"):
            stats = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
            for stat in stats:
                yield _measured(region, stat["Metric"], stat["Stat"], stat["Period"])
            if "MetricName" in alarm:
                yield _measured(region, alarm, alarm["Statistic"], alarm["Period"])
            elif not stats:
                yield _queried(region, alarm["Metrics"][0]["Expression"], alarm["Metrics"][0]["Period"])


def _measured(region: str, metric: Mapping[str, Any], statistic: str, period: int) -> Metric:
    dimensions = {one["Name"]: text(one["Value"]) for one in metric["Dimensions"]}
    return Metric(region, metric["Namespace"], metric["MetricName"], dimensions, statistic, period)


def _queried(region: str, expression: str, period: int) -> Metric:
    found = QUERY.fullmatch(expression)
    assert found, f"not understood: {expression}"
    worst, name, namespace, dimension, value = found.groups()
    statistic = {"MAX": "Maximum", "MIN": "Minimum"}[worst]
    return Metric(region, namespace, name, {dimension: value}, statistic, period)


@pytest.fixture(scope="module")
def metrics(templates: dict[str, Any], bodies: dict[str, Body]) -> list[Metric]:
    return [*on_dashboards(bodies), *in_alarms(templates)]


def our_own(service: str) -> set[str]:
    return {name for name, _ in metrics_in(LAMBDAS / service.removeprefix(f"{NAMES.prefix}-") / "metrics.py")}


def our_gauges(source: Path = GAUGES) -> set[str]:
    """Of the join's table; a Flink application's own metrics go to the namespace of the service's."""
    return {f"segments{what}" for what in re.findall(r'gauge\(metrics, "(\w+)"', source.read_text())}


def test_every_metric_is_documented_with_its_dimensions_and_statistic(metrics: list[Metric]) -> None:
    assert len(metrics) > 80
    for metric in metrics:
        if metric.namespace == NAMESPACE:
            assert metric.name in our_own(metric.dimensions[SERVICE_DIMENSION]), metric
        elif metric.name.startswith("segments"):
            assert metric.name in our_gauges(), metric
        else:
            documented = METRICS[metric.namespace].get(metric.name)
            assert documented, f"{metric}: in no page of tests/stacks/documented_metrics.py"
            assert sorted(metric.dimensions) == sorted(documented.dimensions), metric
            assert metric.statistic in documented.statistics, metric


def test_every_metric_is_one_that_a_deployed_resource_emits(
    metrics: list[Metric], templates: dict[str, Any]
) -> None:
    for metric in metrics:
        dimensions = dict(metric.dimensions)
        if uuid := dimensions.get("EventSourceMappingUUID"):
            mapping = resources_in(templates, metric.place)[uuid.strip("<>")]
            assert "EventCount" in mapping["Properties"]["MetricsConfig"]["Metrics"]
            continue
        if metric.namespace == "AWS/ES":
            assert dimensions.pop("ClientId") == NAMES.account
        [(dimension, value)] = dimensions.items()
        kind, key = EMITTED_BY[metric.namespace, dimension]
        emitting = [found for found in properties_of(templates, metric.place, kind) if found[key] == value]
        assert len(emitting) == 1, f"{metric}: nothing in {metric.place} is called {value}"
        if metric.namespace == "AWS/Firehose":
            assert_firehose_emits(metric.name, emitting[0])


def assert_firehose_emits(name: str, delivery_stream: dict[str, Any]) -> None:
    """Data Firehose developer guide, "Monitor with CloudWatch metrics": by source and by destination."""
    needed = {
        "DataReadFromKinesisStream": "KinesisStreamSourceConfiguration",
        "DeliveryToS3": "ExtendedS3DestinationConfiguration",
        "DeliveryToAmazonOpenSearchService": "AmazonopensearchserviceDestinationConfiguration",
    }.get(name.partition(".")[0])
    assert needed is None or needed in delivery_stream, f"{name} of {delivery_stream['DeliveryStreamName']}"


@PLACES
def test_a_graph_shows_its_own_region_unless_it_says_which(place: str, bodies: dict[str, Body]) -> None:
    for widget in widgets(bodies[place], "metric"):
        assert widget["region"] == REGIONS[place]


def test_what_is_counted_a_minute_is_a_sum_over_what_reports_it(bodies: dict[str, Body]) -> None:
    """Each node of the domain reports its own count: the mean would be one node's."""
    for body in bodies.values():
        for widget in widgets(body, "metric"):
            if " a minute" in widget.get("title", ""):
                assert {one.get("stat") for one in shown(widget)} == {"Sum"}, widget["title"]
                assert {one["period"] for one in shown(widget)} == {60}, widget["title"]


def test_every_alarm_is_defined_in_the_unit_of_its_metric(definitions: dict[str, AlarmDefinition]) -> None:
    units = {name: found.unit for group in METRICS.values() for name, found in group.items()}
    ours = {"segmentsSecondsSinceCheck": "Seconds", "RankingAge": "Seconds", "WaitingAge": "Seconds"}
    for definition in definitions.values():
        unit = {**units, **ours}.get(definition.measure.name, "Count")
        if definition.measure.name != "RejectedShare":
            assert UNITS.get(unit) == (definition.unit if definition.unit in UNITS.values() else None)


def test_an_alarm_looks_back_over_a_day_at_most(templates: dict[str, Any]) -> None:
    for alarm in properties_of(templates, "", "AWS::CloudWatch::Alarm"):
        periods = [one["MetricStat"]["Period"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        longest = max([alarm.get("Period", 60), *periods])
        assert longest * alarm["EvaluationPeriods"] <= MAX_LOOK_BACK_SECONDS, alarm["AlarmName"]
