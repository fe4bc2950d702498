"""Reads every record of an emulated Kinesis stream, from the oldest, with the given client."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_RECORDS_A_READ = 10_000


@dataclass(frozen=True)
class ShardRecord:
    """A record as GetRecords returns it, with its shard."""

    shard_id: str
    sequence_number: str
    partition_key: str
    data: bytes
    arrived_at: datetime


class ShardReader:
    """A consumer's position in every shard of a stream."""

    def __init__(self, kinesis: Any, stream_arn: str) -> None:
        self._kinesis = kinesis
        self._stream_arn = stream_arn
        shards = kinesis.list_shards(StreamARN=stream_arn)["Shards"]
        self._iterators = {
            shard["ShardId"]: kinesis.get_shard_iterator(
                StreamARN=stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            for shard in shards
        }
        self._behind = dict.fromkeys(self._iterators, (time.monotonic(), 0.0))

    @property
    def shard_ids(self) -> Sequence[str]:
        return tuple(self._iterators)

    def read(self, shard_id: str) -> list[ShardRecord]:
        """The next records of a shard, at most 10,000; empty if there is nothing new."""
        # Named, so that the emulator knows which resource to authorise.
        answer = self._kinesis.get_records(
            ShardIterator=self._iterators[shard_id], StreamARN=self._stream_arn, Limit=_RECORDS_A_READ
        )
        self._iterators[shard_id] = answer["NextShardIterator"]
        self._behind[shard_id] = time.monotonic(), answer["MillisBehindLatest"] / 1000
        return [
            ShardRecord(
                shard_id=shard_id,
                sequence_number=record["SequenceNumber"],
                partition_key=record["PartitionKey"],
                data=record["Data"],
                arrived_at=record["ApproximateArrivalTimestamp"],
            )
            for record in answer["Records"]
        ]

    @property
    def seconds_behind(self) -> float:
        """Of the furthest-behind shard: how late its last read was, and how long ago."""
        now = time.monotonic()
        return max(behind + now - read_at for read_at, behind in self._behind.values())

    def read_all(self) -> list[ShardRecord]:
        """The next records of every shard."""
        return [record for shard_id in self._iterators for record in self.read(shard_id)]
