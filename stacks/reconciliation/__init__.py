"""Reconciliation: the function that compares, each hour, what was received with what became of it."""

from math import ceil

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.sink import CLICK_COUNTS
from lambdas.reconciliation import configuration
from names import (
    ERASED_PREFIX,
    FAILED_BATCHES_PREFIX,
    FAILED_DOCUMENTS_PREFIX,
    GIVEN_UP_DOCUMENTS_PREFIX,
    RAW_PREFIX,
    REJECTED_PREFIX,
    REJECTED_RECORDS_PREFIX,
    WAITING_DOCUMENTS_PREFIX,
    Names,
    delivery_index,
)
from settings.reconciliation import FUNCTION_SECONDS
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.read_progress import acknowledge_progress, reads_progress
from stacks.constructs.service_function import FunctionDefaults, ServiceFunction
from stacks.reconciliation.alarms import EVERY, alarm_on_reconciliation
from stacks.search import access as search_access

TIMEOUT = Duration.seconds(FUNCTION_SECONDS)
"""An hour's clicks may arrive within a day, and each object of it is read: settings/reconciliation.py."""
MEMORY_MIB = 1769
"""One vCPU: reading clicks is parsing JSON."""
BYTES_PER_CLICK = 25
"""In temporary files (lambdas/reconciliation/hours.py)."""
SORTING = 2
"""Files are there twice while they are sorted."""
SMALLEST_STORAGE_MIB, LARGEST_STORAGE_MIB = 512, 10_240
"""Of /tmp (Lambda developer guide, "Configure ephemeral storage for Lambda functions")."""


class ReconciliationFunction(Construct):
    """endpoint: of the domain, with its scheme; clicks_per_second: at the declared peak.

    It reads, and writes nothing but its log: there are its metrics, and which hours it has reconciled.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: str,
        domain_arn: str,
        clicks_per_second: float,
        allowed_lateness_hours: int,
        archive_buffer_seconds: int,
        names: Names,
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        sink = CLICK_COUNTS
        service = ServiceFunction(
            self,
            "Lambda",
            name=names.reconciliation,
            description="Compares what was received with what was counted, rejected and set aside",
            package=lambda_zip("reconciliation"),
            statements=[
                *(access.statement(domain_arn) for access in search_access.RECONCILIATION),
                *reads_clicks(names),
                reads_progress(names.oregon),
                iam.PolicyStatement(
                    sid="ReadsItsLog", actions=["logs:FilterLogEvents"], resources=log_group_arns(names)
                ),
            ],
            environment={
                configuration.ENVIRONMENT: names.environment,
                configuration.RAW_BUCKET: names.raw_bucket,
                configuration.REJECTED_BUCKET: names.rejected_bucket,
                configuration.DEAD_LETTER_BUCKET: names.dead_letter_bucket,
                configuration.DEAD_LETTER_REGION: names.tokyo,
                configuration.SEARCH_ENDPOINT: endpoint,
                configuration.SINK: sink.name,
                configuration.INDEX: delivery_index(sink.index_family),
                configuration.ALLOWED_LATENESS_HOURS: str(allowed_lateness_hours),
                configuration.ARCHIVE_BUFFER_SECONDS: str(archive_buffer_seconds),
            },
            memory_mib=MEMORY_MIB,
            storage_mib=storage_mib(clicks_per_second),
            timeout=TIMEOUT,
            defaults=defaults,
        )
        acknowledge_wildcards(
            service.role,
            readable_objects(names),
            reason="Firehose, Lambda and the functions name the objects themselves; the function only reads.",
        )
        acknowledge_progress(service.role)
        acknowledge_wildcards(
            service.role, log_group_arns(names)[1:], reason="The log streams of the function's own log group."
        )
        # A later invocation makes up for what waits longer.
        service.function.configure_async_invoke(retry_attempts=2, max_event_age=Duration.hours(2))
        events.Rule(
            self,
            "Schedule",
            rule_name=names.reconciliation,
            description="Invokes the reconciliation of the hours that have become final",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(service.function)],
        )
        alarm_on_reconciliation(self, function=names.reconciliation)


def log_group_arns(names: Names) -> list[str]:
    """Of the function, for reading: both forms are used
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html)."""
    arn = f"arn:aws:logs:{names.oregon}:{names.account}:log-group:/aws/lambda/{names.reconciliation}"
    return [arn, f"{arn}:*"]


def storage_mib(clicks_per_second: float) -> int:
    """Of /tmp, for an hour at the declared peak."""
    wanted = ceil(clicks_per_second * 3600 * BYTES_PER_CLICK * SORTING / 1024**2)
    return min(max(wanted, SMALLEST_STORAGE_MIB), LARGEST_STORAGE_MIB)


def readable_objects(names: Names) -> list[str]:
    """ARNs of all that a reconciliation reads in S3."""
    prefixes = {
        names.raw_bucket: (RAW_PREFIX, ERASED_PREFIX),
        names.rejected_bucket: (
            REJECTED_PREFIX,
            FAILED_DOCUMENTS_PREFIX,
            WAITING_DOCUMENTS_PREFIX,
            GIVEN_UP_DOCUMENTS_PREFIX,
        ),
        names.dead_letter_bucket: (REJECTED_RECORDS_PREFIX, FAILED_BATCHES_PREFIX),
    }
    return [f"arn:aws:s3:::{bucket}/{prefix}*" for bucket, some in prefixes.items() for prefix in some]


def reads_clicks(names: Names) -> list[iam.PolicyStatement]:
    """Of whoever reconciles: the function, and the role of the command."""
    buckets = (names.raw_bucket, names.rejected_bucket, names.dead_letter_bucket)
    return [
        iam.PolicyStatement(
            sid="FindsObjects",
            actions=["s3:ListBucket"],
            resources=[f"arn:aws:s3:::{bucket}" for bucket in buckets],
        ),
        iam.PolicyStatement(sid="ReadsObjects", actions=["s3:GetObject"], resources=readable_objects(names)),
    ]
