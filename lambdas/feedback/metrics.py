"""Counts what became of the rankings: CloudWatch metrics in the embedded format, and one log line."""

from dataclasses import dataclass, field

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.metrics import NAMESPACE, metrics_service

WRITTEN = "RankingsWritten"
"""Rankings written: new, changed or refreshed."""
UNCHANGED = "RankingsUnchanged"
"""Unchanged rankings, not written."""
OVERTAKEN = "RankingsOvertaken"
"""Rankings not written because the table has newer ones."""
FAILED = "RankingsFailed"
"""Rankings that the table refused."""
AGE = "RankingAge"
"""Age of the newest served counts, in seconds."""

SERVICE = "feedback"

_logger = Logger(service=SERVICE)
_metrics = Metrics(namespace=NAMESPACE, service=metrics_service(SERVICE))


@dataclass(kw_only=True)
class FeedbackOutcome:
    """One run in numbers of rankings.

    overtaken: the table has newer ones; extended: kept for longer, as the counts do not change; unfit: why
    nothing was written; not_known: why it is unknown what was read; age_seconds: of the newest served counts,
    None without any; problems: for a person to look at.
    """

    written: int = 0
    unchanged: int = 0
    overtaken: int = 0
    failed: int = 0
    extended: int = 0
    unfit: str | None = None
    not_known: str | None = None
    age_seconds: float | None = None
    problems: list[str] = field(default_factory=list)


def publish(outcome: FeedbackOutcome) -> None:
    counts = {
        WRITTEN: outcome.written,
        UNCHANGED: outcome.unchanged,
        OVERTAKEN: outcome.overtaken,
        FAILED: outcome.failed,
    }
    for name, count in counts.items():
        _metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    if outcome.age_seconds is not None:
        _metrics.add_metric(name=AGE, unit=MetricUnit.Seconds, value=round(outcome.age_seconds, 1))
    _metrics.flush_metrics()
    level = _logger.warning if outcome.unfit or outcome.problems else _logger.info
    level(
        f"the rankings stay as they are: the counts are {outcome.unfit}"
        if outcome.unfit
        else "rankings written",
        extra={
            **counts,
            "extended": outcome.extended,
            "not_known": outcome.not_known,
            "age_seconds": outcome.age_seconds,
            "problems": outcome.problems[:20],
        },
    )
