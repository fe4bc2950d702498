"""Faults of the streams: a region away, shards that change under traffic."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

from names import OREGON, TOKYO
from twin.drills.fault import Fault
from twin.drills.run import DrilledRun
from twin.unreachable_streams import UNREACHABLE_PATH

AWAY_SECONDS = 600.0
SPLIT_SECONDS = 10.0


def _oregon_is_away(run: DrilledRun) -> Callable[[], None]:
    def unreachable(*streams: str) -> None:
        url = f"{run.twin.emulator.endpoint}{UNREACHABLE_PATH}"
        urllib.request.urlopen(url, data=json.dumps(streams).encode(), timeout=30).close()

    unreachable(run.twin.names.source_stream)
    return unreachable


def _a_shard_splits(run: DrilledRun) -> Callable[[], None]:
    names = run.twin.names
    streams = ((TOKYO, names.mobile_stream), (OREGON, names.source_stream))
    halves = [(region, stream, _split(run, region, stream)) for region, stream in streams]

    def merge() -> None:
        for region, stream, (lower, upper) in halves:
            run.twin.emulator.client("kinesis", region).merge_shards(
                StreamName=stream, ShardToMerge=lower, AdjacentShardToMerge=upper
            )

    return merge


def _split(run: DrilledRun, region: str, stream: str) -> tuple[str, str]:
    """Cut the stream's first open shard in the middle. Returns the ids of its halves, the lower first."""
    kinesis = run.twin.emulator.client("kinesis", region)
    shard = _open_shards(kinesis, stream)[0]
    keys = shard["HashKeyRange"]
    middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"]) + 1) // 2
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle))
    lower, upper = (
        each["ShardId"]
        for each in _open_shards(kinesis, stream)
        if each.get("ParentShardId") == shard["ShardId"]
    )
    return lower, upper


def _open_shards(kinesis: Any, stream: str) -> list[dict[str, Any]]:
    """By hash key."""
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    still_open = [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    return sorted(still_open, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


STREAM_FAULTS = (
    Fault(
        name="oregon-away",
        what="nobody can put into Oregon's source stream; of the region nothing else is away in the twin",
        seen="no new counts; apps go on sending, their clicks wait in Tokyo; web servers keep theirs",
        runbook="IteratorAge",
        cause=_oregon_is_away,
        lasts_seconds=AWAY_SECONDS,
    ),
    Fault(
        name="shards-split-and-merge",
        what=f"a shard of each stream is split under traffic, and merged {SPLIT_SECONDS:.0f} s later",
        seen="nothing changes",
        runbook=None,
        cause=_a_shard_splits,
        lasts_seconds=SPLIT_SECONDS,
    ),
)
