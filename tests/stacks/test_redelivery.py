"""Redelivery in the templates: its schedule, its permissions."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

from contract.sink import CLICK_COUNTS, Sink
from names import FAILED_DOCUMENTS_PREFIX, OREGON, Names
from settings.delivery import DeliverySettings
from settings.peak import PeakSettings
from stacks.constructs.service_function import FunctionDefaults
from stacks.delivery.redelivery import Redelivery
from stacks.delivery.search_delivery import SearchDelivery

NAMES = Names(environment="trial", account="111111111111")
SETTINGS = DeliverySettings()
SECOND = Sink(
    table="counts_by_platform", name="counts-by-platform", family="platform-counts", key=("minute",)
)
BUCKET = "arn:aws:s3:::rejected"


@pytest.fixture(scope="module")
def template() -> Template:
    """With two sinks."""
    return synthesised(NAMES)


def synthesised(names: Names) -> Template:
    stack = Stack(App(), "Analytics", env=Environment(account=NAMES.account, region=OREGON))
    bucket = s3.Bucket.from_bucket_arn(stack, "Rejected", BUCKET)
    deliveries = [
        SearchDelivery(
            stack,
            f"{sink.construct_id}Delivery",
            sink=sink,
            domain_arn=NAMES.search_domain_arn,
            bucket=bucket,
            log_days=30,
            names=names,
            settings=SETTINGS,
        )
        for sink in (CLICK_COUNTS, SECOND)
    ]
    Redelivery(
        stack,
        "Redelivery",
        deliveries=deliveries,
        bucket=bucket,
        counts_per_second=PeakSettings().counts_per_second,
        names=names,
        settings=SETTINGS,
        defaults=FunctionDefaults(architecture="arm64", log_days=30),
    )
    return Template.from_stack(stack)


def function(template: Template) -> dict[str, Any]:
    [found] = template.find_resources("AWS::Lambda::Function").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_the_schedule_repeats_failed_and_throttled_invocations(template: Template) -> None:
    """Otherwise Lambda keeps one for six hours: an hour of throttling would end in sixty at once."""
    template.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    )


def test_redelivery_reads_each_sinks_own_folder(template: Template) -> None:
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
    """So that it recognises documents of a former generation."""
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


def test_counts_are_redelivered_no_faster_than_the_declared_peak(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"RECORDS_PER_SECOND": "1000"})}},
    )


def test_another_generation_has_delivery_streams_and_indices_of_its_own() -> None:
    """Of its own: the former application delivers to the former indices until it is replaced."""
    template = synthesised(replace(NAMES, counts_generation=2))
    made = template.find_resources("AWS::KinesisFirehose::DeliveryStream").values()
    indices = {
        each["Properties"]["DeliveryStreamName"]: each["Properties"][
            "AmazonopensearchserviceDestinationConfiguration"
        ]["IndexName"]
        for each in made
    }
    assert indices == {
        "click-trends-trial-counts_2": "click-counts_2.undated",
        "click-trends-trial-counts-by-platform_2": "platform-counts_2.undated",
    }
    variables = function(template)["Environment"]["Variables"]
    assert json.loads(variables["INDICES"])["counts"] == "click-counts_2.undated"
