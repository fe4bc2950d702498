"""How the page names resources and values: what people call them, not what CloudFormation does."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudformation import Stack, physical_name

DASHBOARD = "AWS::CloudWatch::Dashboard"
TYPE_WORDS = {
    "AWS::Athena::WorkGroup": "workgroup of queries",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::CompositeAlarm": "alarm",
    DASHBOARD: "dashboard",
    "AWS::Cognito::IdentityPool": "identity pool",
    "AWS::Cognito::IdentityPoolRoleAttachment": "roles of the identity pool",
    "AWS::Cognito::UserPool": "user pool",
    "AWS::Cognito::UserPoolClient": "client of the user pool",
    "AWS::DynamoDB::Table": "table",
    "AWS::Events::Rule": "event rule",
    "AWS::Glue::Database": "database of queries",
    "AWS::Glue::Table": "table of queries",
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


def title(stack: Stack, logical_id: str, resource: Mapping[str, Any]) -> str:
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


def listed(items: Sequence[str], *, most: int = 4, more: str = "more") -> str:
    """`a, b and 4 more`."""
    named = [*items[:most], *([f"{len(items) - most} {more}"] if len(items) > most else [])]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def shown(value: Any, *, most: int = 100) -> str:
    """A value on one line of Markdown, cut in the middle where it is long."""
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text.replace("\n", "\\n").replace("`", "'")
    if len(text) > most:
        text = f"{text[: most * 2 // 3]} … {text[-(most // 3) :]}"
    return f"`{text}`"
