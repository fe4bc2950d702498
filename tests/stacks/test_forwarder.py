"""The Forwarder construct and its settings at synth."""

import re

import pytest
from aws_cdk.assertions import Match, Template

from lambdas.forwarder.rules import RulesError
from settings import Settings
from settings.capacity import forwarder_capacity, problems
from settings.forwarder import ForwarderSettings
from settings.measured import FORWARDER_CPU_SECONDS_PER_CLICK, FORWARDER_CPU_SECONDS_PER_RECORD
from tests.lambdas.forwarder.synthesis import NAMES, synthesised


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesised(
        {"source-stream": NAMES.source_stream_arn, "unused": "arn:aws:kinesis:::stream/unused"}
    )


def test_the_function_has_a_share_of_a_vcpu_and_knows_its_destinations(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "MemorySize": 768,
            "Runtime": "python3.14",
            "Environment": {
                "Variables": {
                    "DESTINATION_SOURCE_STREAM": NAMES.source_stream_arn,
                    "DESTINATION_UNUSED": Match.absent(),
                    "DEAD_LETTER_BUCKET": NAMES.dead_letter_bucket,
                    "DEAD_LETTER_PREFIX": "rejected-records/",
                    "RECORD_BYTES": "25000",
                    "REQUESTS_IN_FLIGHT": "20",
                }
            },
        },
    )


def test_dead_letters_go_to_a_bucket_of_this_account_only(template: Template) -> None:
    """Whoever got hold of a freed bucket name would receive them."""
    statement = {
        "Sid": "KeepsDeadLetters",
        "Action": "s3:PutObject",
        "Effect": "Allow",
        "Resource": f"arn:aws:s3:::{NAMES.dead_letter_bucket}/*",
        "Condition": {"StringEquals": {"s3:ResourceAccount": NAMES.account}},
    }
    document = Match.object_like({"Statement": Match.array_with([statement])})
    policies = Match.array_with([Match.object_like({"PolicyDocument": document})])
    template.has_resource_properties("AWS::IAM::Role", {"Policies": policies})


def test_every_destination_in_the_rules_needs_an_arn() -> None:
    with pytest.raises(RulesError, match="no ARN is known for the destination source-stream"):
        synthesised({"elsewhere": NAMES.source_stream_arn})


def test_the_forwarder_carries_many_times_a_full_shard() -> None:
    capacity = forwarder_capacity(ForwarderSettings(), click_bytes=300)
    assert capacity.records_per_batch == 6_291  # 6 MiB of payload, 1,000 bytes a record
    processor_seconds = 6_291 * (FORWARDER_CPU_SECONDS_PER_RECORD + FORWARDER_CPU_SECONDS_PER_CLICK)
    assert capacity.batch_seconds == pytest.approx((0.02 + processor_seconds) * 1769 / 768 + 0.150)
    assert capacity.headroom > 3.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"parallelization_factor": 1, "batch_size": 100, "round_trip_milliseconds": 150},
            r"would carry 0\.1 times what a shard takes in, but must .*raise forwarder\.parallelization",
        ),
        (
            {"requests_in_flight": 1, "memory_mib": 128, "parallelization_factor": 1},
            r"records/s of 300 bytes, in batches of 6291; raise",
        ),
        (
            # Seven requests, one after another
            {
                "round_trip_milliseconds": 2_000,
                "requests_in_flight": 1,
                "record_bytes": 1_000,
                "timeout_seconds": 15,
            },
            r"timeout_seconds \(15\) is too short for a full batch .* set it to 23 or more",
        ),
    ],
)
def test_settings_that_cannot_carry_a_shard_are_refused_with_the_remedy(
    changes: dict[str, int], message: str
) -> None:
    settings = Settings(
        environment=NAMES.environment, account=NAMES.account, forwarder=ForwarderSettings(**changes)
    )
    assert re.search(message, "\n".join(problems(settings)))
