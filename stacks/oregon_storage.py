"""Oregon, what holds data: the source stream, the buckets and the OpenSearch domain."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from settings import Settings
from stacks.constructs.private_bucket import PrivateBucket
from stacks.constructs.retention import Retention
from stacks.monitoring.hops import SOURCE_STREAM
from stacks.monitoring.silence import NOTHING_PUT
from stacks.producers.click_stream import ClickStream
from stacks.queries.analysts import RESULTS_DAYS
from stacks.search.domain import SearchDomain
from stacks.segments.bucket import SegmentsBucket


class OregonStorage(Stack):
    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, retention: Retention, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        names = settings.names
        keep_days = settings.delivery.raw_retention_days

        self.source_stream = ClickStream(
            self,
            "SourceStream",
            stream_name=names.source_stream,
            shards=settings.streams.source_shards,
            retention_hours=settings.streams.retention_hours,
            quiet_minutes=settings.alarms.source_quiet_minutes,
            hop=SOURCE_STREAM,
            consumer_stops=NOTHING_PUT,
            retention=retention,
        )
        self.raw_bucket = PrivateBucket(
            self,
            "RawBucket",
            bucket_name=names.raw_bucket,
            expire_days=keep_days,
            rewritten=True,
            retention=retention,
        )
        self.segments_bucket = SegmentsBucket(self, "SegmentsBucket", names=names, retention=retention)
        self.rejected_bucket = PrivateBucket(
            self,
            "RejectedBucket",
            bucket_name=names.rejected_bucket,
            expire_days=keep_days,
            rewritten=True,
            retention=retention,
        )
        self.query_results = PrivateBucket(
            self,
            "QueryResults",
            bucket_name=names.query_results_bucket,
            expire_days=RESULTS_DAYS,
            retention=retention,
        )
        self.search = SearchDomain(self, "Search", names=names, settings=settings.search, retention=retention)
        CfnOutput(
            self,
            "SearchEndpoint",
            value=f"{settings.search.scheme}://{self.search.domain.attr_domain_endpoint}",
            description="Where the batch server asks for the counts",
        )

        retention.warn_if_one_key_is_missing(self)
