"""Shards of the emulated Kinesis that give their consumers nothing, as if those were late.

A test sends `POST /_twin/streams/<region>/<stream>/held` with a JSON list of shard ids; the empty list
releases all. A read of a held shard is empty and says how late it is.
"""

import json
from types import ModuleType
from typing import Any

STREAMS_PATH = "/_twin/streams/"
NEEDED_OF_KINESIS = ("_get_records", "_shard_iterators")

_held: dict[str, frozenset[str]] = {}  # stream -> shards; a stream name exists in one region only


def hold(path: str, body: bytes) -> None:
    """path: of the request, as above."""
    _, stream, _ = path.removeprefix(STREAMS_PATH).split("/")
    _held[stream] = frozenset(json.loads(body))


def hold_shards_back(kinesis: ModuleType) -> None:
    """kinesis: MiniStack's module of that name."""
    get_records = kinesis._get_records

    def unless_held(request: dict[str, Any]) -> Any:
        state = kinesis._shard_iterators.get(request.get("ShardIterator"))
        if state and state["shard_id"] in _held.get(state["stream"], ()):
            request = {**request, "Limit": 0}
        return get_records(request)

    kinesis._get_records = unless_held  # type: ignore[attr-defined]
