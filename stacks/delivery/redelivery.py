"""Redelivery: the function that redelivers counts that OpenSearch did not take, and what invokes it."""

import json
from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from lambdas.redelivery import configuration
from names import (
    FAILED_DOCUMENTS_PREFIX,
    GIVEN_UP_DOCUMENTS_PREFIX,
    WAITING_DOCUMENTS_PREFIX,
    Names,
    delivery_index,
)
from settings.delivery import DeliverySettings
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.service_function import FunctionDefaults, ServiceFunction
from stacks.delivery.alarms import alarm_on_redelivery
from stacks.delivery.search_delivery import SearchDelivery

EVERY = Duration.minutes(1)
TIMEOUT = Duration.seconds(55)
"""Shorter than the schedule, so that two invocations rarely work at once; where they do, it costs only
that a count is put twice."""
MEMORY_MIB = 1769
"""One vCPU: sorting is parsing JSON."""


class Redelivery(Construct):
    """deliveries: whose failed documents lie in `bucket`, and into which they are redelivered.

    counts_per_second: new counts at the declared peak.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deliveries: Sequence[SearchDelivery],
        bucket: s3.IBucket,
        counts_per_second: float,
        names: Names,
        settings: DeliverySettings,
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        taken, waiting, given_up = (
            f"{bucket.bucket_arn}/{prefix}*"
            for prefix in (FAILED_DOCUMENTS_PREFIX, WAITING_DOCUMENTS_PREFIX, GIVEN_UP_DOCUMENTS_PREFIX)
        )
        permissions = {
            "FindsDocuments": (["s3:ListBucket"], [bucket.bucket_arn]),
            "TakesDocuments": (["s3:DeleteObject", "s3:GetObject"], [taken, waiting]),
            "KeepsDocuments": (["s3:PutObject"], [waiting, given_up]),
            "RedeliversThem": (["firehose:PutRecordBatch"], [delivery.arn for delivery in deliveries]),
        }
        # No more than new counts at the declared peak: every hop has room for twice that.
        records_per_second = max(1, round(counts_per_second))
        service = ServiceFunction(
            self,
            "Lambda",
            name=names.redelivery,
            description="Redelivers counts that OpenSearch did not take",
            package=lambda_zip("redelivery"),
            statements=[
                iam.PolicyStatement(sid=sid, actions=actions, resources=resources)
                for sid, (actions, resources) in permissions.items()
            ],
            environment={
                configuration.BUCKET: bucket.bucket_name,
                configuration.FAILED_PREFIX: FAILED_DOCUMENTS_PREFIX,
                configuration.WAITING_PREFIX: WAITING_DOCUMENTS_PREFIX,
                configuration.GIVEN_UP_PREFIX: GIVEN_UP_DOCUMENTS_PREFIX,
                configuration.SINKS: json.dumps({each.sink.name: each.arn for each in deliveries}),
                configuration.INDICES: json.dumps(
                    {
                        each.sink.name: delivery_index(names.index_family(each.sink.index_family))
                        for each in deliveries
                    }
                ),
                configuration.FIRST_PAUSE_SECONDS: str(settings.redelivery_first_pause_seconds),
                configuration.GIVE_UP_AFTER_SECONDS: str(settings.redelivery_give_up_hours * 3600),
                configuration.RECORDS_PER_SECOND: str(records_per_second),
            },
            memory_mib=MEMORY_MIB,
            timeout=TIMEOUT,
            defaults=defaults,
        )
        acknowledge_wildcards(
            service.role,
            [taken, waiting, given_up],
            reason="Firehose and the function name the objects themselves; nothing else lies below these "
            "prefixes.",
        )
        # The schedule comes again sooner than Lambda would retry. What found no concurrent execution is not
        # kept either: Lambda would for six hours, and then run it all at once, each at the full rate
        # (developer guide, "How Lambda handles errors and retries with asynchronous invocation").
        service.function.configure_async_invoke(retry_attempts=0, max_event_age=EVERY)
        events.Rule(
            self,
            "Schedule",
            rule_name=names.redelivery,
            description="Invokes the redelivery of documents that OpenSearch did not take",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(service.function)],
        )
        alarm_on_redelivery(self, function=names.redelivery, settings=settings)
