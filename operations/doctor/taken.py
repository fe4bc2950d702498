"""Names that the templates fix and that something else has already: a deployment would fail half-way.

CloudFormation refuses a taken name only when it begins with that name's stack. A destroy without the keys
leaves the names of the data; a Lambda function that is invoked once more after its deletion, its log group.
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
"""Parts of error codes; those of SQS differ between its older and its newer protocol."""

Finder = Callable[[Any, str, set[str]], set[str]]
"""Client, the prefix of the environment's names, wanted names -> those that exist."""


def _listed(operation: str, field: str, name: str, **arguments: str) -> Finder:
    """By a list that AWS hands out in pages; an argument `{prefix}` is the prefix of the wanted names."""

    def find(client: Any, prefix: str, wanted: set[str]) -> set[str]:
        given = {key: value.replace("{prefix}", prefix) for key, value in arguments.items()}
        pages = client.get_paginator(operation).paginate(**given)
        return wanted & {item[name] for page in pages for item in page[field]}

    return find


def _asked(operation: str, argument: str) -> Finder:
    """By asking for each of them."""

    def find(client: Any, _: str, wanted: set[str]) -> set[str]:
        return {name for name in wanted if _exists(getattr(client, operation), {argument: name})}

    return find


def _exists(ask: Callable[..., Any], arguments: dict[str, str]) -> bool:
    try:
        ask(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404 or any(part in code for part in NO_SUCH):
            return False
        if status in {301, 403} and error.operation_name == "HeadBucket":  # another region's or account's
            return True
        raise
    return True


def _work_groups(client: Any, _: str, wanted: set[str]) -> set[str]:
    """Athena answers that one does not exist as it does to a request that is wrong, and has no paginator."""
    found: set[str] = set()
    token: dict[str, str] = {}
    while True:
        page = client.list_work_groups(**token)
        found |= {group["Name"] for group in page["WorkGroups"]}
        if not page.get("NextToken"):
            return wanted & found
        token = {"NextToken": page["NextToken"]}


FINDERS: dict[str, tuple[str, Finder]] = {
    "AWS::Kinesis::Stream": ("kinesis", _asked("describe_stream_summary", "StreamName")),
    "AWS::KinesisFirehose::DeliveryStream": (
        "firehose",
        _asked("describe_delivery_stream", "DeliveryStreamName"),
    ),
    "AWS::KinesisAnalyticsV2::Application": (
        "kinesisanalyticsv2",
        _asked("describe_application", "ApplicationName"),
    ),
    "AWS::OpenSearchService::Domain": ("opensearch", _asked("describe_domain", "DomainName")),
    "AWS::Athena::WorkGroup": ("athena", _work_groups),
    "AWS::S3::Bucket": ("s3", _asked("head_bucket", "Bucket")),
    "AWS::DynamoDB::Table": ("dynamodb", _asked("describe_table", "TableName")),
    "AWS::Lambda::Function": ("lambda", _asked("get_function", "FunctionName")),
    "AWS::IAM::Role": ("iam", _asked("get_role", "RoleName")),
    "AWS::IAM::InstanceProfile": ("iam", _asked("get_instance_profile", "InstanceProfileName")),
    "AWS::SQS::Queue": ("sqs", _asked("get_queue_url", "QueueName")),
    "AWS::Logs::LogGroup": (
        "logs",
        _listed("describe_log_groups", "logGroups", "logGroupName", logGroupNamePattern="{prefix}"),
    ),
    "AWS::CloudWatch::Alarm": (
        "cloudwatch",
        _listed("describe_alarms", "MetricAlarms", "AlarmName", AlarmNamePrefix="{prefix}"),
    ),
    "AWS::CloudWatch::Dashboard": (
        "cloudwatch",
        _listed("list_dashboards", "DashboardEntries", "DashboardName", DashboardNamePrefix="{prefix}"),
    ),
    "AWS::Events::Rule": ("events", _listed("list_rules", "Rules", "Name", NamePrefix="{prefix}")),
    "AWS::Scheduler::Schedule": (
        "scheduler",
        _listed("list_schedules", "Schedules", "Name", NamePrefix="{prefix}"),
    ),
}
"""Type -> service, how to find which names exist."""

KEPT_BY_A_DESTROY = {"AWS::Kinesis::Stream", "AWS::OpenSearchService::Domain", "AWS::S3::Bucket"}


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
    service, find = FINDERS[resource_type]
    names = {resource.name for resource in wanted.of_type(resource_type, region) if resource.name}
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
