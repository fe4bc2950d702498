"""Oregon, what works on the data: raw backup, analytics application, delivery of counts and rejects."""

from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.analytics_application import AnalyticsApplication
from stacks.counts_delivery import CountsDelivery
from stacks.raw_backup import RawBackup
from stacks.rejects_delivery import RejectsDelivery
from stacks.search_bootstrap import SearchBootstrap
from stacks.settings import Settings


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
        source = kinesis.Stream.from_stream_arn(self, "SourceStream", names.source_stream_arn)
        raw = s3.Bucket.from_bucket_arn(self, "RawBucket", f"arn:aws:s3:::{names.raw_bucket}")
        segments = s3.Bucket.from_bucket_arn(self, "SegmentsBucket", f"arn:aws:s3:::{names.segments_bucket}")
        rejected = s3.Bucket.from_bucket_arn(self, "RejectedBucket", f"arn:aws:s3:::{names.rejected_bucket}")

        RawBackup(self, "RawBackup", source=source, bucket=raw, settings=settings)
        bootstrap = SearchBootstrap(self, "SearchBootstrap", domain=domain, settings=settings)
        counts = CountsDelivery(self, "CountsDelivery", bucket=rejected, settings=settings)
        # Without the pipeline the first documents would make an index of their own.
        counts.delivery_stream.node.add_dependency(bootstrap.resource)
        rejects = RejectsDelivery(self, "RejectsDelivery", bucket=rejected, settings=settings)
        AnalyticsApplication(
            self,
            "Analytics",
            source=source,
            segments=segments,
            counts=counts.delivery_stream,
            rejects=rejects.delivery_stream,
            jar=jar,
            settings=settings,
        )
