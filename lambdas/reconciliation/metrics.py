"""Counts what became of an hour's clicks: CloudWatch metrics in the embedded format, and log lines."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.reconciliation.differences import Difference, differences
from lambdas.reconciliation.final import Reading
from lambdas.reconciliation.hours import ReconciledTime
from lambdas.reconciliation.result import ReconciledHours
from lambdas.reconciliation.told_hours import FINAL_KEY, HOUR_KEY
from lambdas.shared.metrics import NAMESPACE, metrics_service

RECEIVED = "Received"
"""Clicks of an hour, now final, in the raw backup, and unread rests of lines that arrived in it."""
COUNTED = "Counted"
"""Clicks of the hour in OpenSearch's counts."""
REJECTED = "Rejected"
"""Clicks of the hour that are in no count, with a reason."""
UNPARSEABLE = "Unparseable"
"""Unread rests of lines that arrived in the hour."""
SET_ASIDE = "SetAside"
"""Clicks in counts that wait for redelivery or were given up, and clicks that never left Tokyo."""
UNEXPLAINED = "Unexplained"
"""Clicks of the hour that are missing or counted too often, and nothing explains it. An object that cannot be
read is one."""

OPEN_HOURS = "OpenHours"
"""Hours, of the last two days, that should be reconciled by the clock and are not, or are not final."""

SERVICE = "reconciliation"
MAX_DIFFERENCES_TOLD = 20
"""In the log line; `click-trends reconcile` shows all."""

_logger = Logger(service=SERVICE, level="INFO")  # told_hours.py reads these lines, whatever LOG_LEVEL says
_metrics = Metrics(namespace=NAMESPACE, service=metrics_service(SERVICE))


def publish(found: ReconciledHours) -> None:
    """The metrics are published once the hour is final; the log line is written in any case."""
    numbers = {
        RECEIVED: found.received,
        COUNTED: found.counted,
        REJECTED: found.rejected,
        UNPARSEABLE: found.unparseable,
        SET_ASIDE: found.set_aside,
        UNEXPLAINED: found.unexplained,
    }
    if found.is_final:
        for name, clicks in numbers.items():
            _metrics.add_metric(name=name, unit=MetricUnit.Count, value=clicks)
        _metrics.flush_metrics()
    told = differences(found)
    level = _logger.warning if found.unexplained or not found.is_final else _logger.info
    level(
        "an hour does not add up"
        if found.unexplained
        else "an hour adds up"
        if found.is_final
        else "an hour is not final",
        extra={
            HOUR_KEY: found.since.isoformat(),
            FINAL_KEY: found.is_final,
            "pending": found.pending,
            **numbers,
            "differences": [_told(each) for each in told[:MAX_DIFFERENCES_TOLD]],
            "differences_in_all": len(told),
            "error_objects": found.error_objects[:MAX_DIFFERENCES_TOLD],
        },
    )


def _told(difference: Difference) -> dict[str, Any]:
    """Minutes in a row, or hours of units without a time, with the likely cause and objects to look at."""
    return {
        "since": difference.since.isoformat(),
        "until": difference.until.isoformat(),
        "clicks": difference.clicks,
        "cause": difference.cause,
        "needs_action": difference.needs_action,
        "objects": difference.objects,
    }


def tell_open(asked: ReconciledTime, pending: str) -> None:
    """An hour that is due and cannot be final: its objects were not read."""
    _logger.warning(
        "an hour is not final",
        extra={
            HOUR_KEY: asked.since.isoformat(),
            FINAL_KEY: False,
            "pending": [pending],
            **_told_of(asked.reading),
        },
    )


def tell_failed(asked: ReconciledTime, error: Exception) -> None:
    _logger.error(
        "an hour was not reconciled: what became of its clicks is unknown",
        extra={HOUR_KEY: asked.since.isoformat(), FINAL_KEY: False, "problem": f"{error!r}"},
    )


def _told_of(reading: Reading) -> dict[str, Any]:
    if reading.behind is None:
        return {"problem": reading.problem}
    return {"seconds_behind": round(reading.behind.total_seconds())}


def publish_open(hours: int, reading: Reading) -> None:
    """hours: that are due and not final."""
    _metrics.add_metric(name=OPEN_HOURS, unit=MetricUnit.Count, value=hours)
    _metrics.flush_metrics()
    if hours:
        _logger.warning(f"hours that are due and not final: {hours}", extra=_told_of(reading))
