"""Names that the templates fix and that something else has already: a creation would fail half-way.

A failed creation leaves none (docs/decisions/no-termination-protection.md), a destroy without the keys leaves
those of the data, and a Lambda function that was invoked once more after its deletion its log group.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from operations.doctor.aws import Aws
from operations.doctor.check import Check, Diagnosis, lacks, ok
from operations.doctor.deployed import Deployed
from operations.doctor.wanted import WantedResources

MAX_NAMES_TOLD = 5

NO_SUCH = ("NonExistent", "DoesNotExist", "NoSuchEntity", "ResourceNotFound")
"""Words of the error codes of SQS (in its older and its newer protocol), IAM and Managed Service for Apache
Flink."""

Finder = Callable[[Any, str, list[str]], set[str]]
"""Client, the prefix of the environment's names, wanted names -> those that exist."""


def _listed(operation: str, field: str, name: str | None = None, **arguments: str) -> Finder:
    """By a list that AWS hands out in pages; an argument `{prefix}` is the prefix of the wanted names."""

    def find(client: Any, prefix: str, wanted: list[str]) -> set[str]:
        given = {key: value.replace("{prefix}", prefix) for key, value in arguments.items()}
        found: set[str] = set()
        for page in client.get_paginator(operation).paginate(**given):
            found |= {item[name] if name else item for item in page[field]}
        return found & set(wanted)

    return find


def _asked(operation: str, argument: str) -> Finder:
    """By asking for each of them."""

    def find(client: Any, _: str, wanted: list[str]) -> set[str]:
        return {name for name in wanted if _exists(getattr(client, operation), {argument: name})}

    return find


def _exists(ask: Callable[..., Any], arguments: dict[str, str]) -> bool:
    try:
        ask(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404 or any(word in code for word in NO_SUCH):
            return False
        if status in {301, 403} and error.operation_name == "HeadBucket":  # another region's or account's
            return True
        raise
    return True


def _delivery_streams(client: Any, _: str, wanted: list[str]) -> set[str]:
    return {name for name in delivery_stream_names(client) if name in wanted}


def delivery_stream_names(client: Any) -> list[str]:
    """All of the region: Firehose has no pages, only a name to go on from."""
    names: list[str] = []
    while True:
        after = {"ExclusiveStartDeliveryStreamName": names[-1]} if names else {}
        answer = client.list_delivery_streams(Limit=100, **after)
        names += answer["DeliveryStreamNames"]
        if not answer["HasMoreDeliveryStreams"]:
            return names


def _domains(client: Any, _: str, wanted: list[str]) -> set[str]:
    return {found["DomainName"] for found in client.list_domain_names()["DomainNames"]} & set(wanted)


FINDERS: dict[str, tuple[str, str, Finder]] = {
    "AWS::Kinesis::Stream": ("kinesis", "Name", _listed("list_streams", "StreamNames")),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "DeliveryStreamName", _delivery_streams),
    "AWS::KinesisAnalyticsV2::Application": (
        "kinesisanalyticsv2",
        "ApplicationName",
        _asked("describe_application", "ApplicationName"),
    ),
    "AWS::OpenSearchService::Domain": ("opensearch", "DomainName", _domains),
    "AWS::S3::Bucket": ("s3", "BucketName", _asked("head_bucket", "Bucket")),
    "AWS::DynamoDB::Table": ("dynamodb", "TableName", _listed("list_tables", "TableNames")),
    "AWS::Lambda::Function": (
        "lambda",
        "FunctionName",
        _listed("list_functions", "Functions", "FunctionName"),
    ),
    "AWS::Logs::LogGroup": (
        "logs",
        "LogGroupName",
        _listed("describe_log_groups", "logGroups", "logGroupName", logGroupNamePattern="{prefix}"),
    ),
    "AWS::CloudWatch::Alarm": (
        "cloudwatch",
        "AlarmName",
        _listed("describe_alarms", "MetricAlarms", "AlarmName", AlarmNamePrefix="{prefix}"),
    ),
    "AWS::CloudWatch::Dashboard": (
        "cloudwatch",
        "DashboardName",
        _listed("list_dashboards", "DashboardEntries", "DashboardName", DashboardNamePrefix="{prefix}"),
    ),
    "AWS::IAM::Role": ("iam", "RoleName", _asked("get_role", "RoleName")),
    "AWS::IAM::InstanceProfile": (
        "iam",
        "InstanceProfileName",
        _asked("get_instance_profile", "InstanceProfileName"),
    ),
    "AWS::SQS::Queue": ("sqs", "QueueName", _asked("get_queue_url", "QueueName")),
    "AWS::Events::Rule": ("events", "Name", _listed("list_rules", "Rules", "Name", NamePrefix="{prefix}")),
    "AWS::Scheduler::Schedule": (
        "scheduler",
        "Name",
        _listed("list_schedules", "Schedules", "Name", NamePrefix="{prefix}"),
    ),
}
"""Type -> service, property that holds the name, how to find which exist."""

NOT_UNIQUE = {
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Logs::LogStream",
    "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
}
"""Types whose name several may have, or that lie within something named here."""

KEPT_BY_A_DESTROY = {
    "AWS::Kinesis::Stream",
    "AWS::OpenSearchService::Domain",
    "AWS::S3::Bucket",
}


def checks(wanted: WantedResources, aws: Aws, deployed: Deployed) -> list[Check]:
    return [
        Check(
            name=f"names of {_plural(resource_type)}",
            where=region,
            look=partial(_taken, wanted, aws, deployed, resource_type, region),
        )
        for region in wanted.regions
        for resource_type in FINDERS
        if any(wanted.of_type(resource_type, region))
    ]


def _taken(
    wanted: WantedResources, aws: Aws, deployed: Deployed, resource_type: str, region: str
) -> Iterator[Diagnosis]:
    service, key, find = FINDERS[resource_type]
    names = [
        name
        for resource in wanted.of_type(resource_type, region)
        if isinstance(name := resource.properties.get(key), str)
    ]
    existing = find(aws.client(service, region), wanted.settings.names.prefix, names)
    taken = sorted(name for name in existing if not deployed.owns(name))
    if not taken:
        yield ok(f"{len(names)} free" if not existing else f"{len(existing)} of this deployment")
        return
    told = ", ".join(taken[:MAX_NAMES_TOLD]) + (", ..." if len(taken) > MAX_NAMES_TOLD else "")
    yield lacks(
        f"{told} {'exists' if len(taken) == 1 else 'exist'} already and "
        f"{'belongs' if len(taken) == 1 else 'belong'} to no stack of this environment.",
        'Take it back into the stacks: docs/start/deployment.md, "After a destroy without the keys".'
        if resource_type in KEPT_BY_A_DESTROY
        else "Delete it if nobody needs it, or choose another name of the environment.",
    )


def _plural(resource_type: str) -> str:
    """`AWS::Kinesis::Stream` -> `Kinesis streams`."""
    _, service, kind = resource_type.split("::")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    return f"{service} {words}s"
