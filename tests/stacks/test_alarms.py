"""Every alarm is built as it is defined, leads to the runbook and notifies whom the settings name."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Annotations, Match, Template

from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from settings import Settings, SettingsError, load
from stacks.app import build_app
from stacks.monitoring.alarm import AlarmDefinition, built_alarms
from tests.conftest import PROJECT
from twin.alarms.evaluator import evaluate, read_alarm
from twin.alarms.missing_data import State

Alarm = dict[str, Any]
Definitions = dict[str, AlarmDefinition]
Resources = Callable[[str], list[dict[str, Any]]]

PAGE = (PROJECT / "docs" / "operate" / "runbook.md").read_text()
PREFIX = "click-trends-production"
MAX_DESCRIPTION = 1024
"""Characters (CloudWatch API reference, PutMetricAlarm, AlarmDescription)."""


@pytest.fixture(scope="session")
def alarms(resources: Resources) -> dict[str, Alarm]:
    return {alarm["AlarmName"]: alarm for alarm in resources("AWS::CloudWatch::Alarm")}


def headings() -> list[str]:
    """Of the runbook's sections on alarms."""
    return re.findall(r"^### (.+)$", PAGE, re.MULTILINE)


def github_anchor(heading: str) -> str:
    """Lower case, without what is neither a letter, a digit, a hyphen, an underscore nor a space."""
    kept = [one for one in heading.lower() if one.isalnum() or one in "-_ "]
    return "".join(kept).replace(" ", "-")


def test_every_alarm_is_built_as_it_is_defined(alarms: dict[str, Alarm], definitions: Definitions) -> None:
    assert alarms.keys() == definitions.keys()
    for name, alarm in alarms.items():
        definition = definitions[name]
        assert alarm["Threshold"] == definition.threshold
        assert (
            alarm["ComparisonOperator"]
            == {
                "above": "GreaterThanThreshold",
                "below": "LessThanThreshold",
            }[definition.breached]
        )
        assert alarm["TreatMissingData"] == ("breaching" if definition.silence.breaching else "notBreaching")
        assert alarm["DatapointsToAlarm"] == definition.evaluation.breaching
        assert alarm["EvaluationPeriods"] == definition.evaluation.periods
        assert alarm["AlarmDescription"] == (
            f"{definition.watches}: {definition.shows} "
            f"What to do: docs/operate/runbook.md#{definition.anchor}"
        )


def test_each_alarm_has_its_section_in_the_runbook_and_each_section_its_alarm(
    definitions: Definitions,
) -> None:
    if_asked_for = {"incomingrecords"}  # alarms.*_quiet_minutes
    anchors = {definition.anchor for definition in definitions.values()}
    assert sorted(map(github_anchor, headings())) == sorted(anchors | if_asked_for)


def test_what_was_given_up_notifies_at_its_first_minute(definitions: Definitions) -> None:
    given_up = [one for one in definitions.values() if one.headline == "dead letters"]
    assert len(given_up) >= 4
    assert {(one.evaluation.breaching, one.evaluation.periods) for one in given_up} == {(1, 1)}


def test_a_count_that_is_refused_keeps_its_alarm_until_it_is_refused_again(definitions: Definitions) -> None:
    """A pause of up to an hour, Firehose's retries and buffer, two invocations: 68 minutes."""
    evaluation = definitions[f"{PREFIX}-redelivery-WaitingAge"].evaluation
    assert (evaluation.breaching, evaluation.periods) == (1, 68)


def test_one_fault_is_enough_where_a_fault_is_counted(definitions: Definitions) -> None:
    counted = {"records", "clicks", "documents", "versions", "files", "faults", "invocations"}
    above = [one for one in definitions.values() if one.unit in counted and one.breached == "above"]
    assert len(above) > 20
    assert {one.threshold for one in above} == {0}


def test_alarm_is_entered_below_the_threshold_where_less_is_worse(definitions: Definitions) -> None:
    less_is_worse = {"MiB", "nodes", "users"}
    below = {one.measure.name for one in definitions.values() if one.unit in less_is_worse}
    below |= {"runningTime", "Invocations"}
    assert below == {one.measure.name for one in definitions.values() if one.breached == "below"}


def test_thresholds_are_in_the_units_of_their_metrics(definitions: Definitions) -> None:
    thresholds = {one.measure.name: one.threshold for one in definitions.values()}
    assert thresholds["FreeStorageSpace"] == 185 * 1024 / 4  # a quarter of a volume of 185 GiB
    for definition in definitions.values():
        if definition.unit == "ms":
            assert 10_000 < definition.threshold <= 600_000
        if definition.unit == "s":
            assert 60 < definition.threshold <= 600
        if definition.unit == "%":
            assert 0 < definition.threshold <= 100


def test_a_new_domain_is_not_missed_before_it_is_there(templates: dict[str, Any]) -> None:
    resources = templates["OregonStorage"]["Resources"].values()
    [alarm] = [one for one in resources if one["Properties"].get("MetricName") == "ClusterStatus.red"]
    [domain] = alarm["DependsOn"]
    assert templates["OregonStorage"]["Resources"][domain]["Type"] == "AWS::OpenSearchService::Domain"


def test_an_alarm_on_our_own_metrics_sees_its_environment_only(alarms: dict[str, Alarm]) -> None:
    """Two environments may share an account: what one gives up must not enter ALARM, or be averaged away, in
    the other."""
    watched = [
        (alarm["AlarmName"], metric)
        for alarm in alarms.values()
        for metric in (
            alarm,
            *(one.get("MetricStat", {}).get("Metric", {}) for one in alarm.get("Metrics", [])),
        )
        if metric.get("Namespace") == NAMESPACE
    ]
    assert len(watched) >= 6
    for name, metric in watched:
        [dimension] = metric["Dimensions"]
        assert dimension["Name"] == SERVICE_DIMENSION
        assert name.startswith(f"{dimension['Value']}-")


def test_a_function_counts_under_its_own_name() -> None:
    functions = (
        "forwarder",
        "reconciliation",
        "redelivery",
        "feedback",
        "segments_publisher",
        "replay",
    )
    script = "import importlib, sys\n" + "".join(
        f"m = importlib.import_module('lambdas.{name}.metrics')._metrics\n"
        "m.add_metric(name='One', unit='Count', value=1)\nm.flush_metrics()\n"
        for name in functions
    )
    written = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "AWS_LAMBDA_FUNCTION_NAME": f"{PREFIX}-function"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in written.stdout.splitlines()]
    assert [line[SERVICE_DIMENSION] for line in lines] == [f"{PREFIX}-function"] * len(functions)


@pytest.mark.parametrize("name", ["numRestarts", "numberOfFailedCheckpoints"])
@pytest.mark.parametrize(
    ("every_minutes", "notifies"),
    [(1, True), (3, True), (10, True), (15, True), (60, False), (24 * 60, False)],
)
def test_a_job_that_fails_now_and_again_enters_alarm(
    definitions: Definitions, name: str, every_minutes: int, notifies: bool
) -> None:
    """Out of memory some minutes after each start, or each checkpoint at its timeout of ten minutes; but not
    the restart of a maintenance."""
    evaluation = definitions[f"{PREFIX}-analytics-{name}"].evaluation
    growths = [minute % every_minutes == 0 for minute in range(2 * 24 * 60)]
    ends = range(evaluation.periods, len(growths))
    most = max(sum(growths[end - evaluation.periods : end]) for end in ends)
    assert (most >= evaluation.breaching) is notifies


def test_segments_without_a_reader_in_any_task_are_an_alarm(alarms: dict[str, Alarm]) -> None:
    alarm = alarms[f"{PREFIX}-analytics-segmentsUsers"]
    [query] = alarm["Metrics"]
    assert query["Expression"] == (
        f"SELECT MIN(segmentsUsers) FROM \"AWS/KinesisAnalytics\" WHERE Application = '{PREFIX}-analytics'"
    )
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


TOPICS = {
    "tokyo_topic_arn": "arn:aws:sns:ap-northeast-1:111111111111:on-call",
    "oregon_topic_arn": "arn:aws:sns:us-west-2:111111111111:on-call",
}
RUNBOOK = "https://github.com/example/click-trends/blob/main/docs/operate/runbook.md"


def environment(tmp_path: Path, alarms: dict[str, Any], name: str = "trial") -> Path:
    lines = [f'environment = "{name}"', 'account = "111111111111"', "[alarms]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in alarms.items()]
    (tmp_path / f"{name}.toml").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def build(tmp_path: Path, no_jar: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., App]:
    """The app of an environment with these alarm settings."""

    def built(name: str = "trial", **alarms: Any) -> App:
        folder = environment(tmp_path, alarms, name)
        monkeypatch.setattr("stacks.app.load", lambda name: load(name, folder))
        return build_app(name, outdir=tmp_path / "out", jar=no_jar)

    return built


def stacks_of(app: App, environment: str) -> list[Any]:
    stacks = [child for child in app.node.children if environment in child.node.id]
    assert len(stacks) == 4
    return stacks


def test_every_alarm_notifies_the_topic_of_its_region(build: Callable[..., App]) -> None:
    found = 0
    app = build(**TOPICS, source_quiet_minutes=60, mobile_quiet_minutes=60)
    app.synth()  # cdk-nag finds nothing in what publishes to a topic
    for stack in stacks_of(app, "trial"):
        region = "ap-northeast-1" if "Tokyo" in stack.node.id else "us-west-2"
        topic = [f"arn:aws:sns:{region}:111111111111:on-call"]
        for alarm in Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values():
            assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == topic
            found += 1
        Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("notify nobody"))
    assert found > 25


def test_every_description_links_to_the_runbook_of_the_settings(build: Callable[..., App]) -> None:
    app = build(runbook_url=RUNBOOK)
    anchors = {built.definition.name: built.definition.anchor for built in built_alarms(app)}
    for stack in stacks_of(app, "trial"):
        for alarm in Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values():
            properties = alarm["Properties"]
            link = f"{RUNBOOK}#{anchors[properties['AlarmName']]}"
            assert properties["AlarmDescription"].endswith(f" {link}")


def test_the_longest_description_is_one_that_cloudwatch_takes(build: Callable[..., App]) -> None:
    app = build(
        "e" * 15, runbook_url="https://".ljust(512, "u"), source_quiet_minutes=60, mobile_quiet_minutes=60
    )
    for stack in stacks_of(app, "e" * 15):
        for alarm in Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values():
            assert 512 < len(alarm["Properties"]["AlarmDescription"]) <= MAX_DESCRIPTION


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/runbook.md",
        f"{RUNBOOK}#errors",
        "runbook.md",
        "https://",
        "https://a b",
        "https://" + "u" * 600,
        "https:///",
        "https://?",
        "https://:443/runbook.md",
        "https://user:password@example.com/runbook.md",
        "https://user@example.com/runbook.md",
        "https://user:1@example.com/runbook.md",
    ],
)
def test_an_address_that_cannot_take_an_anchor_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"alarms\.runbook_url: String should"):
        load("trial", environment(tmp_path, {"runbook_url": url}))


@pytest.mark.parametrize(
    "url", ["https://wiki", "https://wiki:8443/a@b?page=1:2", "https://example.com?page=runbook"]
)
def test_an_address_with_a_port_or_a_query_is_accepted(tmp_path: Path, url: str) -> None:
    assert load("trial", environment(tmp_path, {"runbook_url": url})).alarms.runbook_url == url


def test_an_alarm_without_a_definition_is_named_with_what_to_use_instead() -> None:
    stack = Stack(App(), "Stack")
    metric = cloudwatch.Metric(namespace="n", metric_name="m")
    cloudwatch.Alarm(stack, "Plain", metric=metric, threshold=1, evaluation_periods=1)
    with pytest.raises(TypeError, match=r"^Stack/Plain is a plain .*: use stacks\.monitoring\.alarm\.Alarm$"):
        list(built_alarms(stack))


def test_alarms_that_notify_nobody_are_a_warning_at_synth(app: App) -> None:
    for stack in stacks_of(app, "production"):
        Annotations.from_stack(stack).has_warning(
            "*", Match.string_like_regexp(r"notify nobody.*set alarms\.(tokyo|oregon)_topic_arn")
        )


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (
            TOPICS["oregon_topic_arn"],
            r"alarms\.tokyo_topic_arn .* must be a topic in ap-northeast-1 of account",
        ),
        ("arn:aws:sns:ap-northeast-1:000000000000:on-call", "of account 111111111111"),
        ("on-call", r"alarms\.tokyo_topic_arn: String should match pattern"),
    ],
)
def test_a_topic_that_cannot_be_notified_is_refused(tmp_path: Path, arn: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load("trial", environment(tmp_path, {"tokyo_topic_arn": arn}))


def test_the_twin_needs_no_topic(tmp_path: Path, no_jar: Path) -> None:
    settings: Settings = load("local")
    assert settings.alarms.topic_arn("oregon") is None
    for stack in stacks_of(build_app("local", outdir=tmp_path / "out", jar=no_jar), "local"):
        Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("notify nobody"))


def test_the_twin_can_evaluate_every_alarm(resources: Resources) -> None:
    silent: Any = type("Silent", (), {"sent": lambda *_: ()})()
    for properties in resources("AWS::CloudWatch::Alarm"):
        resolved = json.loads(re.sub(r'\{"Ref": "(\w+)"\}', r'"\1"', json.dumps(properties)))
        alarm = read_alarm(resolved)
        silence_breaches = properties["TreatMissingData"] == "breaching"
        evaluation = evaluate(alarm, silent, 0.0, State.INSUFFICIENT_DATA)
        assert evaluation.state is (State.ALARM if silence_breaches else State.OK), alarm.name
