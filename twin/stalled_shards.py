"""Shards of the emulated Kinesis that give their consumers nothing, as if those were late.

A test sends `POST /_twin/streams/<region>/<stream>/stalled` with a JSON list of shard ids; the empty list
releases all. A read of a stalled shard is empty and says how late it is.
"""

import json
from types import ModuleType
from typing import Any

STREAMS_PATH = "/_twin/streams/"
NEEDED_OF_KINESIS = ("_get_records", "_shard_iterators")

_stalled: dict[str, frozenset[str]] = {}  # stream -> shards; a stream name exists in one region only


def stall(path: str, body: bytes) -> None:
    """path: of the request, as above."""
    _, stream, _ = path.removeprefix(STREAMS_PATH).split("/")
    _stalled[stream] = frozenset(json.loads(body))


def stall_shards(kinesis: ModuleType) -> None:
    """kinesis: MiniStack's module of that name."""
    get_records = kinesis._get_records

    def unless_stalled(request: dict[str, Any]) -> Any:
        state = kinesis._shard_iterators.get(request.get("ShardIterator"))
        if state and state["shard_id"] in _stalled.get(state["stream"], ()):
            request = {**request, "Limit": 0}
        return get_records(request)

    kinesis._get_records = unless_stalled  # type: ignore[attr-defined]
