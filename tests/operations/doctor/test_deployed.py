"""What is deployed already is neither taken nor counted again; a stack that is stuck is reported."""

import json
from datetime import UTC, datetime

import pytest

from names import OREGON
from operations.doctor.check import Verdict
from tests.operations.doctor.conftest import NOT_IN_THE_EMULATOR, Patient, Put


@pytest.fixture
def deployed(patient: Patient, put: Put) -> Patient:
    """Of the stack OregonStorage the source stream alone, made by CloudFormation."""
    [stream] = patient.wanted.of_type("AWS::Kinesis::Stream", OREGON)
    template = {
        "Resources": {stream.logical_id: {"Type": stream.type, "Properties": dict(stream.properties)}}
    }
    client = patient.emulator.client("cloudformation", OREGON)
    name = patient.settings.names.stack("OregonStorage")
    put(
        client.create_stack,
        {"StackName": name, "TemplateBody": json.dumps(template)},
        client.delete_stack,
        {"StackName": name},
    )
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return patient


def test_a_name_of_the_environments_own_stack_is_not_taken(deployed: Patient) -> None:
    [found] = [
        result for result in deployed.findings(only="names of Kinesis streams") if result.where == OREGON
    ]
    assert found.diagnosis.text == "1 of this deployment"


def test_what_a_stack_left_behind_is_its_own_no_longer(deployed: Patient) -> None:
    [stream] = deployed.wanted.of_type("AWS::Kinesis::Stream", OREGON)
    deployed.answers["cloudformation.ListStackResources"] = {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": stream.logical_id,
                "PhysicalResourceId": stream.name,
                "ResourceType": stream.type,
                "LastUpdatedTimestamp": datetime(2026, 1, 31, tzinfo=UTC),
                "ResourceStatus": "DELETE_SKIPPED",
            }
        ]
    }
    deployed.answers["kinesis.DescribeLimits"] = {
        **NOT_IN_THE_EMULATOR["kinesis.DescribeLimits"],
        "OnDemandStreamCount": 50,
    }
    found = deployed.not_ok(only="Kinesis streams and shards")
    assert (OREGON, "Kinesis streams and shards") in found
    taken = deployed.not_ok(only="names of Kinesis streams")[OREGON, "names of Kinesis streams"]
    assert f"{stream.name} exists already" in taken.diagnosis.text


def test_a_reshard_needs_room_for_the_shards_that_are_added(deployed: Patient) -> None:
    [stream] = deployed.wanted.of_type("AWS::Kinesis::Stream", OREGON)
    client = deployed.emulator.client("kinesis", OREGON)
    summary = client.describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
    stream.properties["ShardCount"] = summary["OpenShardCount"] + 3  # type: ignore[index]
    deployed.answers["kinesis.DescribeLimits"] = {
        **NOT_IN_THE_EMULATOR["kinesis.DescribeLimits"],
        "ShardLimit": 12,
    }
    texts = {
        result.where: result.diagnosis.text for result in deployed.findings(only="Kinesis streams and shards")
    }
    assert texts[OREGON] == "2 of 12 shards are free, 3 needed."


def test_what_is_there_needs_no_room_in_the_quota_again(deployed: Patient) -> None:
    deployed.answers["kinesis.DescribeLimits"] = {
        **NOT_IN_THE_EMULATOR["kinesis.DescribeLimits"],
        "OnDemandStreamCount": 50,
    }
    verdicts = {
        result.where: result.diagnosis.verdict
        for result in deployed.findings(only="Kinesis streams and shards")
    }
    assert verdicts[OREGON] is Verdict.OK
    assert Verdict.LACKS in verdicts.values()  # Tokyo's is still to come


@pytest.mark.parametrize(
    ("status", "verdict", "remedy"),
    [
        ("UPDATE_COMPLETE", Verdict.OK, ""),
        ("ROLLBACK_COMPLETE", Verdict.OK, ""),
        ("REVIEW_IN_PROGRESS", Verdict.OK, ""),  # the CDK creates it anew; it would stay so forever
        ("ROLLBACK_FAILED", Verdict.LACKS, "When a first creation fails"),
        ("UPDATE_ROLLBACK_FAILED", Verdict.LACKS, "When the update of the application fails"),
        ("UPDATE_IN_PROGRESS", Verdict.LACKS, "Wait until it is done."),
    ],
)
def test_a_stack_that_cannot_be_deployed_now_is_told(
    patient: Patient, status: str, verdict: Verdict, remedy: str
) -> None:
    stack = {"StackName": "any", "CreationTime": datetime(2026, 1, 31, tzinfo=UTC), "StackStatus": status}
    patient.answers["cloudformation.DescribeStacks"] = {"Stacks": [stack]}
    results = patient.findings(only="stacks")
    assert {result.diagnosis.verdict for result in results} == {verdict}
    assert all(remedy in result.diagnosis.remedy for result in results)


def test_the_names_of_two_environments_never_collide(patient: Patient) -> None:
    """Where one environment's name begins with another's and a hyphen, what follows must still differ."""
    endings: dict[str, set[str]] = {}
    for resource in patient.wanted.resources:
        if resource.name:
            ending = resource.name.partition(patient.settings.names.prefix)[2]
            endings.setdefault(resource.type, set()).add(ending)
    assert len(endings) > 10
    for kind, ends in endings.items():
        clashes = {(a, b) for a in ends for b in ends if a != b and a.startswith("-") and a.endswith(b)}
        assert not clashes, kind
