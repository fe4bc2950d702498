"""Expiry in the twin's Kinesis: each call looks at the oldest entries only.

MiniStack looks at every record and shard iterator in each call, so calls slow down as the twin runs. A
shard's records and the iterators are in order of creation, so the first one tells whether any has expired.
MiniStack also leaves iterators in place when earlier records expire, so that their consumers skip as many.
"""

import time
from itertools import takewhile
from types import ModuleType
from typing import Any

NEEDED_OF_KINESIS = ("_expire_records", "_expire_iterators", "_shard_iterators", "ITERATOR_EXPIRY_SECONDS")
SECONDS_AN_HOUR = 3600


def expire_the_oldest(kinesis: ModuleType) -> None:
    """kinesis: MiniStack's module of that name."""
    every_iterator: dict[Any, dict[str, Any]] = kinesis._shard_iterators._data

    def expire_records(stream: dict[str, Any]) -> None:
        cutoff = time.time() - stream["RetentionPeriodHours"] * SECONDS_AN_HOUR
        for shard_id, shard in stream["shards"].items():
            arrivals = (record["ApproximateArrivalTimestamp"] for record in shard["records"])
            expired = sum(1 for _ in takewhile(lambda arrived_at: arrived_at < cutoff, arrivals))
            if expired:
                del shard["records"][:expired]
                for iterator in every_iterator.values():
                    if (iterator["stream_arn"], iterator["shard_id"]) == (stream["StreamARN"], shard_id):
                        iterator["position"] = max(0, iterator["position"] - expired)

    def expire_iterators() -> None:
        cutoff = time.time() - kinesis.ITERATOR_EXPIRY_SECONDS
        expired = takewhile(lambda token: every_iterator[token]["created_at"] < cutoff, every_iterator)
        for token in list(expired):
            del every_iterator[token]

    kinesis._expire_records = expire_records  # type: ignore[attr-defined]
    kinesis._expire_iterators = expire_iterators  # type: ignore[attr-defined]
