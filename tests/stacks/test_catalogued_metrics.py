"""Every alarm and graph of every environment keeps to the catalogue of metrics: no metric that does not
exist, no wrong dimension, statistic or period, and no silence that is taken for what it is not."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from settings import load
from stacks.app import build_app
from tests.conftest import PROJECT
from tests.stacks.dashboard_bodies import REGIONS, Body, properties_of, resources_in, text
from tests.stacks.used_metrics import MATH_FUNCTIONS, MathUsed, UsedMetric, in_alarm, in_alarms, on_dashboards
from twin.alarms.catalogue import CATALOGUE, Idle, MetricKind, UnknownMetricError

Alarm = dict[str, Any]

MAX_METRICS_OF_MATH = 10
"""Each with one period (CloudWatch user guide, "Alarm data queries", metric math)."""
MAX_QUERY_LOOK_BACK_SECONDS = 3 * 60 * 60
"""Of an alarm on a Metrics Insights query (CloudWatch user guide, "Alarms", Limits)."""
EVERYTHING_ASKED_FOR = """environment = "everything"
account = "111111111111"
[alarms]
source_quiet_minutes = 60
mobile_quiet_minutes = 90
[feedback]
period_minutes = 5
[latency]
served_seconds = 400
"""
"""The settings that add an alarm or change a period."""


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    templates: dict[str, Any]
    bodies: dict[str, Body]

    @property
    def used(self) -> list[UsedMetric | MathUsed]:
        return [*on_dashboards(self.bodies), *in_alarms(self.templates)]

    @property
    def metrics(self) -> list[UsedMetric]:
        return [one for one in self.used if isinstance(one, UsedMetric)]

    def alarms(self) -> Iterator[tuple[Alarm, list[UsedMetric | MathUsed]]]:
        for place, region in REGIONS.items():
            for alarm in properties_of(self.templates, place, "AWS::CloudWatch::Alarm"):
                yield alarm, list(in_alarm(alarm, region))


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory, no_jar: Path) -> list[Synthesised]:
    folder = tmp_path_factory.mktemp("environments")
    for file in (PROJECT / "environments").glob("*.toml"):
        (folder / file.name).write_text(file.read_text())
    (folder / "everything.toml").write_text(EVERYTHING_ASKED_FOR)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("stacks.app.load", lambda name: load(name, folder))
        return [
            synthesised(file.stem, tmp_path_factory.mktemp(file.stem), no_jar)
            for file in folder.glob("*.toml")
        ]


def synthesised(environment: str, outdir: Path, jar: Path) -> Synthesised:
    """Unvalidated: what cdk-nag says is not asked here, and takes half of the time."""
    assembly = build_app(environment, destroy=False, outdir=outdir, jar=jar).synth(skip_validation=True)
    templates = {
        file.name.removesuffix(".template.json").rsplit("-", 1)[-1]: json.loads(file.read_text())
        for file in Path(assembly.directory).glob("*.template.json")
    }
    bodies = {}
    for place in REGIONS:
        [dashboard] = properties_of(templates, place, "AWS::CloudWatch::Dashboard")
        bodies[place] = json.loads(text(dashboard["DashboardBody"]))
    return Synthesised(templates=templates, bodies=bodies)


def contradiction(used: UsedMetric) -> str | None:
    """What the catalogue says against it. Raises UnknownMetricError."""
    row = used.row
    if used.queried and not used.dimensions.keys() <= set(row.dimensions):
        return f"no {row.name} has the dimension {sorted(used.dimensions)}"
    if not used.queried and sorted(used.dimensions) != sorted(row.dimensions):
        return f"{row.name} has the dimensions {row.dimensions}, not {sorted(used.dimensions)}"
    if not used.queried and row.more_dimensions:
        return f"{row.name} may have further dimensions: only a Metrics Insights query finds it"
    if used.statistic not in row.statistics:
        return f"{used.statistic} of {row.name} says nothing; {', '.join(row.statistics)} do"
    if used.period % row.period_seconds:
        return f"{row.name} comes every {row.period_seconds} s, not every {used.period} s"
    return None


def test_every_metric_is_used_as_the_catalogue_has_it(environments: list[Synthesised]) -> None:
    for environment in environments:
        assert len(environment.metrics) > 100
        for used in environment.metrics:
            assert contradiction(used) is None, used.used_by


def test_the_catalogue_has_no_metric_that_nothing_uses(environments: list[Synthesised]) -> None:
    used = {one.row for environment in environments for one in environment.metrics}
    assert used == set(CATALOGUE)


HEAP = UsedMetric(
    used_by="trial",
    region="us-west-2",
    namespace="AWS/KinesisAnalytics",
    name="heapMemoryUtilization",
    dimensions={"Application": "click-trends-production-analytics"},
    statistic="Maximum",
    period=60,
)


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (replace(HEAP, dimensions={}), r"has the dimensions \('Application',\), not \[\]"),
        (replace(HEAP, dimensions={"Flow": "1"}, queried=True), r"has the dimension \['Flow'\]"),
        (replace(HEAP, name="runningTime"), "only a Metrics Insights query finds it"),
        (replace(HEAP, statistic="Sum"), "Sum of heapMemoryUtilization says nothing"),
        (replace(HEAP, period=10), "comes every 60 s, not every 10 s"),
    ],
)
def test_a_use_against_the_catalogue_is_said(used: UsedMetric, said: str) -> None:
    assert contradiction(HEAP) is None
    assert re.search(said, contradiction(used) or "")


def test_a_metric_that_the_runtime_no_longer_has_is_unknown() -> None:
    with pytest.raises(UnknownMetricError, match="fullRestarts is no metric of"):
        contradiction(replace(HEAP, name="fullRestarts"))


def test_math_is_such_that_an_alarm_can_have_it(environments: list[Synthesised]) -> None:
    """SEARCH works in graphs only, and no query stands beside metrics here."""
    for environment in environments:
        for one in environment.used:
            if isinstance(one, MathUsed):
                assert one.calls <= MATH_FUNCTIONS, one
                assert one.names == one.ids, one
                assert len(one.periods) == 1, one
                assert len(one.ids) <= MAX_METRICS_OF_MATH, one


def test_an_alarm_on_a_query_looks_back_over_three_hours_at_most(environments: list[Synthesised]) -> None:
    for environment in environments:
        for alarm, used in environment.alarms():
            queried = [one for one in used if isinstance(one, UsedMetric) and one.queried]
            assert len(queried) <= 1, alarm["AlarmName"]
            for one in queried:
                assert used == [one]
                assert one.period * alarm["EvaluationPeriods"] <= MAX_QUERY_LOOK_BACK_SECONDS


def breaches(alarm: Alarm, value: float) -> bool:
    return bool(
        value > alarm["Threshold"]
        if alarm["ComparisonOperator"] == "GreaterThanThreshold"
        else value < alarm["Threshold"]
    )


def wrong_about_silence(alarm: Alarm, used: list[UsedMetric | MathUsed]) -> str | None:
    """Of a count, no data is 0. Of all else, no data in good order may not be taken for a fault."""
    notifies = alarm["TreatMissingData"] == "breaching"
    metrics = [one.row for one in used if isinstance(one, UsedMetric)]
    if expressions := [one for one in used if isinstance(one, MathUsed)]:
        always = all(not one.bare for one in expressions)
        return "its result may be missing in good order" if notifies and not always else None
    [row] = metrics
    if row.kind is MetricKind.COUNT and row.idle is not Idle.VALUE:
        return "no data is 0, and not so here" if notifies is not breaches(alarm, 0) else None
    return "it has no data in good order" if notifies and row.idle is not Idle.VALUE else None


def test_missing_data_mean_to_an_alarm_what_they_mean_in_the_catalogue(
    environments: list[Synthesised],
) -> None:
    taken_for_bad = set()
    for environment in environments:
        for alarm, used in environment.alarms():
            assert wrong_about_silence(alarm, used) is None, alarm["AlarmName"]
            if alarm["TreatMissingData"] == "breaching":
                taken_for_bad.add(alarm["AlarmName"].rpartition("-")[2])
    assert taken_for_bad == {
        "ClusterStatus.red",
        "IncomingRecords",
        "Invocations",
        "RankingAge",
        "UploadAge",
        "clicksUnparseablePercent",
        "runningTime",
        "segmentsUsers",
    }


@pytest.mark.parametrize(
    ("measure", "changed"),
    [
        ("redelivery-WaitingAge", {"TreatMissingData": "breaching"}),
        ("forwarder-IteratorAge", {"TreatMissingData": "breaching"}),
        ("redelivery-Invocations", {"TreatMissingData": "notBreaching"}),
        ("analytics-RejectedShare", {"TreatMissingData": "breaching"}),
        ("analytics-numRestarts", {"TreatMissingData": "breaching"}),
    ],
)
def test_an_alarm_that_is_wrong_about_silence_is_found(
    environments: list[Synthesised], measure: str, changed: Alarm
) -> None:
    [(alarm, used)] = [
        found for found in environments[0].alarms() if found[0]["AlarmName"].endswith(f"-{measure}")
    ]
    assert wrong_about_silence(alarm, used) is None
    assert wrong_about_silence({**alarm, **changed}, used)


def minutes_between_invocations(environment: Synthesised) -> Iterator[tuple[str, int]]:
    """By the function's name, of those that a schedule invokes."""
    for place in REGIONS:
        resources = resources_in(environment.templates, place)
        for resource in resources.values():
            properties = resource.get("Properties", {})
            if "ScheduleExpression" not in properties:
                continue
            number, unit = re.fullmatch(
                r"rate\((\d+) (minute|hour)s?\)", properties["ScheduleExpression"]
            ).groups()  # type: ignore[union-attr]
            [target] = properties.get("Targets", [properties.get("Target")])
            function = resources[target["Arn"]["Fn::GetAtt"][0]]["Properties"]["FunctionName"]
            yield function, int(number) * (60 if unit == "hour" else 1)


def test_an_alarm_expects_nothing_more_often_than_the_schedule_invokes(
    environments: list[Synthesised],
) -> None:
    expecting = set()
    for environment in environments:
        minutes = dict(minutes_between_invocations(environment))
        assert len(minutes) == 5
        for alarm, used in environment.alarms():
            for one in used:
                if isinstance(one, MathUsed) or alarm["TreatMissingData"] != "breaching":
                    continue
                function = one.dimensions.get("service") or one.dimensions.get("FunctionName")
                if function:
                    assert one.period >= 60 * minutes[function], alarm["AlarmName"]
                    expecting.add(function.rpartition("-")[2])
    assert expecting == {"redelivery", "reconciliation", "replay", "feedback", "publisher"}
