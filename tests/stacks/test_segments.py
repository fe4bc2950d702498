"""The segments' door in the templates: who may write versions, who may upload, what is kept for how long."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from names import Names
from settings import load
from settings.segments import SegmentsSettings, keep_seconds, lead_seconds
from stacks.constructs.service_function import FunctionDefaults
from stacks.segments.publisher import SegmentsPublisher
from tests.stacks.test_permissions import allowed, granted, listed, matches, permissions

NAMES = Names(environment="production", account="111111111111")
BUCKET = f"arn:aws:s3:::{NAMES.segments_bucket}"
VERSION, RECEIPT, UPLOAD, REFUSED = (
    f"{BUCKET}/{key}"
    for key in ("segments/20260131T000000Z.csv", "receipts/a.csv.json", "incoming/a.csv", "refused/a.csv")
)
Resources = Callable[[str], list[dict[str, Any]]]
OPERATOR, PUBLISHER = NAMES.operator_role("publish"), NAMES.segments_publisher


@pytest.fixture(name="denied")
def statement_that_denies(resources: Resources) -> dict[str, Any]:
    """Of the bucket's policy."""
    [found] = [
        statement
        for policy in resources("AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "OnlyThePublisherWritesVersions"
    ]
    statement: dict[str, Any] = found
    return statement


def denies(statement: dict[str, Any], action: str, key: str) -> bool:
    patterns = [resource["Fn::Join"][1][-1] for resource in listed(statement["Resource"])]
    return action in listed(statement["Action"]) and any(matches(pattern, f"/{key}") for pattern in patterns)


@pytest.mark.parametrize(
    "key", ["segments/20260131T000000Z.csv", "segments/a/b", "corrections/a/0001.csv", "receipts/.journal"]
)
@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"])
def test_nobody_but_the_publisher_writes_versions_and_receipts(
    denied: dict[str, Any], action: str, key: str
) -> None:
    assert denied["Effect"] == "Deny"
    assert denied["Principal"] == {"AWS": "*"}
    assert denied["Condition"] == {"StringNotEquals": {"aws:PrincipalArn": NAMES.role_arn(PUBLISHER)}}
    assert denies(denied, action, key)


@pytest.mark.parametrize("key", ["incoming/a.csv", "refused/a.csv", "segments"])
def test_the_policy_leaves_the_rest_of_the_bucket_to_permissions(denied: dict[str, Any], key: str) -> None:
    assert not denies(denied, "s3:PutObject", key)
    assert not denies(denied, "s3:GetObject", "segments/20260131T000000Z.csv")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", UPLOAD),
        ("s3:GetObject", RECEIPT),
        ("s3:GetObject", REFUSED),
        ("s3:GetObject", VERSION),
        ("s3:ListBucket", BUCKET),
    ],
)
def test_whoever_publishes_may_upload_and_see_what_came_of_it(
    resources: Resources, action: str, resource: str
) -> None:
    assert allowed(permissions(resources, OPERATOR), action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", VERSION),
        ("s3:DeleteObject", VERSION),
        ("s3:PutObject", RECEIPT),
        ("s3:PutObject", REFUSED),
        ("s3:DeleteObject", UPLOAD),
        ("s3:GetObject", UPLOAD),
        ("s3:PutObject", f"arn:aws:s3:::{NAMES.raw_bucket}/raw/a"),
        ("s3:PutBucketPolicy", BUCKET),
    ],
)
def test_whoever_publishes_writes_no_version_and_takes_no_upload(
    resources: Resources, action: str, resource: str
) -> None:
    assert not allowed(permissions(resources, OPERATOR), action, resource)


def test_the_publisher_touches_the_segments_bucket_and_nothing_else(resources: Resources) -> None:
    statements = permissions(resources, PUBLISHER)
    others = [one for one in statements if one["Sid"] != "WritesItsLog"]
    for statement in others:
        for resource in listed(statement["Resource"]):
            assert resource.startswith(BUCKET)
    actions = {action for statement in others for action in listed(statement["Action"])}
    assert not {action for action in actions if not action.startswith("s3:")}
    assert not allowed(others, "s3:PutObject", UPLOAD)
    assert not allowed(others, "s3:DeleteObjectVersion", VERSION)  # a deleted version can be had back
    assert not allowed(others, "s3:PutBucketPolicy", BUCKET)


def test_the_publisher_tells_a_topic_whether_it_is_encrypted_or_not() -> None:
    topic = "arn:aws:sns:us-west-2:111111111111:on-call"
    stack = Stack(App(), "Analytics", env=Environment(account=NAMES.account, region=NAMES.oregon))
    SegmentsPublisher(
        stack,
        "Publisher",
        bucket=s3.Bucket.from_bucket_arn(stack, "Segments", BUCKET),
        lead_seconds=60,
        keep_seconds=60,
        topic_arn=topic,
        names=NAMES,
        settings=SegmentsSettings(),
        defaults=FunctionDefaults(architecture="arm64", log_days=30),
    )
    roles = Template.from_stack(stack).find_resources("AWS::IAM::Role").values()
    statements = permissions(lambda _: [role["Properties"] for role in roles], PUBLISHER)
    assert allowed(statements, "sns:Publish", topic)
    assert not allowed(statements, "sns:Publish", topic + "s")
    assert not allowed(statements, "sns:SetTopicAttributes", topic)
    key = "arn:aws:kms:us-west-2:111111111111:key/any"
    [statement] = [one for one in statements if "kms:GenerateDataKey" in listed(one["Action"])]
    assert statement["Condition"] == {
        "StringEquals": {
            "kms:ViaService": "sns.us-west-2.amazonaws.com",
            "kms:EncryptionContext:aws:sns:topicArn": topic,
        }
    }
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert allowed([statement], action, key)
    assert set(listed(statement["Action"])) == {"kms:GenerateDataKey", "kms:Decrypt"}


def test_no_age_rule_of_s3_deletes_a_version_a_receipt_or_an_upload(resources: Resources) -> None:
    [bucket] = [one for one in resources("AWS::S3::Bucket") if one["BucketName"] == NAMES.segments_bucket]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    expiring = {rule.get("Prefix"): rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"refused/": 30, "receipts/.staged/": 1}
    assert {rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") for rule in rules} == {
        1,
        30,
        None,
    }


def test_a_version_is_kept_for_longer_than_a_click_and_its_lateness(resources: Resources) -> None:
    settings = load("production")
    [function] = [one for one in resources("AWS::Lambda::Function") if one["FunctionName"] == PUBLISHER]
    variables = function["Environment"]["Variables"]
    kept = int(variables["KEEP_SECONDS"])
    assert kept == keep_seconds(settings.analytics, settings.delivery)
    lateness = settings.analytics.allowed_lateness_hours * 3600
    assert kept - lateness > settings.delivery.raw_retention_days * 86_400 + 86_400
    assert int(variables["LEAD_SECONDS"]) == lead_seconds(settings.segments, settings.analytics)
    assert int(variables["LEASE_SECONDS"]) > function["Timeout"]


def test_the_schedule_repeats_what_an_invocation_of_the_publisher_left(resources: Resources) -> None:
    [rule] = [one for one in resources("AWS::Events::Rule") if one["Name"] == PUBLISHER]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    configured = [
        one
        for one in resources("AWS::Lambda::EventInvokeConfig")
        if "SegmentsPublisher" in str(one["FunctionName"])
    ]
    assert [one["MaximumRetryAttempts"] for one in configured] == [0]


def test_a_role_grants_each_action_of_the_door_once(resources: Resources) -> None:
    assert granted(permissions(resources, OPERATOR))
