"""How the page names resources and values: what people call them, not what CloudFormation does."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from operations.review.assembly import Assembly, ReviewedStack

DASHBOARD = "AWS::CloudWatch::Dashboard"
TYPE_WORDS = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::CompositeAlarm": "alarm",
    DASHBOARD: "dashboard",
    "AWS::Cognito::IdentityPool": "identity pool",
    "AWS::Cognito::IdentityPoolRoleAttachment": "roles of the identity pool",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::Cognito::UserPoolClient": "client of the user pool",
    "AWS::DynamoDB::Table": "table",
    "AWS::Events::Rule": "event rule",
    "AWS::IAM::InstanceProfile": "instance profile",
    "AWS::IAM::ManagedPolicy": "managed policy",
    "AWS::IAM::Policy": "policy",
    "AWS::IAM::Role": "role",
    "AWS::Kinesis::Stream": "stream",
    "AWS::KinesisAnalyticsV2::Application": "analytics application",
    "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption": "log of the analytics application",
    "AWS::KinesisFirehose::DeliveryStream": "delivery stream",
    "AWS::Lambda::EventSourceMapping": "event source mapping",
    "AWS::Lambda::EventInvokeConfig": "settings of asynchronous calls",
    "AWS::Lambda::Function": "function",
    "AWS::Lambda::Permission": "permission of a function",
    "AWS::Logs::LogGroup": "log group",
    "AWS::Logs::LogStream": "log stream",
    "AWS::OpenSearchService::Domain": "search domain",
    "AWS::S3::Bucket": "bucket",
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::SQS::QueuePolicy": "queue policy",
    "AWS::Scheduler::Schedule": "schedule",
    "Custom::ApplicationPause": "stop before a change of the analytics application",
    "Custom::ApplicationLifecycle": "start of the analytics application",
    "Custom::SearchBootstrap": "set-up of the search domain",
}

_NAME_PROPERTIES = {
    "AWS::Kinesis::Stream": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Events::Rule": "Name",
}
NOT_NAMES = {
    "AWS::Lambda::EventSourceMapping": "FunctionName",
    "AWS::Lambda::Permission": "FunctionName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::Cognito::UserPool": "UserPoolName",
    "AWS::Cognito::IdentityPool": "IdentityPoolName",
}
"""Properties that end in Name, but name a neighbour, or need not be unique."""

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": "(nothing)",
    "AWS::StackName": "(this stack)",
}


def name_property(resource_type: str) -> str:
    """The property that holds the physical name of a resource of this type."""
    return _NAME_PROPERTIES.get(resource_type, f"{resource_type.rsplit('::', 1)[-1].removesuffix('V2')}Name")


def physical_name(resource: Mapping[str, Any]) -> str | None:
    """The name given in the template, which must be unique; None: CloudFormation makes one up."""
    kind = resource.get("Type", "")
    properties = resource.get("Properties")
    if not isinstance(properties, Mapping):
        return None
    for name in (name_property(kind), _only_name(kind, properties)):
        value = properties.get(name) if name else None
        if isinstance(value, str) and NOT_NAMES.get(kind) != name:
            return value
    return None


def _only_name(kind: str, properties: Mapping[str, Any]) -> str | None:
    """`DeliveryStreamName` of a type that names itself otherwise than most."""
    last = kind.rsplit("::", 1)[-1]
    names = [
        name for name in properties if name.endswith("Name") and last.endswith(name.removesuffix("Name"))
    ]
    return names[0] if len(names) == 1 else None


def title(stack: ReviewedStack, logical_id: str, resource: Mapping[str, Any]) -> str:
    """`stream `click-trends-production-source``, or with the construct's path where it has no name."""
    kind = resource.get("Type", "?")
    word = TYPE_WORDS.get(kind, f"{kind.removeprefix('AWS::').replace('::', ' ')}")
    name = physical_name(resource)
    shown_name = " ".join((name or stack.paths.get(logical_id, logical_id)).replace("`", "'").split())
    return f"{word} `{shown_name}`"


def without_account(text: str, account: str) -> str:
    """`kinesis:us-west-2:stream/clicks` for an ARN of this account; any other stays whole."""
    return re.sub(rf"\barn:aws:([a-z0-9-]+):([a-z0-9-]*):({account})?:", _short_arn, text)


def _short_arn(match: re.Match[str]) -> str:
    return ":".join(part for part in (match[1], match[2]) if part) + ":"


def readable(assembly: Assembly, stack: ReviewedStack) -> Callable[[Any], Any]:
    """A function that puts names in place of references (Ref, Fn::GetAtt, Fn::Join, Fn::Sub,
    Fn::ImportValue).

    What it does not know it leaves as it is.
    """
    exports = {
        output["Export"]["Name"]: (owner, output["Value"])
        for owner in assembly.stacks
        for output in owner.template.get("Outputs", {}).values()
        if isinstance(output.get("Export", {}).get("Name"), str)
    }

    def reference(owner: ReviewedStack, logical_id: str, attribute: str | None) -> str | None:
        if logical_id == "AWS::Region":
            return owner.region
        if logical_id in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[logical_id]
        resource = owner.resources.get(logical_id)
        if resource is None:
            return None
        name = physical_name(resource) or owner.paths.get(logical_id, logical_id)
        if attribute in {None, "Arn"} and resource["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name}" if attribute else name
        return name if attribute in {None, "Arn"} else f"{name}.{attribute}"

    def resolve(value: Any, owner: ReviewedStack) -> Any:
        if isinstance(value, list):
            return [resolve(item, owner) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            found = intrinsic(function, argument, owner)
            if found is not None:
                return found
        return {key: resolve(item, owner) for key, item in value.items()}

    def intrinsic(function: str, argument: Any, owner: ReviewedStack) -> Any:
        if function == "Ref" and isinstance(argument, str):
            return reference(owner, argument, None)
        if function == "Fn::GetAtt" and isinstance(argument, list) and len(argument) == 2:
            return reference(owner, str(argument[0]), str(argument[1]))
        if function == "Fn::ImportValue" and argument in exports:
            exporter, exported = exports[argument]
            return resolve(exported, exporter)
        if function == "Fn::Sub" and isinstance(argument, str):
            return re.sub(
                r"\$\{([^}!]+)\}", lambda match: reference(owner, match[1], None) or match[0], argument
            )
        if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            parts = resolve(argument[1], owner)
            if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
                return str(argument[0]).join(parts)
        return None

    return lambda value: resolve(value, stack)


def shown(value: Any, *, most: int = 100) -> str:
    """A value on one line of Markdown, cut in the middle where it is long."""
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text.replace("\n", "\\n").replace("`", "'")
    if len(text) > most:
        text = f"{text[: most * 2 // 3]} … {text[-(most // 3) :]}"
    return f"`{text}`"
