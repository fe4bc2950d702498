"""Names and references in synthesised templates, and the order of an assembly's stacks."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloudformation import (
    AssemblyError,
    Resource,
    Stack,
    physical_name,
    read_resources,
    read_stacks,
    references,
    resolver,
)


def resource(resource_type: str, **properties: Any) -> Resource:
    body = {"Type": resource_type, "Properties": properties}
    return Resource(stack="Stack", region="us-west-2", logical_id="Logical", body=body)


@pytest.mark.parametrize(
    ("resource_type", "key"),
    [
        ("AWS::CloudWatch::CompositeAlarm", "AlarmName"),
        ("AWS::DynamoDB::GlobalTable", "TableName"),
        ("AWS::Events::Rule", "Name"),
        ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
        ("AWS::Kinesis::Stream", "Name"),
        ("AWS::KinesisAnalyticsV2::Application", "ApplicationName"),
        ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
        ("AWS::Logs::MetricFilter", "FilterName"),
        ("AWS::RDS::DBInstance", "DBInstanceName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::Scheduler::Schedule", "Name"),
    ],
)
def test_the_physical_name_stands_where_the_type_puts_it(resource_type: str, key: str) -> None:
    assert resource(resource_type, **{key: "given", "ClusterName": "another"}).name == "given"


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        ("AWS::Lambda::EventSourceMapping", {"FunctionName": "its function's"}),
        ("AWS::Lambda::Permission", {"FunctionName": "its function's"}),
        ("AWS::Logs::MetricFilter", {"LogGroupName": "its log group's"}),
        ("AWS::Cognito::IdentityPool", {"IdentityPoolName": "a label"}),
        ("AWS::Cognito::UserPool", {"UserPoolName": "a label"}),
        ("AWS::Cognito::UserPoolClient", {"ClientName": "a label"}),
        ("AWS::SQS::Queue", {"QueueName": {"Ref": "Parameter"}}),
        ("AWS::SQS::Queue", {}),
    ],
)
def test_a_neighbours_name_and_a_label_are_no_physical_name(
    resource_type: str, properties: dict[str, Any]
) -> None:
    assert resource(resource_type, **properties).name is None
    assert physical_name({}) is None


def test_a_resource_is_named_by_its_ref_and_meant_by_its_attributes_too() -> None:
    queue = resource("AWS::SQS::Queue", QueueName="clicks")
    for value in ("clicks", {"Ref": "Logical"}):
        assert queue.is_named_by(value)
        assert queue.is_meant_by(value)
    arn = {"Fn::GetAtt": ["Logical", "Arn"]}
    assert queue.is_meant_by(arn)
    assert not queue.is_named_by(arn)
    assert not any(queue.is_meant_by(value) for value in ("other", None, {"Ref": "Other"}, ["clicks"]))
    assert not resource("AWS::SQS::Queue").is_named_by(None)


def test_properties_are_looked_up_by_path() -> None:
    bucket = resource("AWS::S3::Bucket", A={"B": [1]})
    assert bucket.at("A.B") == [1]
    assert bucket.at("A.B.C") is None
    assert bucket.with_properties(C=2).properties == {"A": {"B": [1]}, "C": 2}


def test_references_are_found_at_any_depth() -> None:
    value = {"A": [{"Ref": "One"}, {"B": {"Fn::GetAtt": ["Two", "Arn"]}}], "DependsOn": ["Three"]}
    assert references([value, {"DependsOn": "Four"}]) == {"One", "Two", "Three", "Four"}


def test_intrinsic_functions_resolve_to_names_across_stacks() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "clicks"}}
    bucket = {"Type": "AWS::S3::Bucket"}
    output = {"Value": {"Fn::GetAtt": ["Q", "Arn"]}, "Export": {"Name": "shared"}}
    first = Stack(
        name="First",
        account="111111111111",
        region="us-west-2",
        template={"Resources": {"Q": queue, "B": bucket}, "Outputs": {"Shared": output}},
        paths={"B": "Raw/Bucket"},
    )
    second = Stack(name="Second", account="111111111111", region="ap-northeast-1", template={})
    resolve = resolver([first, second], first)
    assert resolve({"Fn::Join": ["", [{"Ref": "Q"}, "/", {"Ref": "AWS::Region"}]]}) == "clicks/us-west-2"
    assert resolve({"Fn::GetAtt": ["B", "Arn"]}) == "arn:aws:s3:::Raw/Bucket"
    assert resolve({"Fn::Sub": "${Q} in ${AWS::Partition}, ${Unknown}"}) == "clicks in aws, ${Unknown}"
    assert resolver([first, second], second)({"Fn::ImportValue": "shared"}) == "clicks"
    assert resolve({"Fn::GetAZs": ""}) == {"Fn::GetAZs": ""}


def test_stacks_are_read_in_order_of_deployment_with_their_resources(tmp_path: Path) -> None:
    def artifact(name: str, *needed: str) -> dict[str, Any]:
        (tmp_path / f"{name}.json").write_text(json.dumps({"Resources": {name: {"Type": "AWS::SQS::Queue"}}}))
        return {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/us-west-2",
            "properties": {"templateFile": f"{name}.json"},
            "dependencies": [*needed, "Tree"],
            "metadata": {
                f"/{name}/Queue": [{"type": "aws:cdk:warning", "data": "said"}],
                f"/{name}/Queue/Resource": [{"type": "aws:cdk:logicalId", "data": name}],
            },
        }

    manifest = {"A": artifact("A", "B"), "B": artifact("B"), "Tree": {"type": "cdk:tree"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": manifest}))
    stacks = read_stacks(tmp_path)
    assert [(stack.name, stack.needs) for stack in stacks] == [("B", ()), ("A", ("B",))]
    assert stacks[0].paths == {"B": "Queue"}
    assert [entry["data"] for entry in stacks[0].metadata["Queue"]] == ["said", "B"]
    found = read_resources(tmp_path)
    assert [(one.stack, one.region, one.logical_id) for one in found] == [
        ("A", "us-west-2", "A"),
        ("B", "us-west-2", "B"),
    ]


def test_a_folder_without_a_manifest_is_no_assembly(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="synthesise first"):
        read_stacks(tmp_path)
