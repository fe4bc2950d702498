"""Counts what became of a batch: CloudWatch metrics in the embedded format, and one log line.

The unit is what the contract finds in a record: each click, and the unread rest of a line; a record refused
as a whole is one. Each is counted by the invocation that settles it: received = forwarded + dropped +
rejected + failed. Lambda hands over failed ones again. So over any time, received - failed counts them, and
duplicates counts the copies that retries add in Oregon.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.delivery import Delivery
from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION, metrics_service

RECEIVED_RECORDS = "ReceivedRecords"
"""Records handed over to the function; retries count again."""
RECEIVED = "Received"
"""Clicks and unread rests in them."""
FORWARDED = "Forwarded"
"""Clicks accepted in Oregon."""
DROPPED = "Dropped"
"""Clicks dropped by a rule."""
REJECTED = "Rejected"
"""Invalid clicks, unread rests and refused records; each is a dead letter."""
UNEXPECTED = "Unexpected"
"""Clicks on which the function failed in a way it does not foresee; retries count again."""
FAILED = "Failed"
"""Clicks that Lambda hands over again."""
DUPLICATES = "Duplicates"
"""Failed clicks that Oregon already has and gets again."""
RETRIED = "Retried"
"""Clicks in refused records that the same invocation sent again."""
RECEIVED_BYTES = "ReceivedBytes"
"""Bytes of the records handed over."""
REJECTED_BYTES = "RejectedBytes"
"""Bytes of the rejected."""
FORWARDED_BYTES = "ForwardedBytes"
"""Bytes accepted in Oregon."""
REQUEST_LATENCY = "RequestLatency"
"""Duration of each request to Oregon."""
REJECTED_BY_REASON = "RejectedByReason"
"""The rejected, with the dimension `reason`."""
REASON_DIMENSION = "reason"

SERVICE = "forwarder"

_logger = Logger(service=SERVICE)
_metrics = Metrics(namespace=NAMESPACE, service=metrics_service(SERVICE))


@dataclass(frozen=True, kw_only=True)
class BatchTally:
    """A batch of `records` in numbers of clicks. unexpected: rejected or failed for a reason that the code
    does not foresee; duplicates: failed ones that were delivered and will be delivered again."""

    records: int
    received: int
    forwarded: int
    dropped: int
    rejected: Mapping[str, int]
    unexpected: int
    failed: int
    duplicates: int
    received_bytes: int
    rejected_bytes: int


def publish(tally: BatchTally, delivery: Delivery) -> None:
    counts = {
        RECEIVED_RECORDS: tally.records,
        RECEIVED: tally.received,
        FORWARDED: tally.forwarded,
        DROPPED: tally.dropped,
        REJECTED: sum(tally.rejected.values()),
        UNEXPECTED: tally.unexpected,
        FAILED: tally.failed,
        DUPLICATES: tally.duplicates,
        RETRIED: delivery.retried,
    }
    for name, count in counts.items():
        _metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    sizes = {
        RECEIVED_BYTES: tally.received_bytes,
        REJECTED_BYTES: tally.rejected_bytes,
        FORWARDED_BYTES: delivery.delivered_bytes,
    }
    for name, size in sizes.items():
        _metrics.add_metric(name=name, unit=MetricUnit.Bytes, value=size)
    for milliseconds in delivery.request_milliseconds:
        _metrics.add_metric(name=REQUEST_LATENCY, unit=MetricUnit.Milliseconds, value=round(milliseconds, 1))
    _metrics.flush_metrics()
    for reason, count in tally.rejected.items():
        with single_metric(
            name=REJECTED_BY_REASON, unit=MetricUnit.Count, value=count, namespace=NAMESPACE
        ) as metric:
            metric.add_dimension(name=SERVICE_DIMENSION, value=metrics_service(SERVICE))
            metric.add_dimension(name=REASON_DIMENSION, value=reason)
    level = _logger.warning if tally.failed or tally.rejected else _logger.info
    level(
        "batch forwarded"
        if not tally.failed
        else "batch not forwarded completely: Lambda will hand over the rest again",
        extra={
            **counts,
            "reasons": dict(tally.rejected),
            "errors": sorted(delivery.errors),
            "requests": len(delivery.request_milliseconds),
            "slowest_request_ms": round(max(delivery.request_milliseconds, default=0.0)),
        },
    )
