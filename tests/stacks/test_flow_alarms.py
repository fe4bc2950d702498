"""Every flow has its alarm; every alarm has a section in the run-book and notifies whom the settings name."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Annotations, Match, Template

from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from settings import Settings, SettingsError, load
from stacks.app import build_app

Alarm = dict[str, Any]
Resources = Callable[[str], list[dict[str, Any]]]

PROJECT = Path(__file__).parent.parent.parent
RUNBOOK = (PROJECT / "docs" / "operate" / "runbook.md").read_text()
PREFIX = "click-trends-production"


@pytest.fixture(scope="session")
def alarms(resources: Resources) -> dict[str, Alarm]:
    """By name without the environment's prefix."""
    return {
        alarm["AlarmName"].removeprefix(f"{PREFIX}-"): alarm for alarm in resources("AWS::CloudWatch::Alarm")
    }


def measured(alarm: Alarm) -> str:
    """What the alarm watches, as its description tells the person who is called."""
    found = re.search(
        r"docs/operate/runbook\.md says what (\S+) means and what to do$", alarm["AlarmDescription"]
    )
    assert found, f"{alarm['AlarmName']} does not say where it is explained"
    return found[1]


def explained() -> list[str]:
    """The headings of the run-book's sections on alarms."""
    return re.findall(r"^### (\S+)$", RUNBOOK, re.MULTILINE)


@pytest.mark.parametrize(
    "name",
    [
        "mobile-WriteProvisionedThroughputExceeded",
        "mobile-GetRecords.IteratorAgeMilliseconds",
        "forwarder-IteratorAge",
        "forwarder-Throttles",
        "forwarder-OnFailureDestinationDeliveredEventCount",
        "forwarder-DroppedEventCount",
        "forwarder-Unexpected",
        "forwarder-RejectedShare",
        "forwarder-NothingRead",
        "source-WriteProvisionedThroughputExceeded",
        "source-GetRecords.IteratorAgeMilliseconds",
        "raw-backup-DeliveryToS3.DataFreshness",
        "raw-backup-NothingWritten",
        "analytics-runningTime",
        "analytics-numRestarts",
        "analytics-numberOfFailedCheckpoints",
        "analytics-millisBehindLatest",
        "analytics-segmentsUsers",
        "analytics-segmentsRefusedVersions",
        "analytics-segmentsShrunkenVersions",
        "analytics-segmentsSecondsSinceCheck",
        "analytics-RejectedShare",
        "analytics-NothingPut",
        "counts-ThrottledRecords",
        "counts-DeliveryToAmazonOpenSearchService.DataFreshness",
        "redelivery-WaitingAge",
        "analytics-heapMemoryUtilization",
        "rejects-ThrottledRecords",
        "rejects-DeliveryToS3.DataFreshness",
        "rejects-NothingWritten",
        "redelivery-GivenUp",
        "redelivery-Errors",
        "redelivery-Invocations",
        "feedback-Errors",
        "feedback-Throttles",
        "feedback-RankingAge",
    ],
)
def test_each_hop_is_watched(alarms: dict[str, Alarm], name: str) -> None:
    assert name in alarms


@pytest.mark.parametrize(
    "metric",
    [
        "ClusterStatus.red",
        "ClusterIndexWritesBlocked",
        "FreeStorageSpace",
        "JVMMemoryPressure",
        "Nodes",
        "AutomatedSnapshotFailure",
    ],
)
def test_the_domain_is_watched(alarms: dict[str, Alarm], metric: str) -> None:
    [alarm] = [alarm for alarm in alarms.values() if alarm["AlarmName"] == f"{PREFIX}-{metric}"]
    dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    assert dimensions == {"ClientId": "111111111111", "DomainName": PREFIX}


def test_each_alarm_is_explained_and_each_explanation_has_its_alarm(alarms: dict[str, Alarm]) -> None:
    if_asked_for = {"IncomingRecords"}  # alarms.*_quiet_minutes
    assert sorted(explained()) == sorted({measured(alarm) for alarm in alarms.values()} | if_asked_for)


def test_each_alarm_says_what_silence_means(alarms: dict[str, Alarm]) -> None:
    """What a healthy part always reports is missed when it is missing; the others exist only with a flow."""
    treatments = {alarm["TreatMissingData"] for alarm in alarms.values()}
    assert treatments == {"breaching", "notBreaching"}
    assert {measured(alarm) for alarm in alarms.values() if alarm["TreatMissingData"] == "breaching"} == {
        "runningTime",
        "segmentsUsers",
        "ClusterStatus.red",
        "Invocations",
        "RankingAge",
    }


def test_what_no_retry_mends_rings_at_its_first_minute(alarms: dict[str, Alarm]) -> None:
    runs_once = ("application-lifecycle-", "search-bootstrap-")  # in a deployment, which fails with it
    alarms = {name: alarm for name, alarm in alarms.items() if not name.startswith(runs_once)}
    found: dict[tuple[int, int], set[str]] = {}
    for alarm in alarms.values():
        times = (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"])
        found.setdefault(times, set()).add(measured(alarm))
    del found[3, 5]
    assert found == {
        (1, 1): {
            "GivenUp",
            "OnFailureDestinationDeliveredEventCount",
            "DroppedEventCount",
            "Unexpected",
        },
        (1, 68): {"WaitingAge"},  # minutes until a count that waits has failed again, at most
        (2, 2): {"NothingRead", "NothingPut", "NothingWritten"},
        (3, 60): {"numRestarts", "numberOfFailedCheckpoints"},
        (60, 60): {"Nodes"},
    }


def test_a_new_domain_is_not_missed_before_it_is_there(templates: dict[str, Any]) -> None:
    resources = templates["OregonStorage"]["Resources"].values()
    [alarm] = [one for one in resources if one["Properties"].get("MetricName") == "ClusterStatus.red"]
    [domain] = alarm["DependsOn"]
    assert templates["OregonStorage"]["Resources"][domain]["Type"] == "AWS::OpenSearchService::Domain"


def test_thresholds_are_in_the_units_of_their_metrics(alarms: dict[str, Alarm]) -> None:
    thresholds = {measured(alarm): alarm["Threshold"] for alarm in alarms.values()}
    assert thresholds["GetRecords.IteratorAgeMilliseconds"] == thresholds["IteratorAge"] == 60_000
    assert thresholds["millisBehindLatest"] == thresholds["runningTime"] == 60_000
    assert thresholds["DeliveryToS3.DataFreshness"] == 600  # seconds: 300 of buffer, 300 of patience
    assert thresholds["FreeStorageSpace"] == 400 * 1024 / 4  # MiB: a quarter of a volume of 400 GiB
    assert thresholds["RankingAge"] == (5 + 3) * 60
    assert thresholds["segmentsSecondsSinceCheck"] == 10 * 10 + 60
    assert thresholds["WaitingAge"] == 60 + 300
    assert thresholds["Nodes"] == 3
    assert (thresholds["heapMemoryUtilization"], thresholds["JVMMemoryPressure"]) == (90, 95)  # percent
    for name in ("forwarder-RejectedShare", "analytics-RejectedShare"):
        assert alarms[name]["Threshold"] == 5  # percent


def test_less_than_a_threshold_rings_where_less_is_worse(alarms: dict[str, Alarm]) -> None:
    below = {measured(one) for one in alarms.values() if one["ComparisonOperator"] == "LessThanThreshold"}
    assert below == {"runningTime", "segmentsUsers", "Invocations", "FreeStorageSpace", "Nodes"}
    above = {one["ComparisonOperator"] for one in alarms.values() if measured(one) not in below}
    assert above == {"GreaterThanThreshold"}


def test_one_fault_is_enough_where_a_fault_is_counted(alarms: dict[str, Alarm]) -> None:
    beyond = {
        "RejectedShare",
        "GetRecords.IteratorAgeMilliseconds",
        "IteratorAge",
        "RankingAge",
        "WaitingAge",
    }
    beyond |= {
        "millisBehindLatest",
        "heapMemoryUtilization",
        "JVMMemoryPressure",
        "segmentsSecondsSinceCheck",
    }
    beyond |= {name for name in map(measured, alarms.values()) if name.endswith(".DataFreshness")}
    for name, alarm in alarms.items():
        if alarm["ComparisonOperator"] == "GreaterThanThreshold" and measured(alarm) not in beyond:
            assert alarm["Threshold"] == 0, name


def test_an_alarm_on_our_own_metrics_sees_its_environment_only(alarms: dict[str, Alarm]) -> None:
    """Two environments may share an account: what one gives up must not ring, or be averaged away, in the
    other."""
    watched = [
        (alarm["AlarmName"], metric)
        for alarm in alarms.values()
        for metric in (
            alarm,
            *(one.get("MetricStat", {}).get("Metric", {}) for one in alarm.get("Metrics", [])),
        )
        if metric.get("Namespace") == NAMESPACE
    ]
    assert len(watched) == 6
    for name, metric in watched:
        [dimension] = metric["Dimensions"]
        assert dimension["Name"] == SERVICE_DIMENSION
        assert name.startswith(f"{dimension['Value']}-")


def test_a_function_counts_under_its_own_name() -> None:
    functions = ("forwarder", "redelivery", "feedback")
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


def test_a_counter_since_the_start_is_watched_by_its_growth(alarms: dict[str, Alarm]) -> None:
    """A restart that is over must not ring until the next deployment."""
    for name in ("numRestarts", "numberOfFailedCheckpoints"):
        [expression, counter] = alarms[f"analytics-{name}"]["Metrics"]
        assert expression["Expression"] == f"DIFF({counter['Id']})"
        assert counter["MetricStat"]["Metric"]["MetricName"] == name
        assert counter["MetricStat"]["Metric"]["Dimensions"] == [
            {"Name": "Application", "Value": f"{PREFIX}-analytics"}
        ]


@pytest.mark.parametrize("name", ["numRestarts", "numberOfFailedCheckpoints"])
@pytest.mark.parametrize(
    ("every_minutes", "rings"), [(1, True), (3, True), (10, True), (15, True), (60, False), (24 * 60, False)]
)
def test_a_job_that_fails_now_and_again_rings(
    alarms: dict[str, Alarm], name: str, every_minutes: int, rings: bool
) -> None:
    """Out of memory some minutes after each start, or each checkpoint at its time-out of ten minutes; but not
    the restart of a maintenance."""
    alarm = alarms[f"analytics-{name}"]
    evaluated, ringing = alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
    growths = [minute % every_minutes == 0 for minute in range(2 * 24 * 60)]
    most = max(sum(growths[end - evaluated : end]) for end in range(evaluated, len(growths)))
    assert (most >= ringing) is rings


def test_metrics_of_unknown_further_dimensions_are_found_by_the_application(
    alarms: dict[str, Alarm],
) -> None:
    for name in ("runningTime", "millisBehindLatest", "heapMemoryUtilization", "segmentsSecondsSinceCheck"):
        [query] = alarms[f"analytics-{name}"]["Metrics"]
        assert query["Expression"] == (
            f"SELECT MAX({name}) FROM \"AWS/KinesisAnalytics\" WHERE Application = '{PREFIX}-analytics'"
        )
        assert query["Period"] == 60


def test_segments_without_a_reader_in_any_task_are_an_alarm(alarms: dict[str, Alarm]) -> None:
    alarm = alarms["analytics-segmentsUsers"]
    [query] = alarm["Metrics"]
    assert query["Expression"] == (
        f"SELECT MIN(segmentsUsers) FROM \"AWS/KinesisAnalytics\" WHERE Application = '{PREFIX}-analytics'"
    )
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_a_share_of_few_clicks_is_none(alarms: dict[str, Alarm]) -> None:
    [expression, *metrics] = alarms["analytics-RejectedShare"]["Metrics"]
    assert expression["Expression"] == "IF(whole < 100, 0, 100 * FILL(part, 0) / whole)"
    names = {one["Id"]: one["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for one in metrics}
    assert names == {"part": f"{PREFIX}-rejects", "whole": f"{PREFIX}-source"}


TOPICS = {
    "tokyo_topic_arn": "arn:aws:sns:ap-northeast-1:111111111111:on-call",
    "oregon_topic_arn": "arn:aws:sns:us-west-2:111111111111:on-call",
}


def environment(tmp_path: Path, alarms: dict[str, str]) -> Path:
    lines = ['environment = "trial"', 'account = "111111111111"', "[alarms]"]
    lines += [f'{key} = "{value}"' for key, value in alarms.items()]
    (tmp_path / "trial.toml").write_text("\n".join(lines))
    return tmp_path


def test_every_alarm_calls_the_topic_of_its_region(
    tmp_path: Path, no_jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = environment(tmp_path, TOPICS)
    monkeypatch.setattr("stacks.app.load", lambda name: load(name, folder))
    app = build_app("trial", outdir=tmp_path / "out", jar=no_jar)
    found = 0
    for stack in (child for child in app.node.children if "trial" in child.node.id):
        region = "ap-northeast-1" if "Tokyo" in stack.node.id else "us-west-2"
        topic = [f"arn:aws:sns:{region}:111111111111:on-call"]
        for alarm in Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values():  # type: ignore[arg-type]
            assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == topic
            found += 1
        Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("call nobody"))  # type: ignore[arg-type]
    assert found > 25


def test_alarms_that_call_nobody_are_told_at_synth(tmp_path: Path, no_jar: Path) -> None:
    app = build_app("production", outdir=tmp_path / "out", jar=no_jar)
    stacks = [child for child in app.node.children if "production" in child.node.id]
    assert len(stacks) == 4
    for stack in stacks:
        Annotations.from_stack(stack).has_warning(  # type: ignore[arg-type]
            "*", Match.string_like_regexp(r"call nobody.*set alarms\.(tokyo|oregon)_topic_arn")
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
def test_a_topic_that_cannot_be_called_is_refused(tmp_path: Path, arn: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load("trial", environment(tmp_path, {"tokyo_topic_arn": arn}))


def test_the_twin_needs_no_topic(tmp_path: Path, no_jar: Path) -> None:
    settings: Settings = load("local")
    assert settings.alarms.topic_arn("oregon") is None
    app = build_app("local", outdir=tmp_path / "out", jar=no_jar)
    for stack in (child for child in app.node.children if "local" in child.node.id):
        Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("call nobody"))  # type: ignore[arg-type]
