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
from stacks.analytics.application import AnalyticsApplication
from stacks.constructs.service_function import FunctionDefaults
from stacks.delivery.redelivery import Redelivery
from stacks.delivery.s3_delivery import S3Delivery
from stacks.delivery.search_delivery import SearchDelivery
from stacks.monitoring.hops import RAW_BACKUP, REJECTS
from stacks.search.bootstrap import SearchBootstrap


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
        AnalyticsApplication(
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
