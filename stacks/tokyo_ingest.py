"""Tokyo, what carries and reads: the forwarder, the feedback to the service, and what apps, web servers and
the batch server may do."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from settings import Settings
from stacks.constructs.service_function import FunctionDefaults
from stacks.forwarder.forwarder import Forwarder
from stacks.producers.mobile_apps import MobileAppRoles
from stacks.producers.web_servers import WebServerRole
from stacks.serving.batch_server import BatchServerRole
from stacks.serving.feedback import Feedback


class TokyoIngest(Stack):
    """identity_pool_id: of the pool that vends credentials to the mobile apps."""

    def __init__(
        self, scope: Construct, construct_id: str, *, identity_pool_id: str, settings: Settings, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        names = settings.names
        defaults = FunctionDefaults(architecture=settings.architecture, log_days=settings.log_retention_days)
        source = kinesis.Stream.from_stream_arn(self, "SourceStream", names.source_stream_arn)

        MobileAppRoles(
            self,
            "MobileApps",
            pool_id=identity_pool_id,
            stream_arn=names.mobile_stream_arn,
            guest_access=settings.mobile_apps.guest_access,
            names=names,
        )
        Forwarder(
            self,
            "Forwarder",
            source_arn=names.mobile_stream_arn,
            destinations={"source-stream": names.source_stream_arn},
            dead_letter_bucket=names.dead_letter_bucket,
            names=names,
            settings=settings.forwarder,
            defaults=defaults,
        )
        WebServerRole(self, "WebServer", source=source, table_arn=names.trending_table_arn, names=names)
        BatchServerRole(
            self,
            "BatchServer",
            domain_arn=names.search_domain_arn,
            table_arn=names.trending_table_arn,
            names=names,
        )
        Feedback(
            self,
            "Feedback",
            domain_arn=names.search_domain_arn,
            domain_scheme=settings.search.scheme,
            table_arn=names.trending_table_arn,
            names=names,
            settings=settings.feedback,
            defaults=defaults,
        )
