"""Resharding in the twin's Kinesis: a shard that was split or merged is closed, and keeps its records.

MiniStack deletes such a shard with all records that nobody has read. On AWS its records can be read until
they expire; GetRecords at its end names its children and gives no next iterator
(https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html).
UpdateShardCount, which MiniStack answers with new shards in the old ones' place, is refused here.
"""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ministack.core.responses import error_response_json, json_response

NEEDED_OF_KINESIS = (
    "_split_shard",
    "_merge_shards",
    "_update_shard_count",
    "_route_to_shard",
    "_shard_out",
    "_get_records",
    "_describe_stream_summary",
    "_shard_iterators",
    "_streams",
    "_resolve_stream",
    "_next_sequence_number",
)
CLOSED_AT = "ending_sequence_number"
"""Of a shard that takes no more records."""
_PARENTS = ("parent_shard_id", "adjacent_parent_shard_id")

Request = dict[str, Any]
Shards = dict[str, dict[str, Any]]


def _open(shards: Shards) -> Shards:
    return {shard_id: shard for shard_id, shard in shards.items() if CLOSED_AT not in shard}


def _are_adjacent(one: dict[str, Any], other: dict[str, Any]) -> bool:
    lower, upper = sorted((one, other), key=lambda shard: int(shard["starting_hash_key"]))
    return int(lower["ending_hash_key"]) + 1 == int(upper["starting_hash_key"])


def close_shards(kinesis: ModuleType) -> None:
    """kinesis: MiniStack's module of that name."""
    split, merge, get_records = kinesis._split_shard, kinesis._merge_shards, kinesis._get_records
    shard_out, summarised = kinesis._shard_out, kinesis._describe_stream_summary

    def resharded(reshard: Callable[[Request], Any], request: Request, *parents: str) -> Any:
        _, stream = kinesis._resolve_stream(request)
        if not stream:
            return reshard(request)
        before: Shards = dict(stream["shards"])
        known = [before[parent] for parent in parents if parent in before]
        if any(CLOSED_AT in shard for shard in known):
            return error_response_json("ResourceInUseException", f"closed: {', '.join(parents)}", 400)
        if len(known) == 2 and not _are_adjacent(*known):
            return error_response_json("InvalidArgumentException", "the shards are not adjacent", 400)
        closed_at = kinesis._next_sequence_number()
        answer = reshard(request)
        for parent in before.keys() - stream["shards"].keys():
            stream["shards"][parent] = {**before[parent], CLOSED_AT: closed_at}
        return answer

    def split_closing(request: Request) -> Any:
        return resharded(split, request, str(request.get("ShardToSplit")))

    def merge_closing(request: Request) -> Any:
        parents = str(request.get("ShardToMerge")), str(request.get("AdjacentShardToMerge"))
        return resharded(merge, request, *parents)

    def refused(_: Request) -> Any:
        return error_response_json("ValidationException", "the twin reshards by split and merge", 400)

    def route(hash_key: int, stream: dict[str, Any]) -> str:
        for shard_id, shard in _open(stream["shards"]).items():
            if int(shard["starting_hash_key"]) <= hash_key <= int(shard["ending_hash_key"]):
                return shard_id
        raise ValueError(f"no open shard has the hash key {hash_key}")

    def described(shard_id: str, shard: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = shard_out(shard_id, shard)
        if CLOSED_AT in shard:
            found["SequenceNumberRange"]["EndingSequenceNumber"] = shard[CLOSED_AT]
        return found

    def summary_of_open(request: Request) -> Any:
        status, headers, body = summarised(request)
        _, stream = kinesis._resolve_stream(request)
        if status != 200 or not stream:
            return status, headers, body
        answer = json.loads(body)
        answer["StreamDescriptionSummary"]["OpenShardCount"] = len(_open(stream["shards"]))
        return json_response(answer)

    def get_to_the_end(request: Request) -> Any:
        asked = kinesis._shard_iterators.get(request.get("ShardIterator"))
        shards: Shards = kinesis._streams[asked["stream"]]["shards"] if asked else {}
        shard = shards.get(asked["shard_id"], {}) if asked else {}
        status, headers, body = get_records(request)
        if CLOSED_AT not in shard or status != 200:
            return status, headers, body
        answer = json.loads(body)
        if kinesis._shard_iterators[answer["NextShardIterator"]]["position"] < len(shard["records"]):
            return status, headers, body
        del answer["NextShardIterator"]
        answer["ChildShards"] = [
            {
                "ShardId": each,
                "ParentShards": _parents(shards[each]),
                "HashKeyRange": described(each, shards[each])["HashKeyRange"],
            }
            for each in shards
            if asked["shard_id"] in _parents(shards[each])
        ]
        return json_response(answer)

    kinesis._split_shard = split_closing  # type: ignore[attr-defined]
    kinesis._merge_shards = merge_closing  # type: ignore[attr-defined]
    kinesis._update_shard_count = refused  # type: ignore[attr-defined]
    kinesis._route_to_shard = route  # type: ignore[attr-defined]
    kinesis._shard_out = described  # type: ignore[attr-defined]
    kinesis._describe_stream_summary = summary_of_open  # type: ignore[attr-defined]
    kinesis._get_records = get_to_the_end  # type: ignore[attr-defined]


def _parents(shard: dict[str, Any]) -> list[str]:
    return [shard[name] for name in _PARENTS if shard.get(name)]
