"""When a minute is final: what may still change it has been read, and nothing is under way.

Time alone does not tell. Behind, the application has yet to count clicks that have long been in the raw
backup, and redelivery may hold counts for hours.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.batch_server.progress import ReadProgress

NOT_DUE = "not final: clicks may still arrive, or counts and rejects be under way"
NOT_READ = "not final: the application is behind, and has not read them yet"
NOT_KNOWN = "not final: it is unknown how far the application has read"
COUNTS_WAIT = "not final: redelivery has counts of this minute"
HALF_ERASED = "an erasure stands half done: give `click-trends erase` again"
ERASED_AGAIN = "clicks of an erased reader were delivered again: give `click-trends erase` again"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """behind: how long after their arrival the application reads clicks; None if that is unknown, and
    `problem` says why."""

    behind: timedelta | None
    problem: str | None = None

    @classmethod
    def of(cls, progress: ReadProgress, now: datetime) -> "Reading":
        if progress.read_until is None:
            return cls(behind=None, problem=progress.problem or "nothing tells it")
        return cls(behind=max(timedelta(0), now - progress.read_until))

    def pending(self, end: datetime, now: datetime) -> str | None:
        """Why what ended then is not final; None if it is. end: when everything was in S3 if it was read at
        once."""
        if end > now:
            return NOT_DUE
        if self.behind is None:
            return NOT_KNOWN
        return NOT_READ if end > now - self.behind else None


UP_TO_DATE = Reading(behind=timedelta(0))
