"""Reads every record of an emulated Kinesis stream, from the oldest, with the given client.

A shard that came of a split or a merge is read once all its parents were read to their end, as consumers do
that keep the order of a partition key
(https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html).
"""

import time
from collections.abc import Callable, Sequence
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
    """A consumer's position in every shard of a stream.

    is_done: whether every record of a shard that was read to its end is processed; its children wait for it.
    """

    def __init__(
        self, kinesis: Any, stream_arn: str, *, is_done: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._kinesis = kinesis
        self._stream_arn = stream_arn
        self._is_done = is_done
        self._iterators: dict[str, str] = {}
        self._behind: dict[str, tuple[float, float]] = {}
        self._left_some: dict[str, bool] = {}
        self._held: list[ShardRecord] = []  # read, and not handed on
        self._waiting: dict[str, frozenset[str]] = {}  # child -> its parents that are not done
        shards = kinesis.list_shards(StreamARN=stream_arn)["Shards"]
        there = {shard["ShardId"] for shard in shards}
        for shard in shards:
            parents = there.intersection(
                shard[name] for name in ("ParentShardId", "AdjacentParentShardId") if name in shard
            )
            if parents:
                self._wait(shard["ShardId"], frozenset(parents))
            else:
                self._begin(shard["ShardId"])

    @property
    def shard_ids(self) -> Sequence[str]:
        """Those that are being read."""
        return tuple(self._iterators)

    def _wait(self, shard_id: str, parents: frozenset[str]) -> None:
        self._waiting[shard_id] = parents
        self._behind[shard_id] = time.monotonic(), 0.0

    def _begin(self, shard_id: str) -> None:
        self._iterators[shard_id] = self._kinesis.get_shard_iterator(
            StreamARN=self._stream_arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        self._behind[shard_id] = time.monotonic(), 0.0
        self._left_some[shard_id] = False

    def _begin_children(self) -> None:
        for child, parents in list(self._waiting.items()):
            if all(parent not in self._behind and self._is_done(parent) for parent in parents):
                self._begin(child)
                del self._waiting[child]

    def read(self, shard_id: str) -> list[ShardRecord]:
        """The next records of a shard, at most 10,000; empty if there is nothing new."""
        # Named, so that the emulator knows which resource to authorise.
        answer = self._kinesis.get_records(
            ShardIterator=self._iterators[shard_id], StreamARN=self._stream_arn, Limit=_RECORDS_A_READ
        )
        next_iterator = answer.get("NextShardIterator")
        if next_iterator is None:
            self._ends(shard_id, answer.get("ChildShards", []))
        else:
            self._iterators[shard_id] = next_iterator
            self._behind[shard_id] = time.monotonic(), answer["MillisBehindLatest"] / 1000
            self._left_some[shard_id] = bool(answer["Records"]) and answer["MillisBehindLatest"] > 0
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

    def _ends(self, shard_id: str, children: Sequence[dict[str, Any]]) -> None:
        """It is read to its end, and closed."""
        for child in children:
            if child["ShardId"] not in self._behind:
                self._wait(child["ShardId"], frozenset(child["ParentShards"]))
        del self._iterators[shard_id], self._behind[shard_id], self._left_some[shard_id]

    @property
    def seconds_behind(self) -> float:
        """Of the furthest-behind shard: how late its last read was, and how long ago."""
        now = time.monotonic()
        return max((behind + now - read_at for read_at, behind in list(self._behind.values())), default=0.0)

    @property
    def has_more(self) -> bool:
        """Whether a shard's last read got some of its records and left others. A consumer that reads on at
        once without would get a few records a call, as fast as calls are answered."""
        return any(self._left_some.values())

    def read_all(self) -> list[ShardRecord]:
        """The next records of every shard; those of a call that failed halfway come with the next."""
        self._begin_children()
        for shard_id in self.shard_ids:
            self._held += self.read(shard_id)
        read, self._held = self._held, []
        return read
