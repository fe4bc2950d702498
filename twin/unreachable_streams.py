"""Streams of the emulated Kinesis that nobody can put into, as if their region were away.

`POST /_twin/unreachable-streams` with a JSON list of names; the empty list ends it. A put is answered with
ServiceUnavailable, the common error of all services
(https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html), and stores nothing.
"""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ministack.core.responses import error_response_json

UNREACHABLE_PATH = "/_twin/unreachable-streams"
NEEDED_OF_KINESIS = ("_put_record", "_put_records")

_unreachable: frozenset[str] = frozenset()


def be_unreachable(body: bytes) -> None:
    """body: of the request, as above."""
    global _unreachable  # noqa: PLW0603
    _unreachable = frozenset(json.loads(body))


def refuse_puts(kinesis: ModuleType) -> None:
    """kinesis: MiniStack's module of that name."""

    def unless_away(put: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def answered(request: dict[str, Any]) -> Any:
            name = request.get("StreamName") or str(request.get("StreamARN")).rsplit("/", 1)[-1]
            if name in _unreachable:
                return error_response_json("ServiceUnavailable", "The region is away.", 503)
            return put(request)

        return answered

    for operation in NEEDED_OF_KINESIS:
        setattr(kinesis, operation, unless_away(getattr(kinesis, operation)))
