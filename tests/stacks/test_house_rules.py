"""Each house rule ends the synthesis of a stack that breaks it, with advice, and lets the mended one pass."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, App, CfnResource, Duration, Environment, Fn, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from contract.sink import SINKS
from names import OREGON, TOKYO
from settings import Settings
from stacks.app import build_app
from stacks.house_rules.physical_names import known_names
from stacks.house_rules.plugin import HouseRules
from stacks.house_rules.tags import stack_tags
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.parts.acknowledge import acknowledge, acknowledge_wildcards
from stacks.parts.log_group import NamedLogGroup
from stacks.parts.private_bucket import PrivateBucket
from stacks.parts.private_function import PrivateFunction
from stacks.parts.retention import Retention

Build = Callable[[Stack], object]
Check = Callable[..., str]

SETTINGS = Settings(environment="trial", account="111111111111")
NAMES = SETTINGS.names
KEEP = Retention(allowed=False, asked=False)
DESTROY = Retention(allowed=True, asked=True)
EC2 = iam.ServicePrincipal("ec2.amazonaws.com")


@pytest.fixture
def broken(tmp_path: Path) -> Check:
    """What the house rules say of a stack; empty if it keeps to them."""

    def check(
        build: Build,
        *,
        retention: Retention = KEEP,
        tags: dict[str, str] | None = None,
        protected: bool = True,
    ) -> str:
        app = App(
            outdir=str(tmp_path / "out"), analytics_reporting=False, builtin_cloud_formation_validation=False
        )
        stack = Stack(
            app,
            "Trial",
            env=Environment(account=SETTINGS.account, region=TOKYO),
            tags=stack_tags(SETTINGS) if tags is None else tags,
            termination_protection=protected,
        )
        build(stack)
        Validations.of(app).add_plugins(HouseRules(settings=SETTINGS, retention=retention))
        try:
            app.synth()
        except RuntimeError as error:
            return str(error)
        return ""

    return check


def role_with(**statement: Any) -> Callable[[Stack], iam.Role]:
    def build(stack: Stack) -> iam.Role:
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(**statement))
        return role

    return build


def private_function(stack: Stack) -> PrivateFunction:
    package = Path(__file__).parents[2] / "lambdas" / "custom_resource.py"
    return PrivateFunction(
        stack,
        "Function",
        name=NAMES.forwarder,
        description="of a test",
        package=package.parent,
        statements=[],
        environment={},
        memory_mib=128,
        timeout=Duration.seconds(3),
        settings=SETTINGS,
    )


def bucket_with_policy(**statement: Any) -> Build:
    def build(stack: Stack) -> None:
        bucket = PrivateBucket(stack, "Bucket", bucket_name=NAMES.raw_bucket, retention=KEEP)
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[bucket.arn_for_objects("*")], **statement
            )
        )

    return build


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
    ],
    ids=["role", "log group", "prefix of the environment", "composed", "alarm"],
)
def test_a_physical_name_outside_the_names_module_is_refused(
    broken: Check, build: Build, finding: str
) -> None:
    report = broken(build)
    assert finding.replace(" ", "-") in report.replace(" ", "-")
    assert "Add the name to names.py" in report


def test_names_of_the_names_module_and_those_that_cloudformation_makes_are_accepted(broken: Check) -> None:
    def build(stack: Stack) -> None:
        iam.Role(stack, "Named", role_name=NAMES.web_server_role, assumed_by=EC2)
        iam.Role(stack, "Unnamed", assumed_by=EC2)
        NamedLogGroup(stack, "Logs", name=f"/aws/lambda/{NAMES.forwarder}", days=1)

    assert broken(build) == ""


def test_the_known_names_are_those_of_the_environment_and_of_every_sink() -> None:
    known = known_names(NAMES)
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
        FunctionAlarms(stack, "Alarms", function_name=NAMES.forwarder)

    assert "LogRetention[LoggingConfig.LogGroup]" in broken(build)


@pytest.mark.parametrize("missing", ["Errors", "Throttles"])
def test_a_function_that_no_alarm_watches_is_refused(broken: Check, missing: str) -> None:
    report = broken(private_function)
    assert f"FunctionAlarm[{missing}]" in report
    assert "Build FunctionAlarms" in report


def test_an_alarm_of_another_function_watches_nothing(broken: Check) -> None:
    def build(stack: Stack) -> None:
        private_function(stack)
        FunctionAlarms(stack, "Alarms", function_name=NAMES.search_bootstrap)

    assert "FunctionAlarm[Errors]" in broken(build)


def test_an_alarm_in_the_other_region_watches_nothing(broken: Check) -> None:
    def build(stack: Stack) -> None:
        private_function(stack)
        other = Stack(
            stack.node.root,  # type: ignore[arg-type]
            "Other",
            env=Environment(account=SETTINGS.account, region=OREGON),
            tags=stack_tags(SETTINGS),
        )
        FunctionAlarms(other, "Alarms", function_name=NAMES.forwarder)

    assert "FunctionAlarm[Errors]" in broken(build)


def test_a_function_with_its_log_and_its_alarms_is_accepted(broken: Check) -> None:
    def build(stack: Stack) -> None:
        private_function(stack)
        FunctionAlarms(stack, "Alarms", function_name=NAMES.forwarder)

    assert broken(build) == ""


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


def test_data_in_a_stack_without_termination_protection_is_refused(broken: Check) -> None:
    assert "DataNeedsTwoKeys[TerminationProtection]" in broken(stream, protected=False)


def test_a_bucket_that_empties_itself_is_refused(broken: Check) -> None:
    def build(stack: Stack) -> None:
        CfnResource(stack, "Empties", type="Custom::S3AutoDeleteObjects", properties={"ServiceToken": "any"})

    assert "DataNeedsTwoKeys[AutoDeleteObjects]" in broken(build)


def test_a_reason_does_not_make_up_for_a_missing_key(broken: Check) -> None:
    def build(stack: Stack) -> None:
        made = stream(stack, retention=DESTROY)
        Validations.of(made).acknowledge(
            Acknowledgment(
                id="HouseRules::DataNeedsTwoKeys[DeletionPolicy]", reason="it can be made again, somehow"
            )
        )

    assert "DataNeedsTwoKeys[DeletionPolicy]" in broken(build)


def test_data_that_is_kept_is_accepted(broken: Check) -> None:
    assert broken(stream) == ""


def test_data_may_go_when_both_keys_are_turned(broken: Check) -> None:
    build: Build = lambda stack: stream(stack, retention=DESTROY)  # noqa: E731
    assert broken(build, retention=DESTROY, protected=False) == ""


# No grant on everything without a reason


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ({"actions": ["s3:GetObject"], "resources": ["*"]}, "Grant[Resource::*]"),
        ({"actions": ["s3:*"], "resources": ["arn:aws:s3:::one"]}, "Grant[Action::s3:*]"),
        ({"not_actions": ["iam:PassRole"], "resources": ["arn:aws:s3:::one"]}, "Grant[NotAction]"),
        ({"actions": ["s3:GetObject"], "not_resources": ["arn:aws:s3:::one"]}, "Grant[NotResource]"),
    ],
    ids=["resource", "action", "not action", "not resource"],
)
def test_a_grant_on_everything_is_refused(broken: Check, statement: dict[str, Any], finding: str) -> None:
    report = broken(role_with(**statement))
    assert finding in report
    assert "acknowledge_wildcards" in report


def test_a_grant_on_everything_with_a_reason_for_nag_is_accepted(broken: Check) -> None:
    def build(stack: Stack) -> None:
        role = role_with(actions=["logs:DescribeLogGroups"], resources=["*"])(stack)
        acknowledge_wildcards(role, ["*"], reason="The action cannot be limited to one log group.")

    assert broken(build) == ""


def test_a_reason_of_another_wildcard_covers_no_grant(broken: Check) -> None:
    def build(stack: Stack) -> None:
        role = role_with(actions=["logs:DescribeLogGroups"], resources=["*"])(stack)
        acknowledge_wildcards(role, ["arn:aws:s3:::one/*"], reason="Its objects have no fixed names.")

    assert "Grant[Resource::*]" in broken(build)


def test_what_is_denied_is_no_grant(broken: Check) -> None:
    assert broken(role_with(effect=iam.Effect.DENY, actions=["s3:*"], resources=["*"])) == ""


@pytest.mark.parametrize("reason", ["", "   ", "needed"])
def test_a_reason_that_says_nothing_is_refused(broken: Check, reason: str) -> None:
    def build(stack: Stack) -> None:
        role = role_with(actions=["logs:DescribeLogGroups"], resources=["*"])(stack)
        acknowledge_wildcards(role, ["*"], reason=reason)

    assert "Reason[AwsSolutions-IAM5[Resource::*]]" in broken(build)


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


# Nothing is open to everyone


@pytest.mark.parametrize(
    ("build", "finding"),
    [
        (lambda stack: s3.CfnBucket(stack, "Bucket"), "PublicAccess[BlockPublicPolicy]"),
        (bucket_with_policy(principals=[iam.AnyPrincipal()]), "PublicAccess[Principal::*]"),
        (bucket_with_policy(sid="Read", principals=[iam.ArnPrincipal("*")]), "PublicAccess[Principal::Read]"),
        (
            bucket_with_policy(
                principals=[iam.AnyPrincipal()],
                conditions={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            bucket_with_policy(
                principals=[iam.AnyPrincipal()], conditions={"StringLike": {"aws:SourceAccount": "*"}}
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            bucket_with_policy(
                principals=[iam.AnyPrincipal()],
                conditions={"StringEqualsIfExists": {"aws:SourceAccount": "111111111111"}},
            ),
            "PublicAccess[Principal::*]",
        ),
        (
            lambda stack: iam.Role(stack, "Role", assumed_by=iam.AnyPrincipal()),
            "PublicAccess[Principal::*]",
        ),
        (
            lambda stack: lambda_.CfnUrl(stack, "Url", auth_type="NONE", target_function_arn="any"),
            "PublicAccess[AuthType::NONE]",
        ),
        (
            lambda stack: lambda_.CfnPermission(
                stack,
                "Permission",
                action="lambda:InvokeFunction",
                function_name=NAMES.forwarder,
                principal="*",
            ),
            "PublicAccess[Principal::*]",
        ),
    ],
    ids=[
        "bucket without blocks",
        "bucket policy",
        "principal of a list",
        "condition that excludes",
        "condition on any account",
        "condition that a missing key meets",
        "trust",
        "function URL",
        "permission to invoke",
    ],
)
def test_what_is_open_to_everyone_is_refused(broken: Check, build: Build, finding: str) -> None:
    report = broken(build)
    assert finding in report
    assert "Use PrivateBucket" in report


def test_everyone_of_one_account_is_not_everyone(broken: Check) -> None:
    build = bucket_with_policy(
        principals=[iam.AnyPrincipal()], conditions={"StringEquals": {"aws:SourceAccount": "111111111111"}}
    )
    assert broken(build) == ""


@pytest.mark.parametrize("known", [True, False])
def test_guests_are_accepted_with_the_reason_for_nag(broken: Check, known: bool) -> None:
    def build(stack: Stack) -> None:
        pool = cognito.CfnIdentityPool(stack, "Pool", allow_unauthenticated_identities=True)
        pool.apply_removal_policy(KEEP.removal_policy)
        if known:
            acknowledge(pool, "COG7", reason="Guests are a setting of the environment.")

    assert ("PublicAccess[AllowUnauthenticatedIdentities::True]" in broken(build)) is not known


def test_the_app_itself_is_held_to_the_rules(tmp_path: Path, no_jar: Path) -> None:
    app = build_app("production", destroy=False, outdir=tmp_path, jar=no_jar)
    stack = app.node.find_child("ClickTrends-production-TokyoIngest")
    logs.CfnLogGroup(stack, "Endless")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"LogRetention\[RetentionInDays\]"):
        app.synth()


def test_every_rule_stands_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "house_rules.md").read_text()
    for rule in HouseRules(settings=SETTINGS, retention=KEEP).rules:
        assert f"| `{rule.id}` |" in page
