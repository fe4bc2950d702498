"""What missing data means for an alarm, and which alarm notifies when the part dies that reports its metric.

Most metrics exist only while something flows, so their silence is no fault, and a dead part reports nothing
at all: another alarm must notify then.
"""

from dataclasses import dataclass

from lambdas.feedback.metrics import AGE

NOTHING_READ = "NothingRead"
NOTHING_PUT = "NothingPut"
NOTHING_WRITTEN = "NothingWritten"
"""Measures that compare what was sent with what was taken: they see from outside that a part died."""
RANKING_AGE = AGE
"""Grows when counts no longer reach OpenSearch, whoever is to blame."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """breaching: missing data count as beyond the threshold. notified_by: the measure whose alarm notifies
    when the reporting part dies; None: the alarm itself. exempt: why no alarm needs to."""

    breaching: bool = False
    notified_by: str | None = None
    exempt: str | None = None


BREACHING = Silence(breaching=True)
"""For what a healthy part always reports."""
COMPARED = Silence()
"""For an expression that takes missing data for none: see `unanswered` in measure.py."""
NO_CLICKS = Silence(exempt="no click is no fault, unless alarms.*_quiet_minutes say that it is")
DEPLOYMENT_FAILS = Silence(exempt="the function runs in a deployment only, which fails with it")


def notified_by(measure: str) -> Silence:
    """measure: of the alarm that notifies, of the same part where several have it."""
    return Silence(notified_by=measure)
