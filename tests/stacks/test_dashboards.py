"""A dashboard a region: every alarm is on it, with the metric and the threshold that the alarm has."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from contract.sink import CLICK_COUNTS, Sink
from names import OREGON
from stacks.monitoring import hops
from stacks.monitoring.alarm import AlarmDefinition, built_alarms
from stacks.monitoring.dashboard import AlarmWithoutHopError, PathDashboard
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import oregon_path, tokyo_path
from stacks.monitoring.silence import BREACHING
from tests.stacks.dashboard_bodies import (
    NAMES,
    PLACES,
    REGIONS,
    Body,
    compared,
    drawn,
    properties_of,
    shown,
    text,
    widgets,
)

# CloudWatch API reference, "Dashboard Body Structure and Syntax", and user guide, "CloudWatch service quotas"
MAX_WIDGETS, MAX_METRICS_OF_WIDGET, MAX_METRICS, MAX_ALARMS_OF_WIDGET, COLUMNS = 500, 500, 2500, 100, 24


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


def threshold_label(alarm: AlarmDefinition) -> str:
    minutes = alarm.measure.period.to_minutes()
    every = "minutes" if minutes == 1 else f"periods of {minutes:g} minutes"
    times = f"{alarm.evaluation.breaching} of {alarm.evaluation.periods} {every}"
    return f"ALARM {alarm.breached} {alarm.threshold:g} {alarm.unit}, in {times}"


@PLACES
def test_every_alarm_has_a_graph_of_its_own_metric_with_its_own_threshold(
    place: str, templates: dict[str, Any], bodies: dict[str, Body], definitions: dict[str, AlarmDefinition]
) -> None:
    graphs = Counter(
        json.dumps([drawn(widget), line["value"], line["label"]])
        for widget in widgets(bodies[place], "metric")
        for line in widget.get("annotations", {}).get("horizontal", [])
    )
    alarms = Counter(
        json.dumps([compared(alarm), alarm["Threshold"], threshold_label(definitions[alarm["AlarmName"]])])
        for alarm in properties_of(templates, place, "AWS::CloudWatch::Alarm")
    )
    assert graphs == alarms


def test_ages_and_dead_letters_stand_above_everything_that_is_scrolled_to(
    bodies: dict[str, Body], definitions: dict[str, AlarmDefinition]
) -> None:
    ages, dead_letters = set(), set()
    for body in bodies.values():
        first_hop = min(
            w["y"] for w in body["widgets"] if w["properties"].get("markdown", "").startswith("## ")
        )
        numbers = [w for w in body["widgets"] if w["properties"].get("view") == "singleValue"]
        assert all(widget["y"] + widget["height"] <= first_hop for widget in numbers)
        for widget in numbers:
            measures = {one["label"].split()[1] for one in shown(widget["properties"])}
            if widget["properties"]["title"].startswith("Dead letters"):
                assert widget["properties"]["setPeriodToTimeRange"] is True
                dead_letters |= measures
            else:
                ages |= measures
    measured = {one.measure.name: one for one in definitions.values()}
    assert ages == {name for name in measured if re.search("Age|Freshness|Behind|Since", name)}
    deployment = {"Errors", "Throttles"}  # of functions that run in a deployment only
    asked_for = {"FailedReplays"}  # by a person, whom the command tells
    given_up = {name for name, one in measured.items() if one.evaluation.periods == 1}
    assert dead_letters == given_up - deployment - asked_for


@PLACES
def test_a_widget_holds_one_metrics_insights_query_at_most(place: str, bodies: dict[str, Body]) -> None:
    """CloudWatch user guide, "Metrics Insights quotas": a widget with two shows none of them."""
    for widget in widgets(bodies[place], "metric"):
        queries = [one for one in shown(widget) if one.get("expression", "").startswith("SELECT")]
        assert len(queries) <= 1, widget["title"]


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


def trial_stack(hop: str) -> Stack:
    stack = Stack(App(), "Trial", env=Environment(account=NAMES.account, region=OREGON))
    FunctionAlarms(stack, "Alarms", function_name=NAMES.redelivery, hop=hop, silence=BREACHING)
    return stack


def dashboard_of(stack: Stack) -> PathDashboard:
    return PathDashboard(
        stack,
        "Dashboard",
        name="trial",
        other="other",
        path=oregon_path(NAMES),
        alarms=built_alarms(stack),
        runbook="https://example.com/runbook.md",
        names=NAMES,
    )


def test_an_alarm_that_no_hop_knows_ends_the_synthesis_with_what_to_do() -> None:
    dashboard_of(trial_stack("Redelivery"))
    with pytest.raises(
        AlarmWithoutHopError,
        match="The alarm click-trends-production-redelivery-Errors names the hop 'Forwarder', which the path "
        "of its region does not have, so no dashboard would show it. Name one of Source stream, .*, or add "
        r"the hop to stacks/monitoring/hops\.py\.",
    ):
        dashboard_of(trial_stack("Forwarder"))


def test_a_dashboard_says_where_the_runbook_is() -> None:
    stack = trial_stack("Redelivery")
    dashboard_of(stack)
    [body] = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    head = json.loads(text(body["Properties"]["DashboardBody"]))["widgets"][0]
    assert "https://example.com/runbook.md says" in head["properties"]["markdown"]


def test_a_further_sink_has_its_hop_without_a_change_here(monkeypatch: pytest.MonkeyPatch) -> None:
    further = Sink(table="platform_counts", name="platform-counts", family="platform-counts", key=("minute",))
    monkeypatch.setattr(hops, "SINKS", (CLICK_COUNTS, further))
    titles = [hop.title for hop in oregon_path(NAMES)]
    assert titles[3:6] == ["Delivery of counts", "Delivery of platform counts", "Delivery of rejects"]
    assert [measure.name for measure in hops.bytes_a_minute(NAMES)].count("IncomingBytes") == 5


def test_no_hop_stands_on_the_path_twice() -> None:
    hops = [hop.title for hop in (*tokyo_path(NAMES), *oregon_path(NAMES))]
    assert len(hops) == len(set(hops))
