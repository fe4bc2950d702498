"""What the templates say of redelivery: its schedule, its rights."""

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

from contract.sink import CLICK_COUNTS, Sink
from names import FAILED_DOCUMENTS_PREFIX, OREGON
from settings import Settings
from stacks.delivery.redelivery import Redelivery
from stacks.delivery.search_delivery import SearchDelivery

SETTINGS = Settings(environment="trial", account="111111111111")
SECOND = Sink(
    table="counts_by_platform", name="counts-by-platform", definitions="platform-counts", key=("minute",)
)
BUCKET = "arn:aws:s3:::rejected"


@pytest.fixture(scope="module")
def template() -> Template:
    """Of two sinks."""
    stack = Stack(App(), "Analytics", env=Environment(account=SETTINGS.account, region=OREGON))
    bucket = s3.Bucket.from_bucket_arn(stack, "Rejected", BUCKET)
    deliveries = [
        SearchDelivery(
            stack,
            f"{sink.construct_id}Delivery",
            sink=sink,
            domain_arn=SETTINGS.names.search_domain_arn,
            bucket=bucket,
            settings=SETTINGS,
        )
        for sink in (CLICK_COUNTS, SECOND)
    ]
    Redelivery(stack, "Redelivery", deliveries=deliveries, bucket=bucket, settings=SETTINGS)
    return Template.from_stack(stack)


def function(template: Template) -> dict[str, Any]:
    [found] = template.find_resources("AWS::Lambda::Function").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_it_is_invoked_every_minute_and_ends_before_the_next(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Events::Rule", {"ScheduleExpression": "rate(1 minute)", "State": "ENABLED"}
    )
    assert function(template)["Timeout"] < 60


def test_an_invocation_that_failed_or_found_no_room_is_left_to_the_schedule(template: Template) -> None:
    """Else Lambda keeps one for six hours: an hour without room would end with sixty invocations at once."""
    template.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    )


def test_each_sink_has_a_folder_of_its_own_that_redelivery_reads(template: Template) -> None:
    variables = function(template)["Environment"]["Variables"]
    assert variables["FAILED_PREFIX"] == FAILED_DOCUMENTS_PREFIX
    written = {
        stream["Properties"]["DeliveryStreamName"]: stream["Properties"][
            "AmazonopensearchserviceDestinationConfiguration"
        ]["S3Configuration"]["Prefix"]
        for stream in template.find_resources("AWS::KinesisFirehose::DeliveryStream").values()
    }
    read = {
        arn.rpartition("/")[2]: f"{FAILED_DOCUMENTS_PREFIX}{sink}/"
        for sink, arn in json.loads(variables["SINKS"]).items()
    }
    assert read == written
    assert len(read) == 2


def test_it_knows_the_index_that_each_delivery_stream_names(template: Template) -> None:
    """So that it sees what failed before a new generation of an index family."""
    variables = function(template)["Environment"]["Variables"]
    named = {
        arn.rpartition("/")[2]: json.loads(variables["INDICES"])[sink]
        for sink, arn in json.loads(variables["SINKS"]).items()
    }
    assert named == {
        stream["Properties"]["DeliveryStreamName"]: stream["Properties"][
            "AmazonopensearchserviceDestinationConfiguration"
        ]["IndexName"]
        for stream in template.find_resources("AWS::KinesisFirehose::DeliveryStream").values()
    }


def test_it_may_take_keep_and_redeliver_and_nothing_else(template: Template) -> None:
    [role] = template.find_resources(
        "AWS::IAM::Role", {"Properties": {"RoleName": SETTINGS.names.redelivery}}
    ).values()
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    rights = {one["Sid"]: (one["Action"], one["Resource"]) for one in statements}
    taken, waiting, given_up = (
        f"{BUCKET}/{prefix}/*" for prefix in ("failed-documents", "waiting-documents", "given-up")
    )
    assert rights.pop("FindsDocuments") == ("s3:ListBucket", BUCKET)
    assert rights.pop("TakesDocuments") == (["s3:DeleteObject", "s3:GetObject"], [taken, waiting])
    assert rights.pop("KeepsDocuments") == ("s3:PutObject", [waiting, given_up])
    action, streams = rights.pop("RedeliversThem")
    assert action == "firehose:PutRecordBatch"
    assert [arn.rpartition("/")[2] for arn in streams] == [
        SETTINGS.names.delivery_stream(sink.name) for sink in (CLICK_COUNTS, SECOND)
    ]
    assert list(rights) == ["WritesItsLog"]


def test_counts_are_redelivered_no_faster_than_the_declared_peak(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"RECORDS_PER_SECOND": "1000"})}},
    )
