"""Every metric of an alarm or a graph is documented, or one of ours, and comes from what is deployed."""

import re
from typing import Any

import pytest

from lambdas.forwarder.metrics import DROPPED, FORWARDED, RECEIVED, REJECTED, RETRIED, UNEXPECTED
from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from stacks.monitoring.alarm import AlarmDefinition
from tests.conftest import PROJECT
from tests.stacks.dashboard_bodies import (
    NAMES,
    PLACES,
    REGIONS,
    Body,
    properties_of,
    resources_in,
    shown,
    widgets,
)
from tests.stacks.used_metrics import UsedMetric, in_alarms, on_dashboards
from twin.alarms.catalogue import CATALOGUE, GAUGES_OF_THE_JOB, NOT_DOCUMENTED, catalogued

JAVA = PROJECT / "connectors/src/main/java/clicktrends"
MAX_LOOK_BACK_SECONDS = 24 * 60 * 60
"""Periods times their length, of an alarm (CloudWatch API reference, PutMetricAlarm, EvaluationPeriods)."""
UNITS = {"Seconds": "s", "Milliseconds": "ms", "Percent": "%", "Megabytes": "MiB"}
OURS = dict.fromkeys([RECEIVED, FORWARDED, DROPPED, REJECTED, UNEXPECTED, RETRIED], "Clicks")

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


@pytest.fixture(scope="module")
def metrics(templates: dict[str, Any], bodies: dict[str, Body]) -> list[UsedMetric]:
    found = [*on_dashboards(bodies), *in_alarms(templates)]
    return [one for one in found if isinstance(one, UsedMetric)]


def our_gauges() -> set[str]:
    """Of the join's table and of the decoder; a Flink application's own metrics go to the namespace of the
    service's."""
    segments = (JAVA / "reference" / "VersionedReferenceLookup.java").read_text()
    clicks = (JAVA / "json" / "ReadMetrics.java").read_text()
    return {f"segments{what}" for what in re.findall(r'gauge\(metrics, "(\w+)"', segments)} | {
        f"clicks{what}" for what in re.findall(r'gauge\(prefix \+ "(\w+)"', clicks)
    }


def test_the_gauges_of_the_catalogue_are_those_that_the_connectors_report() -> None:
    assert {each.name for each in GAUGES_OF_THE_JOB} <= our_gauges()


def test_every_metric_is_one_that_a_deployed_resource_emits(
    metrics: list[UsedMetric], templates: dict[str, Any]
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


def counted_in(namespace: str, name: str) -> str:
    """What a metric counts: bytes, records or clicks as titles write them, or something else by its name."""
    if namespace == NAMESPACE:
        return "Bytes" if name.endswith("Bytes") else OURS.get(name, name)
    return {"Bytes": "Bytes", "Count": "Records"}[catalogued(namespace, name).unit]


def test_a_share_is_of_bytes_or_of_what_one_function_counted(templates: dict[str, Any]) -> None:
    """A record in a stream holds any number of clicks, and one that the application puts a single reject."""
    shares = 0
    for alarm in properties_of(templates, "", "AWS::CloudWatch::Alarm"):
        stats = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        if not any(" / " in one.get("Expression", "") for one in alarm.get("Metrics", [])):
            continue
        shares += 1
        units = [counted_in(one["Namespace"], one["MetricName"]) for one in stats]
        assert sorted(units) in (["Bytes"] * 2, ["Bytes"] * 2 + ["Clicks"] * 2), alarm["AlarmName"]
    assert shares == 2


def test_a_graph_counts_what_its_title_says(bodies: dict[str, Body]) -> None:
    units = []
    for body in bodies.values():
        for widget in widgets(body, "metric"):
            unit, found, _ = widget.get("title", "").partition(" a minute")
            if found and unit in {"Bytes", "Records", "Clicks"}:
                lines = [one["of"] for one in shown(widget) if one.get("yAxis") != "right"]
                assert {counted_in(*line[:2]) for line in lines} == {unit}, widget["title"]
                units.append(unit)
    assert {unit: units.count(unit) for unit in units} == {"Bytes": 4, "Records": 5, "Clicks": 1}


def test_what_is_counted_a_minute_is_a_sum_over_what_reports_it(bodies: dict[str, Body]) -> None:
    """Each node of the domain reports its own count: the mean would be one node's."""
    for body in bodies.values():
        for widget in widgets(body, "metric"):
            if " a minute" in widget.get("title", ""):
                assert {one.get("stat") for one in shown(widget)} == {"Sum"}, widget["title"]
                assert {one["period"] for one in shown(widget)} == {60}, widget["title"]


def test_every_alarm_is_defined_in_the_unit_of_its_metric(definitions: dict[str, AlarmDefinition]) -> None:
    units = {each.name: each.unit for each in CATALOGUE if each.unit != NOT_DOCUMENTED}
    named = {"segmentsSecondsSinceCheck": "Seconds", "clicksUnparseablePercent": "Percent"}
    for definition in definitions.values():
        unit = {**units, **named}.get(definition.measure.name, "Count")
        if definition.measure.name != "RejectedShare":
            assert UNITS.get(unit) == (definition.unit if definition.unit in UNITS.values() else None)


def test_an_alarm_looks_back_over_a_day_at_most(templates: dict[str, Any]) -> None:
    for alarm in properties_of(templates, "", "AWS::CloudWatch::Alarm"):
        periods = [one["MetricStat"]["Period"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        longest = max([alarm.get("Period", 60), *periods])
        assert longest * alarm["EvaluationPeriods"] <= MAX_LOOK_BACK_SECONDS, alarm["AlarmName"]
