"""The forwarder: the function that carries the mobile stream to Oregon, and what invokes it."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas.forwarder import configuration
from lambdas.forwarder.rules import destination_variable, load_rules
from names import REJECTED_RECORDS_PREFIX, Names
from settings.forwarder import ForwarderSettings
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.service_function import FunctionDefaults, ServiceFunction
from stacks.forwarder.alarms import alarm_on_forwarder

_PUT_ACTIONS = {"kinesis": "kinesis:PutRecords", "firehose": "firehose:PutRecordBatch"}


class Forwarder(Construct):
    """The function, its role and its event source mapping.

    source_arn: of the mobile stream; destinations: ARN by the logical name that the rules use.

    Raises RulesError where the rules can't be used or name a destination that is not given.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source_arn: str,
        destinations: Mapping[str, str],
        dead_letter_bucket: str,
        names: Names,
        settings: ForwarderSettings,
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        rules = load_rules(configuration.RULES_FILE)
        configuration.check_destinations(rules, list(destinations))
        used = {name: destinations[name] for name in rules.destinations}
        bucket_arn = f"arn:aws:s3:::{dead_letter_bucket}"
        every_object = f"{bucket_arn}/*"

        service = ServiceFunction(
            self,
            "Carry",
            name=names.forwarder,
            description="Carries the mobile stream of Tokyo to Oregon",
            package=lambda_zip("forwarder", data=[configuration.RULES_FILE]),
            statements=[
                _read(source_arn),
                *_put(used),
                *_keep(bucket_arn, every_object, account=names.account),
            ],
            environment={
                **{destination_variable(name): arn for name, arn in used.items()},
                configuration.DEAD_LETTER_BUCKET: dead_letter_bucket,
                configuration.DEAD_LETTER_PREFIX: REJECTED_RECORDS_PREFIX,
                configuration.RECORD_BYTES: str(settings.record_bytes),
                configuration.REQUESTS_IN_FLIGHT: str(settings.requests_in_flight),
            },
            memory_mib=settings.memory_mib,
            timeout=Duration.seconds(settings.timeout_seconds),
            defaults=defaults,
        )
        acknowledge_wildcards(
            service.role,
            [every_object],
            reason="Lambda makes no event source mapping whose role may not put every key of the on-failure "
            "bucket. The bucket holds nothing but dead letters.",
        )
        self.function = service.function
        self.event_source = _event_source(
            self,
            function=service.function,
            source_arn=source_arn,
            failed_batches=bucket_arn,
            settings=settings,
        )
        alarm_on_forwarder(
            self,
            function=names.forwarder,
            event_source_mapping=self.event_source.ref,
            mobile_stream=names.mobile_stream,
            settings=settings,
        )
        self.event_source.node.add_dependency(
            service.role
        )  # its permissions are checked when the mapping is made


def _read(source_arn: str) -> iam.PolicyStatement:
    """What Lambda's event source mapping does with the function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    """
    return iam.PolicyStatement(
        sid="ReadsTheMobileStream",
        actions=[
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
        ],
        resources=[source_arn],
    )


def _put(destinations: Mapping[str, str]) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid=f"PutsInto{name.title().replace('-', '')}",
            actions=[_PUT_ACTIONS[arn.split(":")[2]]],
            resources=[arn],
        )
        for name, arn in destinations.items()
    ]


def _keep(bucket_arn: str, every_object: str, *, account: str) -> list[iam.PolicyStatement]:
    """Invalid clicks by the function, batches given up by Lambda with the function's role.

    Lambda checks s3:PutObject on the whole bucket when the mapping is made, and wants to list the bucket:
    docs/decisions/on-failure-grant-is-the-whole-bucket.md. The bucket must be of this account, so that
    nobody who gets hold of a freed bucket name receives readers' records.
    """
    return [
        iam.PolicyStatement(
            sid="KeepsDeadLetters",
            actions=["s3:PutObject"],
            resources=[every_object],
            conditions={"StringEquals": {"s3:ResourceAccount": account}},
        ),
        iam.PolicyStatement(sid="KeepsBatchesGivenUp", actions=["s3:ListBucket"], resources=[bucket_arn]),
    ]


def _event_source(
    scope: Construct,
    *,
    function: lambda_.IFunction,
    source_arn: str,
    failed_batches: str,
    settings: ForwarderSettings,
) -> lambda_.CfnEventSourceMapping:
    return lambda_.CfnEventSourceMapping(
        scope,
        "EventSource",
        event_source_arn=source_arn,
        function_name=function.function_name,
        enabled=True,  # the default, but drift is detected in properties that are set
        starting_position="TRIM_HORIZON",
        batch_size=settings.batch_size,
        maximum_batching_window_in_seconds=settings.batching_window_seconds,
        parallelization_factor=settings.parallelization_factor,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
        maximum_record_age_in_seconds=settings.max_record_age_seconds,
        maximum_retry_attempts=settings.retry_attempts,
        destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=failed_batches)
        ),
        # Without it no metric says that a batch was given up, or that none is read.
        metrics_config=lambda_.CfnEventSourceMapping.MetricsConfigProperty(metrics=["EventCount"]),
    )
