"""A dashboard a region: every alarm is on it, with the metric and the threshold that the alarm has."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from contract.sink import CLICK_COUNTS, SINKS, Sink
from lambdas.metrics import NAMESPACE
from lambdas.metrics_page import LAMBDAS, metrics_in
from names import OREGON, TOKYO, Names
from settings import load
from stacks.app import build_app
from stacks.monitoring import path
from stacks.monitoring.dashboard import AlarmWithoutHopError, PathDashboard
from stacks.monitoring.flow_alarm import FlowAlarm
from stacks.monitoring.measure import metric
from stacks.monitoring.path import AGES, DEAD_LETTERS, oregon_path, tokyo_path

Body = dict[str, Any]
Widget = dict[str, Any]

NAMES = Names(environment="production", account="111111111111")
REGIONS = {"Tokyo": TOKYO, "Oregon": OREGON}
DIRECT_PUTS = [*(sink.name.replace("-", " ") for sink in SINKS), "rejects"]
"""What the application puts into, as a dashboard calls it."""
PLACES = pytest.mark.parametrize("place", REGIONS)

# CloudWatch API reference, "Dashboard Body Structure and Syntax", and user guide, "CloudWatch service quotas"
MAX_WIDGETS, MAX_METRICS_OF_WIDGET, MAX_METRICS, MAX_ALARMS_OF_WIDGET, COLUMNS = 500, 500, 2500, 100, 24
DEFAULT_PERIOD = 300

EMITTED_BY = {
    ("AWS/Kinesis", "StreamName"): ("AWS::Kinesis::Stream", "Name"),
    ("AWS/Firehose", "DeliveryStreamName"): ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
    ("AWS/Lambda", "FunctionName"): ("AWS::Lambda::Function", "FunctionName"),
    (NAMESPACE, "service"): ("AWS::Lambda::Function", "FunctionName"),
    ("AWS/SQS", "QueueName"): ("AWS::SQS::Queue", "QueueName"),
    ("AWS/DynamoDB", "TableName"): ("AWS::DynamoDB::Table", "TableName"),
    ("AWS/ES", "DomainName"): ("AWS::OpenSearchService::Domain", "DomainName"),
    ("AWS/KinesisAnalytics", "Application"): ("AWS::KinesisAnalyticsV2::Application", "ApplicationName"),
}
"""(namespace, dimension) -> resource type whose metric it is, and the property that is the value."""


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


@pytest.fixture(scope="session")
def bodies(templates: dict[str, Any]) -> dict[str, Body]:
    found = {}
    for place in REGIONS:
        [dashboard] = properties_of(templates, place, "AWS::CloudWatch::Dashboard")
        found[place] = json.loads(text(dashboard["DashboardBody"]))
    return found


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


def _periods(seconds: int) -> str:
    return "minutes" if seconds == 60 else f"periods of {seconds // 60} minutes"


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
            (*one["of"][:2], *(part for pair in sorted(_pairs(one["of"][2:])) for part in pair)),
            one.get("stat", "Average"),  # what CloudWatch takes where nothing is said
            one.get("period", DEFAULT_PERIOD),
        )
        for one in shown(widget)
    )


def _pairs(flat: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


@PLACES
def test_every_alarm_of_a_region_is_among_the_states_on_its_dashboard(
    place: str, templates: dict[str, Any], bodies: dict[str, Body]
) -> None:
    [states] = widgets(bodies[place], "alarm")
    alarms = properties_of(templates, place, "AWS::CloudWatch::Alarm")
    assert len(alarms) > 10
    assert sorted(states["alarms"]) == sorted(
        f"arn:aws:cloudwatch:{REGIONS[place]}:{NAMES.account}:alarm:{alarm['AlarmName']}" for alarm in alarms
    )


@PLACES
def test_every_alarm_has_a_graph_of_its_own_metric_with_its_own_threshold(
    place: str, templates: dict[str, Any], bodies: dict[str, Body]
) -> None:
    graphs = Counter(
        json.dumps([drawn(widget), line["value"], line["label"]])
        for widget in widgets(bodies[place], "metric")
        for line in widget.get("annotations", {}).get("horizontal", [])
    )
    sides = {"GreaterThanThreshold": "above", "LessThanThreshold": "below"}
    alarms = Counter(
        json.dumps(
            [
                compared(alarm),
                alarm["Threshold"],
                f"rings {sides[alarm['ComparisonOperator']]}, in "
                f"{alarm['DatapointsToAlarm']} of {alarm['EvaluationPeriods']} "
                f"{_periods(compared(alarm)[0][2])}",
            ]
        )
        for alarm in properties_of(templates, place, "AWS::CloudWatch::Alarm")
    )
    assert graphs == alarms


@PLACES
def test_every_metric_on_a_dashboard_is_one_that_a_deployed_resource_emits(
    place: str, templates: dict[str, Any], bodies: dict[str, Body]
) -> None:
    for widget in widgets(bodies[place], "metric"):
        assert widget["region"] == REGIONS[place]
        for one in shown(widget):
            region = one.get("region", widget["region"])
            [where] = [place for place, code in REGIONS.items() if code == region]
            if "expression" in one:
                if one["expression"].startswith("SELECT"):
                    assert one["expression"].endswith(
                        f"FROM \"AWS/KinesisAnalytics\" WHERE Application = '{NAMES.application}'"
                    )
                continue
            namespace, name, *flat = one["of"]
            dimensions = dict(_pairs(tuple(flat)))
            if uuid := dimensions.get("EventSourceMappingUUID"):
                mapping = resources_in(templates, where)[uuid.strip("<>")]
                assert "EventCount" in mapping["Properties"]["MetricsConfig"]["Metrics"]
                continue
            if namespace == "AWS/ES":
                assert dimensions.pop("ClientId") == NAMES.account
            [(dimension, value)] = dimensions.items()
            kind, key = EMITTED_BY[namespace, dimension]
            emitting = [found for found in properties_of(templates, where, kind) if found[key] == value]
            assert len(emitting) == 1, f"{one['of']}: nothing in {where} is called {value}"
            if namespace == "AWS/Firehose":
                assert_firehose_emits(name, emitting[0])
            if namespace == NAMESPACE:
                folder = value.removeprefix(f"{NAMES.prefix}-")
                assert name in dict(metrics_in(LAMBDAS / folder / "metrics.py"))


def test_what_is_counted_a_minute_is_a_sum_over_what_reports_it(bodies: dict[str, Body]) -> None:
    """Each node of the domain reports its own count: the mean would be one node's."""
    for body in bodies.values():
        for widget in widgets(body, "metric"):
            if " a minute" in widget.get("title", ""):
                assert {one.get("stat") for one in shown(widget)} == {"Sum"}, widget["title"]


def assert_firehose_emits(name: str, delivery_stream: dict[str, Any]) -> None:
    """Data Firehose developer guide, "Monitor with CloudWatch metrics": by source and by destination."""
    needed = {
        "DataReadFromKinesisStream": "KinesisStreamSourceConfiguration",
        "DeliveryToS3": "ExtendedS3DestinationConfiguration",
        "DeliveryToAmazonOpenSearchService": "AmazonopensearchserviceDestinationConfiguration",
    }.get(name.partition(".")[0])
    assert needed is None or needed in delivery_stream, f"{name} of {delivery_stream['DeliveryStreamName']}"


@pytest.mark.parametrize(
    ("place", "hops"),
    [
        (
            "Tokyo",
            [
                "Mobile stream",
                "Forwarder, to Oregon's source stream",
                "Feedback, from OpenSearch in Oregon",
                "Service",
            ],
        ),
        (
            "Oregon",
            [
                "Source stream",
                "Raw backup",
                "Analytics application",
                *(f"Delivery of {name}" for name in DIRECT_PUTS),
                "OpenSearch",
                "Redelivery",
                "Functions of a deployment",
            ],
        ),
    ],
)
def test_hops_stand_in_the_order_in_which_a_click_passes_them(
    place: str, hops: list[str], bodies: dict[str, Body]
) -> None:
    headings = [
        widget["properties"]["markdown"].removeprefix("## ")
        for widget in sorted(bodies[place]["widgets"], key=lambda widget: int(widget["y"]))
        if widget["type"] == "text"
    ]
    assert headings[1:] == hops


def test_ages_and_dead_letters_stand_above_everything_that_is_scrolled_to(bodies: dict[str, Body]) -> None:
    ages, dead_letters = set(), set()
    for body in bodies.values():
        first_hop = min(
            w["y"] for w in body["widgets"] if w["properties"].get("markdown", "").startswith("## ")
        )
        numbers = [w for w in body["widgets"] if w["properties"].get("view") == "singleValue"]
        assert all(widget["y"] + widget["height"] <= first_hop for widget in numbers)
        shown_ages, shown_dead_letters = (
            {one["label"].split()[1] for one in shown(widget["properties"])} for widget in numbers
        )
        assert numbers[1]["properties"]["setPeriodToTimeRange"] is True
        ages |= shown_ages
        dead_letters |= shown_dead_letters
    assert ages == set(AGES)
    assert dead_letters == set(DEAD_LETTERS)


def test_the_flow_through_both_regions_is_one_picture(bodies: dict[str, Body]) -> None:
    [flows] = {
        json.dumps([(one["label"], one["region"], one["of"]) for one in shown(widget)])
        for body in bodies.values()
        for widget in widgets(body, "metric")
        if widget["title"].startswith("Records a minute, hop by hop")
    }
    hops = [
        ("mobile stream", TOKYO),
        ("forwarded", TOKYO),
        ("source stream", OREGON),
        *((name, OREGON) for name in DIRECT_PUTS),
        ("rankings written", TOKYO),
    ]
    assert [(label, region) for label, region, _ in json.loads(flows)] == [
        (f"{number}. {name}", region) for number, (name, region) in enumerate(hops, 1)
    ]


@PLACES
def test_a_body_keeps_to_the_limits_of_cloudwatch(place: str, bodies: dict[str, Body]) -> None:
    placed = bodies[place]["widgets"]
    assert len(placed) <= MAX_WIDGETS
    metrics = [len(widget["metrics"]) for widget in widgets(bodies[place], "metric")]
    assert max(metrics) <= MAX_METRICS_OF_WIDGET
    assert sum(metrics) <= MAX_METRICS
    [states] = widgets(bodies[place], "alarm")
    assert 1 <= len(states["alarms"]) <= MAX_ALARMS_OF_WIDGET
    cells = Counter(
        (widget["x"] + column, widget["y"] + row)
        for widget in placed
        for column in range(widget["width"])
        for row in range(widget["height"])
    )
    assert max(column for column, _ in cells) < COLUMNS
    assert max(cells.values()) == 1, "widgets overlap"


@PLACES
def test_a_dashboard_leads_to_the_one_of_the_other_region(place: str, bodies: dict[str, Body]) -> None:
    [elsewhere] = REGIONS.keys() - {place}
    head = widgets(bodies[place], "text")[0]["markdown"]
    assert f"region={REGIONS[elsewhere]}#dashboards/dashboard/click-trends-production-" in head
    assert f"-{elsewhere.lower()})" in head


def test_dashboards_of_regions_and_environments_have_names_of_their_own(templates: dict[str, Any]) -> None:
    """Dashboards are global in an account (CloudFormation template reference, AWS::CloudWatch::Dashboard)."""
    named = [
        dashboard["DashboardName"]
        for place in REGIONS
        for dashboard in properties_of(templates, place, "AWS::CloudWatch::Dashboard")
    ]
    assert named == ["click-trends-production-tokyo", "click-trends-production-oregon"]
    trial = Names(environment="trial", account=NAMES.account)
    assert not {trial.tokyo_dashboard, trial.oregon_dashboard} & set(named)


def test_the_dashboard_of_the_twin_shows_its_own_parts(tmp_path: Path, no_jar: Path) -> None:
    app = build_app("local", outdir=tmp_path / "out", jar=no_jar)
    app.synth()
    local = load("local").names
    for template in (tmp_path / "out").glob("*.template.json"):
        for resource in json.loads(template.read_text())["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Dashboard":
                body = text(resource["Properties"]["DashboardBody"])
                assert local.prefix in body
                assert "production" not in body


def trial_stack(watches: str) -> Stack:
    stack = Stack(App(), "Trial", env=Environment(account=NAMES.account, region=OREGON))
    measured = metric("AWS/Lambda Errors", dimensions={"FunctionName": watches}, statistic="Sum")
    FlowAlarm(stack, "Alarm", watches=watches, measure=measured, threshold=0)
    return stack


def dashboard_of(stack: Stack) -> PathDashboard:
    return PathDashboard(
        stack,
        "Dashboard",
        name="trial",
        other="other",
        stacks=[stack],
        path=oregon_path(NAMES),
        names=NAMES,
    )


def test_an_alarm_that_no_hop_knows_ends_the_synthesis_with_what_to_do() -> None:
    """Its name begins with those of the environment and of a hop, and is neither's."""
    dashboard_of(trial_stack(NAMES.redelivery))
    with pytest.raises(
        AlarmWithoutHopError,
        match="click-trends-production-redelivery-two-Errors watches click-trends-production-redelivery-two, "
        r"which is in no hop .* Add that name to `watches` of its hop in stacks/monitoring/path\.py",
    ):
        dashboard_of(trial_stack(f"{NAMES.redelivery}-two"))


def test_a_further_sink_has_its_hop_without_a_change_here(monkeypatch: pytest.MonkeyPatch) -> None:
    further = Sink(
        table="platform_counts", name="platform-counts", definitions="platform-counts", key=("minute",)
    )
    monkeypatch.setattr(path, "SINKS", (CLICK_COUNTS, further))
    titles = [hop.title for hop in oregon_path(NAMES)]
    assert titles[3:6] == ["Delivery of counts", "Delivery of platform counts", "Delivery of rejects"]
    assert [measure.name for measure in path.records_a_minute(NAMES)].count("IncomingRecords") == 5


def test_no_part_stands_in_two_hops() -> None:
    watched = Counter(name for hop in (*tokyo_path(NAMES), *oregon_path(NAMES)) for name in hop.watches)
    assert max(watched.values()) == 1
