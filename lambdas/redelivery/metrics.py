"""Counts what became of failed documents: CloudWatch metrics in the embedded format, and one log line."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.shared.metrics import NAMESPACE, metrics_service

STALE = "Stale"
"""Documents dropped because the index has a larger count."""
WAITING = "Waiting"
"""Documents whose pause is not over yet."""
WAITING_AGE = "WaitingAge"
"""Age at failure of the oldest count that began to wait, in seconds."""
REDELIVERED = "Redelivered"
"""Counts that their delivery stream accepted again."""
GIVEN_UP = "GivenUp"
"""Documents moved to `given-up/`; an object given up as a whole counts as one."""

SERVICE = "redelivery"

_logger = Logger(service=SERVICE)
_metrics = Metrics(namespace=NAMESPACE, service=metrics_service(SERVICE))


@dataclass(kw_only=True)
class Outcomes:
    """One invocation in numbers of documents. `given_up`: by reason; an object given up as a whole is one.
    `waiting_age_seconds`: age at failure of the oldest count that began to wait; None if none did."""

    stale: int = 0
    waiting: int = 0
    waiting_age_seconds: float | None = None
    redelivered: int = 0
    given_up: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def wait(self, age_seconds: float) -> None:
        self.waiting += 1
        self.waiting_age_seconds = max(self.waiting_age_seconds or 0.0, age_seconds)

    @property
    def documents(self) -> int:
        """The documents of a sorted object."""
        return self.stale + self.waiting + self.given_up.total()

    def add(self, other: "Outcomes") -> None:
        self.stale += other.stale
        self.waiting += other.waiting
        ages = [age for age in (self.waiting_age_seconds, other.waiting_age_seconds) if age is not None]
        self.waiting_age_seconds = max(ages, default=None)
        self.redelivered += other.redelivered
        self.given_up += other.given_up
        self.problems += other.problems


def publish_given_up(given_up: Counter[str]) -> None:
    """Publish it at once, so that its alarm enters ALARM even if the invocation dies later."""
    if given_up:
        _publish({GIVEN_UP: given_up.total()})


def publish(outcomes: Outcomes) -> None:
    """Publish all but `given_up`, which is published already."""
    counts = {STALE: outcomes.stale, WAITING: outcomes.waiting, REDELIVERED: outcomes.redelivered}
    if outcomes.waiting_age_seconds is not None:
        _metrics.add_metric(
            name=WAITING_AGE, unit=MetricUnit.Seconds, value=round(outcomes.waiting_age_seconds, 1)
        )
    _publish(counts)
    level = _logger.warning if outcomes.given_up or outcomes.problems else _logger.info
    level(
        "failed documents processed",
        extra={
            **counts,
            GIVEN_UP: outcomes.given_up.total(),
            "reasons": dict(outcomes.given_up),
            WAITING_AGE: outcomes.waiting_age_seconds,
            "problems": outcomes.problems,
        },
    )


def _publish(counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        _metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    _metrics.flush_metrics()
