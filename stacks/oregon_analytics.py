"""Oregon, what works on the data: raw backup, analytics application, delivery of counts and rejects."""

from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_s3 as s3
from constructs import Construct

from contract.sink import REJECTS_TABLE, SINKS
from names import RAW_ERRORS_PREFIX, RAW_PREFIX, REJECTED_ERRORS_PREFIX, REJECTED_PREFIX
from settings import Settings
from settings.segments import keep_seconds, lead_seconds
from stacks.analytics.application import AnalyticsApplication
from stacks.constructs.service_function import FunctionDefaults
from stacks.delivery.erasure import ErasureRole
from stacks.delivery.redelivery import Redelivery
from stacks.delivery.s3_delivery import S3Delivery
from stacks.delivery.search_delivery import SearchDelivery
from stacks.monitoring.hops import RAW_BACKUP, REJECTS
from stacks.queries.analysts import Analysts
from stacks.queries.tables import ClickTables
from stacks.reconciliation import ReconciliationFunction
from stacks.reconciliation.operator import ReconcilingOperator
from stacks.replay.replay import Replay
from stacks.search.bootstrap import SearchBootstrap
from stacks.search.correction import CorrectionRole
from stacks.segments.publisher import SegmentsPublisher


class OregonAnalytics(Stack):
    """Neighbours in other stacks are known by their names; only the domain's endpoint, which AWS makes up, is
    an export of its stack."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        domain: opensearch.CfnDomain,
        jar: Path,
        settings: Settings,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        names = settings.names
        log_days = settings.log_retention_days
        defaults = FunctionDefaults(architecture=settings.architecture, log_days=log_days)
        source = kinesis.Stream.from_stream_arn(self, "SourceStream", names.source_stream_arn)
        raw = s3.Bucket.from_bucket_arn(self, "RawBucket", f"arn:aws:s3:::{names.raw_bucket}")
        segments = s3.Bucket.from_bucket_arn(self, "SegmentsBucket", f"arn:aws:s3:::{names.segments_bucket}")
        rejected = s3.Bucket.from_bucket_arn(self, "RejectedBucket", f"arn:aws:s3:::{names.rejected_bucket}")

        S3Delivery(
            self,
            "RawBackup",
            name=names.raw_backup_delivery_stream,
            source=source,
            bucket=raw,
            prefix=RAW_PREFIX,
            errors_prefix=RAW_ERRORS_PREFIX,
            hop=RAW_BACKUP,
            buffer_seconds=settings.delivery.archive_buffer_seconds,
            log_days=log_days,
            names=names,
        )
        bootstrap = SearchBootstrap(
            self,
            "SearchBootstrap",
            endpoint=f"{settings.search.scheme}://{domain.attr_domain_endpoint}",
            domain_arn=names.search_domain_arn,
            names=names,
            settings=settings.search,
            counts_generation=settings.analytics.counts_generation,
            defaults=defaults,
        )
        counts = [
            SearchDelivery(
                self,
                f"{sink.construct_id}Delivery",
                sink=sink,
                domain_arn=names.search_domain_arn,
                bucket=rejected,
                log_days=log_days,
                names=names,
                settings=settings.delivery,
            )
            for sink in SINKS
        ]
        CorrectionRole(self, "CorrectionRole", domain_arn=names.search_domain_arn, names=names)
        for delivery in counts:
            # Without the pipeline the first documents would make an index of their own.
            delivery.delivery_stream.node.add_dependency(bootstrap.resource)
        Redelivery(
            self,
            "Redelivery",
            deliveries=counts,
            bucket=rejected,
            counts_per_second=settings.peak.counts_per_second,
            names=names,
            settings=settings.delivery,
            defaults=defaults,
        )
        rejects = S3Delivery(
            self,
            "RejectsDelivery",
            name=names.rejects_delivery_stream,
            source=None,
            bucket=rejected,
            prefix=REJECTED_PREFIX,
            errors_prefix=REJECTED_ERRORS_PREFIX,
            hop=REJECTS,
            buffer_seconds=settings.delivery.archive_buffer_seconds,
            log_days=log_days,
            names=names,
        )
        ReconciliationFunction(
            self,
            "Reconciliation",
            endpoint=f"{settings.search.scheme}://{domain.attr_domain_endpoint}",
            domain_arn=names.search_domain_arn,
            clicks_per_second=settings.peak.clicks_per_second,
            allowed_lateness_hours=settings.analytics.allowed_lateness_hours,
            archive_buffer_seconds=settings.delivery.archive_buffer_seconds,
            names=names,
            defaults=defaults,
        )
        ReconcilingOperator(self, "ReconcilingOperator", domain_arn=names.search_domain_arn, names=names)
        ClickTables(self, "Tables", keep_days=settings.delivery.raw_retention_days, names=names)
        Analysts(self, "Analysts", names=names, settings=settings.queries)
        ErasureRole(self, "Erasure", names=names)
        application = AnalyticsApplication(
            self,
            "Analytics",
            source=source,
            segments=segments,
            sinks={delivery.sink.table: delivery for delivery in counts} | {REJECTS_TABLE: rejects},
            jar=jar,
            names=names,
            settings=settings.analytics,
            defaults=defaults,
        )
        SegmentsPublisher(
            self,
            "SegmentsPublisher",
            bucket=segments,
            lead_seconds=lead_seconds(settings.segments, settings.analytics),
            keep_seconds=keep_seconds(settings.analytics, settings.delivery),
            topic_arn=settings.alarms.oregon_topic_arn,
            names=names,
            settings=settings.segments,
            defaults=defaults,
        )
        Replay(
            self,
            "Replay",
            code=application.code,
            deliveries=counts,
            counts_per_second=settings.peak.counts_per_second,
            lateness_hours=settings.analytics.allowed_lateness_hours,
            kept_days=settings.delivery.raw_retention_days,
            remembered_hours=settings.analytics.drop_repeated_click_ids_hours,
            names=names,
            settings=settings.replay,
            defaults=defaults,
        )
