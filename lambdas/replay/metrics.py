"""What became of replays: CloudWatch metrics in the embedded format, and a log line."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.metrics import NAMESPACE, metrics_service

FAILED_REPLAYS = "FailedReplays"
"""Replays that ended without counting, or that could not be ended in time."""
REPLAYED_COUNTS = "ReplayedCounts"
"""Counts that their delivery stream accepted."""

SERVICE = "replay"

logger = Logger(service=SERVICE)
_metrics = Metrics(namespace=NAMESPACE, service=metrics_service(SERVICE))


def publish(*, failed: int = 0, put: int = 0) -> None:
    _metrics.add_metric(name=FAILED_REPLAYS, unit=MetricUnit.Count, value=failed)
    _metrics.add_metric(name=REPLAYED_COUNTS, unit=MetricUnit.Count, value=put)
    _metrics.flush_metrics()


def tell(what: str, state: dict[str, Any]) -> None:
    logger.info(what, extra={"replay": state})
