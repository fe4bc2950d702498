"""The analytics application: Flink SQL on Managed Service for Apache Flink, its role, its log, its start."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Annotations, Aws, CfnRule, CfnRuleAssertion, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisanalyticsv2 as analytics
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from analytics_sql.jars import stale, unusable
from contract.sink import REJECTS_TABLE
from lambdas.application_lifecycle.running_configuration import asked_configuration
from lambdas.application_lifecycle.state import deployed_operators
from names import SEGMENTS_CORRECTIONS_PREFIX, SEGMENTS_PREFIX, TWIN_ACCOUNT, Names
from settings.analytics import AnalyticsSettings
from stacks.analytics.alarms import alarm_on_application
from stacks.analytics.lifecycle import ApplicationLifecycle
from stacks.analytics.package import application_zip, recorded_operators
from stacks.analytics.properties import application_properties
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.flink_service import flink_service
from stacks.constructs.log_group import NamedLogGroup, events_arn
from stacks.constructs.service_function import FunctionDefaults
from stacks.delivery.s3_delivery import S3Delivery
from stacks.delivery.search_delivery import SearchDelivery

RUNTIME = "FLINK-2_3"
LOG_STREAM = "application"
BUILD = "Build the jar with `make aws-jar`, synthesise again and deploy that."
NO_JAR = "{}, so the application could not start. " + BUILD


class AnalyticsApplication(Construct):
    """Runs once its stack is complete: reads `source` and `segments`, puts into the delivery streams `sinks`.

    sinks: by the table of the SQL that each stands for; jar: the connectors, for the zip. A template made
    while it is missing or damaged cannot be deployed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: kinesis.IStream,
        segments: s3.IBucket,
        sinks: Mapping[str, SearchDelivery | S3Delivery],
        jar: Path,
        names: Names,
        settings: AnalyticsSettings,
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._log_days = defaults.log_days
        self._is_twin = names.account == TWIN_ACCOUNT
        self._names = names
        self._log_group = f"/aws/kinesis-analytics/{self._names.application}"

        self.code = code = assets.Asset(self, "Code", path=str(application_zip(jar=jar)))
        """Of a replay too."""
        role = self._role(code=code, source=source, segments=segments, sinks=sinks)
        properties = application_properties(
            source_arn=source.stream_arn,
            segments_bucket=segments.bucket_name,
            delivery_streams={table: delivery_stream.name for table, delivery_stream in sinks.items()},
            names=names,
            settings=settings,
        )
        application = self._application(code=code, role=role, properties=properties)
        logging_option = self._logging_option(application)
        lifecycle = ApplicationLifecycle(
            self,
            "Lifecycle",
            configuration=asked_configuration(
                code_key=code.s3_object_key,
                runtime=RUNTIME,
                parallelism=settings.parallelism,
                parallelism_per_kpu=settings.parallelism_per_kpu,
                checkpoint_interval_ms=settings.publish_every_seconds * 1000,
                properties=properties,
            ),
            operators=deployed_operators(
                recorded_operators(), with_optional=settings.drop_repeated_click_ids_hours is not None
            ),
            deployed=_digest(application),
            # Counts of another generation begin without state, from the oldest click in the stream.
            state_generation=settings.state_generation + settings.counts_generation - 1,
            names=names,
            defaults=defaults,
        )
        # Before the role too: a job that lost the permission for a sink could take no snapshot.
        for changed in (role, application):
            changed.node.add_dependency(lifecycle.pause)
        lifecycle.resource.node.add_dependency(
            application, logging_option, *(delivery.delivery_stream for delivery in sinks.values())
        )
        alarm_on_application(
            self,
            application=names.application,
            source_stream=source.stream_name,
            rejects_delivery_stream=sinks[REJECTS_TABLE].name,
            delivery_streams=[delivery.name for delivery in sinks.values()],
            settings=settings,
        )
        if problem := unusable(jar):
            self._forbid_deployment_to_aws(problem)
        elif not self._is_twin and (problem := stale(jar)):
            Annotations.of(self).add_warning_v2("click-trends:stale-jar", f"{problem}. {BUILD}")

    def _role(
        self,
        *,
        code: assets.Asset,
        source: kinesis.IStream,
        segments: s3.IBucket,
        sinks: Mapping[str, SearchDelivery | S3Delivery],
    ) -> iam.Role:
        account, region = self._names.account, self._names.oregon
        code_object = f"{code.bucket.bucket_arn}/{code.s3_object_key}"
        segment_objects = f"{segments.bucket_arn}/{SEGMENTS_PREFIX}*"
        correction_objects = f"{segments.bucket_arn}/{SEGMENTS_CORRECTIONS_PREFIX}*"
        # Where nothing is below it, Flink's S3 file system also asks for an object of the folder's own name,
        # and fails with S3's 403: the job would not run until the first version is published.
        segments_folder = f"{segments.bucket_arn}/{SEGMENTS_PREFIX.rstrip('/')}"
        log_events = events_arn(self._log_group, region=region, account=account)
        every_log_group = f"arn:aws:logs:{region}:{account}:log-group:*"
        permissions = {
            "ReadsItsCode": (["s3:GetObject", "s3:GetObjectVersion"], [code_object]),
            "ReadsClicks": (
                [
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                ],
                [source.stream_arn],
            ),
            "ListsSegments": (["s3:ListBucket"], [segments.bucket_arn]),
            "ReadsSegments": (["s3:GetObject"], [segments_folder, segment_objects, correction_objects]),
            "PutsCountsAndRejects": (
                ["firehose:PutRecordBatch"],
                [delivery_stream.arn for delivery_stream in sinks.values()],
            ),
            "FindsItsLog": (["logs:DescribeLogGroups"], [every_log_group]),
            "WritesItsLog": (["logs:DescribeLogStreams", "logs:PutLogEvents"], [log_events]),
        }
        role = iam.Role(
            self,
            "Role",
            assumed_by=flink_service(account),
            inline_policies={
                "Rights": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(sid=sid, actions=actions, resources=resources)
                        for sid, (actions, resources) in permissions.items()
                    ]
                )
            },
        )
        acknowledge_wildcards(
            role,
            [segment_objects, correction_objects],
            reason="Versions of the segments are named after the time from which they hold.",
        )
        acknowledge_wildcards(
            role,
            [log_events, every_log_group],
            reason="The service asks for exactly these to write the application's log (developer guide, "
            "CloudWatch logging); finding a log group cannot be limited to one.",
        )
        return role

    def _application(
        self, *, code: assets.Asset, role: iam.Role, properties: Mapping[str, Mapping[str, str]]
    ) -> analytics.CfnApplication:
        return analytics.CfnApplication(
            self,
            "Application",
            application_name=self._names.application,
            application_description="Counts clicks per minute, article and segment",
            application_mode="STREAMING",
            runtime_environment=RUNTIME,
            service_execution_role=role.role_arn,
            application_configuration=analytics.CfnApplication.ApplicationConfigurationProperty(
                application_code_configuration=analytics.CfnApplication.ApplicationCodeConfigurationProperty(
                    code_content_type="ZIPFILE",
                    code_content=analytics.CfnApplication.CodeContentProperty(
                        s3_content_location=analytics.CfnApplication.S3ContentLocationProperty(
                            bucket_arn=code.bucket.bucket_arn, file_key=code.s3_object_key
                        )
                    ),
                ),
                environment_properties=analytics.CfnApplication.EnvironmentPropertiesProperty(
                    property_groups=[
                        analytics.CfnApplication.PropertyGroupProperty(
                            property_group_id=group, property_map=dict(values)
                        )
                        for group, values in properties.items()
                    ]
                ),
                flink_application_configuration=self._flink(),
                application_snapshot_configuration=analytics.CfnApplication.ApplicationSnapshotConfigurationProperty(
                    snapshots_enabled=True
                ),
                application_system_rollback_configuration=analytics.CfnApplication.ApplicationSystemRollbackConfigurationProperty(
                    rollback_enabled=True
                ),
            ),
        )

    def _flink(self) -> analytics.CfnApplication.FlinkApplicationConfigurationProperty:
        settings = self._settings
        publish_every_ms = settings.publish_every_seconds * 1000
        return analytics.CfnApplication.FlinkApplicationConfigurationProperty(
            checkpoint_configuration=analytics.CfnApplication.CheckpointConfigurationProperty(
                configuration_type="CUSTOM",
                checkpointing_enabled=True,
                checkpoint_interval=publish_every_ms,
                min_pause_between_checkpoints=publish_every_ms // 2,
            ),
            monitoring_configuration=analytics.CfnApplication.MonitoringConfigurationProperty(
                configuration_type="CUSTOM", log_level="INFO", metrics_level="APPLICATION"
            ),
            parallelism_configuration=analytics.CfnApplication.ParallelismConfigurationProperty(
                configuration_type="CUSTOM",
                auto_scaling_enabled=False,
                parallelism=settings.parallelism,
                parallelism_per_kpu=settings.parallelism_per_kpu,
            ),
        )

    def _logging_option(
        self, application: analytics.CfnApplication
    ) -> analytics.CfnApplicationCloudWatchLoggingOption:
        group = NamedLogGroup(self, "Logs", name=self._log_group, days=self._log_days)
        stream = logs.LogStream(
            self,
            "LogStream",
            log_group=group,
            log_stream_name=LOG_STREAM,
            removal_policy=RemovalPolicy.DESTROY,
        )
        account, region = self._names.account, self._names.oregon
        arn = f"arn:aws:logs:{region}:{account}:log-group:{self._log_group}:log-stream:{LOG_STREAM}"
        option = analytics.CfnApplicationCloudWatchLoggingOption(
            self,
            "LoggingOption",
            application_name=application.ref,
            cloud_watch_logging_option=analytics.CfnApplicationCloudWatchLoggingOption.CloudWatchLoggingOptionProperty(
                log_stream_arn=arn
            ),
        )
        option.node.add_dependency(stream)
        return option

    def _forbid_deployment_to_aws(self, problem: str) -> None:
        """CloudFormation refuses the template, except in the twin, which brings the connectors itself."""
        why = NO_JAR.format(problem)
        if not self._is_twin:
            Annotations.of(self).add_warning_v2("click-trends:no-aws-jar", why)
        CfnRule(
            Stack.of(self),
            "ConnectorsAreInTheZip",
            assertions=[
                CfnRuleAssertion(
                    assert_=Fn.condition_equals(Aws.ACCOUNT_ID, TWIN_ACCOUNT), assert_description=why
                )
            ],
        )


def _digest(application: analytics.CfnApplication) -> str:
    """Changes whenever the application's code or configuration does."""
    resolved = Stack.of(application).resolve(application.application_configuration)
    return hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()[:16]
