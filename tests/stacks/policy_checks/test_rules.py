"""Each policy check ends the synthesis of a stack that breaks it, with advice. `production` passes all."""

from pathlib import Path

import pytest
from aws_cdk import Acknowledgment, CfnResource, Duration, Environment, Fn, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from contract.sink import SINKS
from names import OPERATOR_COMMANDS, OREGON
from stacks.app import build_app
from stacks.constructs.log_group import NamedLogGroup
from stacks.constructs.retention import Retention
from stacks.constructs.service_function import FunctionDefaults, ServiceFunction
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import FORWARDER
from stacks.monitoring.silence import BREACHING
from stacks.policy_checks.holds_data import BUILT_AGAIN, HOLDS_DATA
from stacks.policy_checks.physical_names import known_names
from stacks.policy_checks.plugin import PolicyChecks
from stacks.policy_checks.tags import stack_tags
from tests.conftest import PROJECT
from tests.stacks.policy_checks.policy_fixture import DESTROY, EC2, KEEP, NAMES, SETTINGS, Build, Check


def function_alarms(stack: Stack, function_name: str) -> None:
    FunctionAlarms(stack, "Alarms", function_name=function_name, hop=FORWARDER, silence=BREACHING)


def service_function(stack: Stack) -> ServiceFunction:
    return ServiceFunction(
        stack,
        "Function",
        name=NAMES.forwarder,
        description="of a test",
        package=PROJECT / "lambdas",
        statements=[],
        environment={},
        memory_mib=128,
        timeout=Duration.seconds(3),
        defaults=FunctionDefaults(architecture="arm64", log_days=30),
    )


# A physical name comes from the names module


@pytest.mark.parametrize(
    ("build", "finding"),
    [
        (
            lambda stack: iam.Role(stack, "Role", role_name="mine", assumed_by=EC2),
            "PhysicalName[RoleName::mine]",
        ),
        (
            lambda stack: NamedLogGroup(stack, "Logs", name="/mine", days=1),
            "PhysicalName[LogGroupName::/mine]",
        ),
        (
            lambda stack: iam.Role(stack, "Role", role_name=f"{NAMES.prefix}-new", assumed_by=EC2),
            "PhysicalName[RoleName::click-trends-trial-new]",
        ),
        (
            lambda stack: iam.Role(
                stack, "Role", role_name=Fn.join("-", ["mine", Fn.ref("AWS::Region")]), assumed_by=EC2
            ),
            "PhysicalName[RoleName::composed in the template]",
        ),
        (
            lambda stack: cloudwatch.CfnAlarm(
                stack, "Alarm", alarm_name="mine", comparison_operator="x", evaluation_periods=1
            ),
            "PhysicalName[AlarmName::mine]",
        ),
        (
            lambda stack: iam.Role(
                stack, "Role", role_name=Fn.select(0, Fn.split("-", "mine-not")), assumed_by=EC2
            ),
            "PhysicalName[RoleName",
        ),
    ],
    ids=["role", "log group", "prefix of the environment", "composed", "alarm", "selected"],
)
def test_a_physical_name_outside_the_names_module_is_refused(
    broken: Check, build: Build, finding: str
) -> None:
    report = broken(build)
    assert finding.replace(" ", "-") in report.replace(" ", "-")
    assert "Add the name to names.py" in report


def test_the_known_names_are_those_of_the_environment_each_sink_and_each_command() -> None:
    known = known_names(NAMES)
    assert {NAMES.operator_role(command) for command in OPERATOR_COMMANDS} <= known
    assert {NAMES.source_stream, NAMES.forwarder, NAMES.raw_bucket, NAMES.search_domain} <= known
    assert {NAMES.delivery_stream(sink.name) for sink in SINKS} <= known
    assert not any("production" in name for name in known)


# Log retention, and an alarm for each function


def test_a_log_without_an_end_is_refused(broken: Check) -> None:
    report = broken(lambda stack: logs.CfnLogGroup(stack, "Logs"))
    assert "LogRetention[RetentionInDays]" in report
    assert "NamedLogGroup" in report


def test_a_function_whose_log_lambda_would_make_is_refused(broken: Check) -> None:
    def build(stack: Stack) -> None:
        lambda_.CfnFunction(
            stack,
            "Function",
            code=lambda_.CfnFunction.CodeProperty(zip_file="pass"),
            role="arn:aws:iam::111111111111:role/any",
            function_name=NAMES.forwarder,
        )
        function_alarms(stack, NAMES.forwarder)

    assert "LogRetention[LoggingConfig.LogGroup]" in broken(build)


@pytest.mark.parametrize("missing", ["Errors", "Throttles"])
def test_a_function_that_no_alarm_watches_is_refused(broken: Check, missing: str) -> None:
    report = broken(service_function)
    assert f"FunctionAlarm[{missing}]" in report
    assert "Build FunctionAlarms" in report


def test_an_alarm_of_another_function_watches_nothing(broken: Check) -> None:
    def build(stack: Stack) -> None:
        service_function(stack)
        function_alarms(stack, NAMES.search_bootstrap)

    assert "FunctionAlarm[Errors]" in broken(build)


def test_an_alarm_whose_actions_are_off_watches_nothing(broken: Check) -> None:
    def build(stack: Stack) -> None:
        service_function(stack)
        function_alarms(stack, NAMES.forwarder)
        for construct in stack.node.find_all():
            if isinstance(construct, cloudwatch.CfnAlarm):
                construct.actions_enabled = False

    assert "FunctionAlarm[Errors]" in broken(build)


def test_an_alarm_in_the_other_region_watches_nothing(broken: Check) -> None:
    def build(stack: Stack) -> None:
        service_function(stack)
        other = Stack(
            stack.node.root,  # type: ignore[arg-type]
            "Other",
            env=Environment(account=SETTINGS.account, region=OREGON),
            tags=stack_tags(SETTINGS),
        )
        function_alarms(other, NAMES.forwarder)

    assert "FunctionAlarm[Errors]" in broken(build)


# Data needs two keys


def stream(stack: Stack, *, retention: Retention = KEEP) -> kinesis.Stream:
    return kinesis.Stream(
        stack, "Stream", stream_name=NAMES.source_stream, removal_policy=retention.removal_policy
    )


@pytest.mark.parametrize("retention", [KEEP, Retention(allowed=True, asked=False)], ids=["no key", "one key"])
def test_data_that_one_key_deletes_is_refused(broken: Check, retention: Retention) -> None:
    report = broken(lambda stack: stream(stack, retention=DESTROY), retention=retention)
    assert "DataNeedsTwoKeys[DeletionPolicy]" in report
    assert "DataNeedsTwoKeys[UpdateReplacePolicy]" in report
    assert "retention.removal_policy" in report


@pytest.mark.parametrize("retention", [KEEP, Retention(allowed=True, asked=False)], ids=["no key", "one key"])
def test_data_that_only_a_failed_creation_takes_with_it_is_accepted(
    broken: Check, retention: Retention
) -> None:
    assert broken(lambda stack: stream(stack, retention=retention), retention=retention) == ""


@pytest.mark.parametrize("kind", sorted(HOLDS_DATA.keys() - BUILT_AGAIN.keys()))
def test_whatever_the_review_counts_as_data_needs_two_keys(broken: Check, kind: str) -> None:
    report = broken(lambda stack: CfnResource(stack, "Data", type=kind))
    assert "DataNeedsTwoKeys[DeletionPolicy]" in report
    assert "DataNeedsTwoKeys[UpdateReplacePolicy]" in report


def test_only_the_queue_of_failed_feedback_may_go_with_one_key(broken: Check) -> None:
    def named(name: str) -> Build:
        return lambda stack: sqs.Queue(stack, "Queue", queue_name=name)

    assert broken(named(NAMES.feedback_dead_letters)) == ""
    assert "DataNeedsTwoKeys[DeletionPolicy]" in broken(named(NAMES.source_stream))


def test_the_application_may_go_with_one_key_as_it_counts_the_stream_again(broken: Check) -> None:
    def build(stack: Stack) -> None:
        CfnResource(stack, "Application", type="AWS::KinesisAnalyticsV2::Application")

    assert broken(build) == ""


def test_a_bucket_that_empties_itself_is_refused(broken: Check) -> None:
    def build(stack: Stack) -> None:
        CfnResource(stack, "Empties", type="Custom::S3AutoDeleteObjects", properties={"ServiceToken": "any"})

    assert "DataNeedsTwoKeys[AutoDeleteObjects]" in broken(build)


def test_a_reason_does_not_make_up_for_a_missing_key(broken: Check) -> None:
    def build(stack: Stack) -> None:
        made = stream(stack, retention=DESTROY)
        Validations.of(made).acknowledge(
            Acknowledgment(
                id="PolicyChecks::DataNeedsTwoKeys[DeletionPolicy]", reason="it can be made again, somehow"
            )
        )

    assert "DataNeedsTwoKeys[DeletionPolicy]" in broken(build)


def test_data_may_go_when_both_keys_are_turned(broken: Check) -> None:
    build: Build = lambda stack: stream(stack, retention=DESTROY)  # noqa: E731
    assert broken(build, retention=DESTROY) == ""


# Tags


@pytest.mark.parametrize(
    ("tags", "missing"),
    [
        ({}, ["project=click-trends", "environment=trial"]),
        ({"project": "click-trends", "environment": "production"}, ["environment=trial"]),
    ],
    ids=["none", "of another environment"],
)
def test_a_stack_without_its_tags_is_refused(broken: Check, tags: dict[str, str], missing: list[str]) -> None:
    report = broken(lambda _stack: None, tags=tags)
    assert all(f"Tags[{tag}]" in report for tag in missing)
    assert "tags=stack_tags(settings)" in report


def test_the_app_itself_is_held_to_the_rules(tmp_path: Path, no_jar: Path) -> None:
    app = build_app("production", destroy=False, outdir=tmp_path, jar=no_jar)
    stack = app.node.find_child("ClickTrends-production-TokyoIngest")
    logs.CfnLogGroup(stack, "Endless")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"LogRetention\[RetentionInDays\]"):
        app.synth()


def test_every_rule_stands_in_the_docs() -> None:
    page = (PROJECT / "docs" / "reference" / "policy_checks.md").read_text()
    for rule in PolicyChecks(settings=SETTINGS, retention=KEEP).rules:
        assert f"| `{rule.id}` |" in page
