"""Replays on AWS: the function that begins and ends them, the role and the log of their application, and what
`click-trends replay` may do."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from lambdas.replay import configuration
from names import RAW_PREFIX, REPLAYS_PREFIX, SEGMENTS_CORRECTIONS_PREFIX, SEGMENTS_PREFIX, Names
from settings.replay import ReplaySettings
from stacks.analytics.application import LOG_STREAM, RUNTIME
from stacks.analytics.package import JAR_IN_ZIP
from stacks.constructs.acknowledge import acknowledge, acknowledge_wildcards
from stacks.constructs.flink_service import flink_service
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.log_group import NamedLogGroup, events_arn
from stacks.constructs.service_function import FunctionDefaults, ServiceFunction
from stacks.delivery.search_delivery import SearchDelivery
from stacks.replay.alarms import EVERY, alarm_on_replays
from stacks.replay.operator import ReplayOperator

TIMEOUT = Duration.seconds(290)
"""Shorter than the schedule, so that two invocations rarely put the same counts."""
MEMORY_MIB = 512


class Replay(Construct):
    """code: the zip of the analytics application; deliveries: of the counts; counts_per_second: new ones at
    the declared peak; lateness_hours: allowed to clicks; kept_days: of the raw backup; remembered_hours: of a
    click id, None where repeated ones count."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: assets.Asset,
        deliveries: Sequence[SearchDelivery],
        counts_per_second: float,
        lateness_hours: int,
        kept_days: int,
        remembered_hours: int | None,
        names: Names,
        settings: ReplaySettings,
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        raw = f"arn:aws:s3:::{names.raw_bucket}"
        self._own_objects = f"{raw}/{REPLAYS_PREFIX}*"
        role = self._application_role(code)
        limits = {
            configuration.PARALLELISM: str(settings.parallelism),
            configuration.MAX_HOURS: str(settings.longest_hours),
            configuration.COUNTS_PER_SECOND: str(counts_per_second),
            configuration.LATENESS_HOURS: str(lateness_hours),
            configuration.KEPT_DAYS: str(kept_days),
            **({configuration.REMEMBERED_HOURS: str(remembered_hours)} if remembered_hours else {}),
        }
        service = self._function(role, code, deliveries, limits=limits, defaults=defaults)
        log_group = NamedLogGroup(self, "Logs", name=self._log_group, days=defaults.log_days)
        logs.LogStream(
            self,
            "LogStream",
            log_group=log_group,
            log_stream_name=LOG_STREAM,
            removal_policy=RemovalPolicy.DESTROY,
        )
        # The schedule comes again: Lambda's own retries would put the same counts beside it.
        service.function.configure_async_invoke(retry_attempts=0, max_event_age=EVERY)
        events.Rule(
            self,
            "Schedule",
            rule_name=names.replay,
            description="Invokes the function that takes each replay to its end",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(service.function)],
        )
        ReplayOperator(
            self,
            "Operator",
            function=service.function.function_arn,
            delivery_streams=[delivery.arn for delivery in deliveries],
            names=names,
        )
        alarm_on_replays(self, function=names.replay)

    @property
    def _log_group(self) -> str:
        return f"/aws/kinesis-analytics/{self._names.replay_application}"

    def _application_role(self, code: assets.Asset) -> iam.Role:
        names = self._names
        raw = f"arn:aws:s3:::{names.raw_bucket}"
        raw_objects = f"{raw}/{RAW_PREFIX}*"
        # Flink's S3 file system asks for an object of the folder's own name too.
        folders = [f"{raw}/{prefix.rstrip('/')}" for prefix in (RAW_PREFIX, REPLAYS_PREFIX)]
        log_events = events_arn(self._log_group, region=names.oregon, account=names.account)
        every_log_group = f"arn:aws:logs:{names.oregon}:{names.account}:log-group:*"
        permissions = {
            "ReadsItsCode": (
                ["s3:GetObject", "s3:GetObjectVersion"],
                [f"{code.bucket.bucket_arn}/{code.s3_object_key}"],
            ),
            "ListsRaw": (["s3:ListBucket"], [raw]),
            "ReadsClicks": (["s3:GetObject"], [raw_objects, *folders]),
            "WritesCounts": (
                ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                [self._own_objects],
            ),
            "FindsItsLog": (["logs:DescribeLogGroups"], [every_log_group]),
            "WritesItsLog": (["logs:DescribeLogStreams", "logs:PutLogEvents"], [log_events]),
        }
        role = iam.Role(
            self,
            "ApplicationRole",
            role_name=names.replay_application,
            assumed_by=flink_service(names.account),
            inline_policies={"Rights": _document(permissions)},
        )
        acknowledge_wildcards(
            role,
            [raw_objects, self._own_objects],
            reason="Firehose names the raw objects, and Flink those of the counts.",
        )
        acknowledge_wildcards(
            role,
            [log_events, every_log_group],
            reason="The service asks for exactly these to write an application's log (developer guide, "
            "CloudWatch logging); finding a log group cannot be limited to one.",
        )
        return role

    def _function(
        self,
        role: iam.Role,
        code: assets.Asset,
        deliveries: Sequence[SearchDelivery],
        *,
        limits: Mapping[str, str],
        defaults: FunctionDefaults,
    ) -> ServiceFunction:
        names = self._names
        raw, segments = (f"arn:aws:s3:::{bucket}" for bucket in (names.raw_bucket, names.segments_bucket))
        versions = [f"{segments}/{prefix}*" for prefix in (SEGMENTS_PREFIX, SEGMENTS_CORRECTIONS_PREFIX)]
        permissions = {
            "RunsTheApplication": (
                [
                    "kinesisanalytics:DeleteApplication",
                    "kinesisanalytics:DescribeApplication",
                    "kinesisanalytics:DescribeApplicationOperation",
                    "kinesisanalytics:ListApplicationOperations",
                    "kinesisanalytics:StartApplication",
                    "kinesisanalytics:StopApplication",
                ],
                [names.replay_application_arn],
            ),
            "ListsObjects": (["s3:ListBucket"], [raw, segments]),
            "ReadsVersions": (["s3:GetObject"], versions),
            "KeepsReplays": (["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [self._own_objects]),
            "PutsCounts": (["firehose:PutRecordBatch"], [delivery.arn for delivery in deliveries]),
        }
        creates = iam.PolicyStatement(
            sid="CreatesTheApplication",
            actions=["kinesisanalytics:CreateApplication"],
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": names.oregon}},
        )
        gives_the_role = iam.PolicyStatement(
            sid="GivesTheApplicationItsRole",
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "kinesisanalytics.amazonaws.com"}},
        )
        log_stream = (
            f"arn:aws:logs:{names.oregon}:{names.account}:log-group:{self._log_group}:log-stream:{LOG_STREAM}"
        )
        service = ServiceFunction(
            self,
            "Lambda",
            name=names.replay,
            description="Begins and ends replays of the raw backup",
            package=lambda_zip("replay"),
            statements=[*_statements(permissions), creates, gives_the_role],
            environment={
                configuration.APPLICATION: names.replay_application,
                configuration.RUNTIME: RUNTIME,
                configuration.ROLE_ARN: role.role_arn,
                configuration.LOG_STREAM_ARN: log_stream,
                configuration.CODE_BUCKET_ARN: code.bucket.bucket_arn,
                configuration.CODE_KEY: code.s3_object_key,
                configuration.JAR_IN_ZIP: JAR_IN_ZIP,
                configuration.RAW_BUCKET: names.raw_bucket,
                configuration.SEGMENTS_BUCKET: names.segments_bucket,
                configuration.SINKS: json.dumps({each.sink.table: each.name for each in deliveries}),
                **limits,
            },
            memory_mib=MEMORY_MIB,
            timeout=TIMEOUT,
            defaults=defaults,
        )
        acknowledge_wildcards(
            service.role,
            [self._own_objects, *versions],
            reason="A replay's objects are named after when it was asked for, versions after when they hold.",
        )
        acknowledge(
            service.role,
            "IAM5[Resource::*]",
            reason="Creating an application cannot be limited to one (service authorization reference, "
            "Amazon Kinesis Analytics V2): the action has no resource types. iam:PassRole limits its role.",
        )
        return service


def _statements(permissions: dict[str, tuple[list[str], list[str]]]) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(sid=sid, actions=actions, resources=resources)
        for sid, (actions, resources) in permissions.items()
    ]


def _document(permissions: dict[str, tuple[list[str], list[str]]]) -> iam.PolicyDocument:
    return iam.PolicyDocument(statements=_statements(permissions))
