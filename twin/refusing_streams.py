"""Delivery streams of the emulated Firehose that take no record, as above their quota.

`POST /_twin/refusing-delivery-streams` with a JSON list of names; the empty list ends it. Such a put is
answered with ServiceUnavailableException, and its records count in `ThrottledRecords`
(https://docs.aws.amazon.com/botocore/latest/reference/services/firehose/client/exceptions/ServiceUnavailableException.html;
Firehose developer guide, "Monitor with CloudWatch metrics").
"""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

REFUSING_PATH = "/_twin/refusing-delivery-streams"
NEEDED_OF_FIREHOSE = ("_HANDLERS", "error_response_json")

_refusing: frozenset[str] = frozenset()


def refuse(body: bytes) -> None:
    """body: of the request, as above."""
    global _refusing  # noqa: PLW0603
    _refusing = frozenset(json.loads(body))


def refuse_puts(firehose: ModuleType, add: Callable[..., None]) -> None:
    """firehose: MiniStack's module of that name; add: of twin/alarms/service_metrics.py."""

    def unless_refused(put: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def answered(request: dict[str, Any]) -> Any:
            name = request.get("DeliveryStreamName", "")
            if name not in _refusing:
                return put(request)
            records = float(len(request.get("Records", [None])))
            add("AWS/Firehose ThrottledRecords", {"DeliveryStreamName": name}, [records], "Count")
            return firehose.error_response_json("ServiceUnavailableException", "Slow down.", 503)

        return answered

    for operation in ("PutRecord", "PutRecordBatch"):
        firehose._HANDLERS[operation] = unless_refused(firehose._HANDLERS[operation])
