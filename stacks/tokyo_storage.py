"""Tokyo, what holds data: the mobile apps' stream and identities, the dead letters of the forwarder, and the
rankings that the service reads."""

from typing import Any

from aws_cdk import Stack
from constructs import Construct

from settings import Settings
from stacks.constructs.private_bucket import PrivateBucket
from stacks.constructs.retention import Retention
from stacks.monitoring.hops import MOBILE_STREAM
from stacks.monitoring.silence import NOTHING_READ
from stacks.producers.click_stream import ClickStream
from stacks.producers.mobile_apps import MobileIdentities
from stacks.serving.trending_table import TrendingTable


class TokyoStorage(Stack):
    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, retention: Retention, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        names = settings.names

        self.mobile_stream = ClickStream(
            self,
            "MobileStream",
            stream_name=names.mobile_stream,
            shards=settings.streams.mobile_shards,
            retention_hours=settings.streams.retention_hours,
            quiet_minutes=settings.alarms.mobile_quiet_minutes,
            hop=MOBILE_STREAM,
            consumer_stops=NOTHING_READ,
            retention=retention,
        )
        self.mobile_identities = MobileIdentities(
            self, "MobileIdentities", names=names, settings=settings.mobile_apps, retention=retention
        )
        self.dead_letter_bucket = PrivateBucket(
            self,
            "DeadLetterBucket",
            bucket_name=names.dead_letter_bucket,
            expire_days=settings.delivery.raw_retention_days,
            rewritten=True,
            retention=retention,
        )
        self.trending_table = TrendingTable(
            self, "TrendingTable", table_name=names.trending_table, retention=retention
        )

        retention.warn_if_one_key_is_missing(self)
