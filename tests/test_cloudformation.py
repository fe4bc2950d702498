"""Names and references in synthesised templates, and the order of an assembly's stacks."""

import json
from dataclasses import replace
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


def test_each_form_of_an_intrinsic_function_resolves() -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "raw"}}
    outputs = {"Shared": {"Value": {"Ref": "B"}, "Export": {"Name": "Stack-Raw"}}}
    stack = Stack(
        name="Stack",
        account="111111111111",
        region="us-west-2",
        template={"Resources": {"B": bucket, "Untyped": {}, "Damaged": None}, "Outputs": outputs},
    )
    without = replace(stack, name="Without", template={"Resources": None, "Outputs": None})
    resolve = resolver([stack, without], stack)
    arn = "arn:aws:s3:::raw"
    assert resolve({"Fn::GetAtt": "B.Arn"}) == arn
    assert resolve({"Fn::Sub": "${B.Arn}/* of ${!Literal}"}) == f"{arn}/* of ${{Literal}}"
    assert resolve({"Fn::Sub": ["${At}/${B}", {"At": {"Fn::GetAtt": "B.Arn"}}]}) == f"{arn}/raw"
    assert resolve({"Fn::Sub": ["${B}${B.Arn}", {"B": ""}]}) == arn
    assert resolve({"Fn::ImportValue": {"Fn::Sub": ["${Of}-Raw", {"Of": "Stack"}]}}) == "raw"
    assert resolve({"Fn::Sub": "${Untyped.Arn} ${Damaged}"}) == "Untyped Damaged"
    for unknown in (
        {"Fn::ImportValue": {"Fn::GetAZs": ""}},
        {"Fn::Sub": ["${Zones}", {"Zones": {"Fn::GetAZs": ""}}]},
        {"Fn::Sub": [1, 2, 3]},
        {"Fn::GetAtt": "B"},
        {"Fn::GetAtt": ["B", {"Fn::GetAZs": ""}]},
    ):
        assert resolve(unknown) == unknown


def test_references_are_found_in_each_form() -> None:
    assert references({"Fn::GetAtt": "One.Arn"}) == {"One"}
    assert references({"A": {"Fn::Sub": "${One.Arn} ${Two} ${!Literal}"}}) == {"One", "Two"}
    listed = {"Fn::Sub": ["${One} ${Given}", {"Given": {"Ref": "Two"}}]}
    assert references([listed, {"Fn::Sub": 3}]) == {"One", "Two"}


def artifact(folder: Path, name: str, *needed: str) -> dict[str, Any]:
    """Of a stack with a queue; writes its template."""
    (folder / f"{name}.json").write_text(json.dumps({"Resources": {name: {"Type": "AWS::SQS::Queue"}}}))
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


def write_manifest(folder: Path, **artifacts: Any) -> None:
    manifest = {"artifacts": {**artifacts, "Tree": {"type": "cdk:tree"}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_stacks_are_read_in_order_of_deployment_with_their_resources(tmp_path: Path) -> None:
    write_manifest(tmp_path, A=artifact(tmp_path, "A", "B"), B=artifact(tmp_path, "B"))
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


@pytest.mark.parametrize(
    "manifest", ["", "{", "[]", "null", "{}", '{"artifacts": null}', '{"artifacts": {"A": 1}}']
)
def test_a_damaged_manifest_is_named_with_what_to_do(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(AssemblyError, match=r"manifest\.json.*: synthesise again$"):
        read_stacks(tmp_path)


@pytest.mark.parametrize("template", [None, "", "{", "\udcff"])
def test_a_template_that_is_lost_or_damaged_is_named(tmp_path: Path, template: str | None) -> None:
    write_manifest(tmp_path, A=artifact(tmp_path, "A"))
    (tmp_path / "A.json").unlink()
    if template is not None:
        (tmp_path / "A.json").write_bytes(template.encode(errors="surrogateescape"))
    with pytest.raises(AssemblyError, match=r"A\.json cannot be read .*: synthesise again$"):
        read_stacks(tmp_path)


def test_a_template_that_is_no_object_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, A=artifact(tmp_path, "A"))
    (tmp_path / "A.json").write_text("[]")
    with pytest.raises(AssemblyError, match=r"A\.json holds no object: synthesise again$"):
        read_stacks(tmp_path)


def test_stacks_that_need_each_other_in_a_circle_are_named(tmp_path: Path) -> None:
    needs = {"A": "B", "B": "C", "C": "B"}
    write_manifest(tmp_path, **{name: artifact(tmp_path, name, needed) for name, needed in needs.items()})
    with pytest.raises(AssemblyError, match="need each other, B -> C -> B: remove a dependency"):
        read_stacks(tmp_path)


def test_a_stack_that_is_needed_and_not_there_is_named_with_who_needs_it(tmp_path: Path) -> None:
    write_manifest(tmp_path, A=artifact(tmp_path, "A", "Gone"))
    with pytest.raises(AssemblyError, match="lacks Gone, which A needs: synthesise again"):
        read_stacks(tmp_path)
