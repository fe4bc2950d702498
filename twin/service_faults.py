"""Faults of AWS's own services, which nobody else can cause: refused puts, and copies in S3 that take long.

A test sends `POST /_twin/service-faults` with JSON: {"throttled": [names of streams]} or {"copy_seconds": how
long a copy takes}. An empty list, or 0, ends it.

Of a throttled stream every REFUSED_OF-th call is refused, so that producers get on with their retries. The
metric of the refused is sent as the service sends it (twin/alarms/catalogue.py names the pages).
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import kinesis, s3

from twin.alarms.service_metrics import add

FAULTS_PATH = "/_twin/service-faults"
NEEDED_OF_KINESIS = ("_put_record", "_put_records")
NEEDED_OF_S3 = ("_copy_object",)
REFUSED_OF = 3

Operation = Callable[[dict[str, Any]], Any]

_faults: dict[str, Any] = {}
_calls: Counter[str] = Counter()


def set_service_faults(body: bytes) -> None:
    """body: of the request, as above."""
    _faults.update(json.loads(body))


def cause_service_faults() -> None:
    """Wrap MiniStack's operations, outside of what counts their calls."""
    kinesis._put_record = _unless_throttled_stream(kinesis._put_record)
    kinesis._put_records = _unless_throttled_stream(kinesis._put_records)
    _copy_slowly()


def _is_refused(name: str) -> bool:
    if name not in _faults.get("throttled", ()):
        return False
    _calls[name] += 1
    return _calls[name] % REFUSED_OF == 1


def _unless_throttled_stream(put: Operation) -> Operation:
    """Refused as a shard does that is written to too fast (Kinesis API reference, PutRecords)."""

    def refused_or_put(request: dict[str, Any]) -> Any:
        name = str(request.get("StreamName") or request["StreamARN"].rsplit("/", 1)[-1])
        if not _is_refused(name):
            return put(request)
        number = float(len(request.get("Records", [request])))
        add("AWS/Kinesis WriteProvisionedThroughputExceeded", {"StreamName": name}, [number], "Count")
        return error_response_json(
            "ProvisionedThroughputExceededException", f"Rate exceeded for a shard in stream {name}", 400
        )

    return refused_or_put


def _copy_slowly() -> None:
    """MiniStack answers one request at a time, so nothing else is answered meanwhile."""
    copy = s3._copy_object

    def copied(bucket_name: str, dest_key: str, headers: dict[str, str]) -> Any:
        time.sleep(float(_faults.get("copy_seconds", 0)))
        return copy(bucket_name, dest_key, headers)

    s3._copy_object = copied
