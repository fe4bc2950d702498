"""What became of uploaded segments: CloudWatch metrics in the embedded format, and one log line."""

from dataclasses import dataclass, field

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.metrics import NAMESPACE, metrics_service

PUBLISHED = "PublishedSegments"
"""Versions that were published."""
REFUSED = "RefusedSegments"
"""Files that were refused, or overwritten before they were read."""
LATE = "LateSegments"
"""Versions that were published too late for every task to have read them by their valid_from."""
UPLOAD_AGE = "UploadAge"
"""Age of the oldest upload that waits when an invocation ends, in seconds; 0 if none does."""

SERVICE = "segments-publisher"

_logger = Logger(service=SERVICE)
_metrics = Metrics(namespace=NAMESPACE, service=metrics_service(SERVICE))


@dataclass(kw_only=True)
class UploadOutcomes:
    """One invocation. published, refused, again, overwritten: names of uploads; again: what a receipt had
    already; overwritten: by another upload of the name before they were read; expired: keys of past
    versions; upload_age_seconds: as UPLOAD_AGE."""

    published: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    upload_age_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def publish_at_once(name: str) -> None:
    """name: REFUSED or LATE. Before the upload is deleted: if the function dies in between, it is published
    twice, but never lost."""
    _metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    _metrics.flush_metrics()


def publish(outcomes: UploadOutcomes) -> None:
    """All but what is published already."""
    _metrics.add_metric(name=PUBLISHED, unit=MetricUnit.Count, value=len(outcomes.published))
    age = round(outcomes.upload_age_seconds, 1)
    _metrics.add_metric(name=UPLOAD_AGE, unit=MetricUnit.Seconds, value=age)
    _metrics.flush_metrics()
    level = _logger.warning if outcomes.refused or outcomes.problems else _logger.info
    level(
        "uploaded segments processed",
        extra={
            "published": outcomes.published,
            "refused": outcomes.refused,
            "published before": outcomes.again,
            "overwritten": outcomes.overwritten,
            "expired": outcomes.expired,
            UPLOAD_AGE: age,
            "problems": outcomes.problems,
        },
    )
