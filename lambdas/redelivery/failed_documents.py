"""What to do with each document that OpenSearch did not take."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lambdas.shared.failed_documents import raw_data

STALE_CODE = "409"
"""A version conflict: OpenSearch has a larger count of the key."""
REFUSED_CODE = "400"
"""The document cannot be indexed: a mapping or pipeline error. Not retryable, except for MENDABLE."""
MENDABLE = (
    "index_closed_exception",
    r"pipeline with id \[[^]]*\] does not exist",
    r"would add \[\d+\] total (\w+ )?shards, but this cluster currently has",
)
"""Refusals with 400 that end when the domain is fixed: a closed index, a missing ingest pipeline, the shard
limit. As OpenSearch 3.6 words them (tests/lambdas/redelivery/test_refusals.py), anywhere in the
errorMessage, because Firehose's guide does not say how it quotes them."""

# Why a document is given up; also its folder below the prefix.
REFUSED = "refused"
TOO_LONG = "too-long"
UNREADABLE = "unreadable"
FORMER_INDEX = "former-index"
UNEXPECTED = "unexpected"

MAX_PAUSE_SECONDS = 3600

_mendable = re.compile("|".join(MENDABLE))


class Stale(NamedTuple):
    """Drop it: OpenSearch has a larger count."""


class GivenUp(NamedTuple):
    """Keep it for an operator. why: REFUSED, TOO_LONG, UNREADABLE, FORMER_INDEX or UNEXPECTED."""

    why: str


class Retry(NamedTuple):
    """Redeliver it when the pause after its failure is over. age_seconds: of the count when it failed."""

    pause_seconds: int
    age_seconds: float


Fate = Stale | GivenUp | Retry


@dataclass(frozen=True, kw_only=True)
class Patience:
    """first_pause_seconds: the shortest pause; give_up_after_seconds: the largest age, at its failure, of a
    count that is retried."""

    first_pause_seconds: int
    give_up_after_seconds: int

    def fate(self, document: dict[str, Any], *, failed_at: float) -> Fate:
        """failed_at: epoch seconds, for a document without the time of its failure."""
        data = raw_data(document)
        if data is None:
            return GivenUp(UNREADABLE)
        code = document.get("errorCode")
        code = str(code) if isinstance(code, str | int) else None
        if code == STALE_CODE:
            return Stale()
        if code == REFUSED_CODE and not _is_mendable(document.get("errorMessage")):
            return GivenUp(REFUSED)
        published_at = _published_at(data)
        age = None if published_at is None else _ended_at(document, failed_at) - published_at
        # A count published long after its failure would be retried forever; no clock is that wrong.
        if age is None or age < -self.give_up_after_seconds:
            return GivenUp(UNREADABLE)
        if age > self.give_up_after_seconds:
            return GivenUp(TOO_LONG)
        return Retry(self.pause_after(age), age)

    def pause_after(self, age: float) -> int:
        """The first pause, doubled while it is at most half the age: pauses grow without a store of attempts.
        age: of the count when it failed, in seconds."""
        pause = self.first_pause_seconds
        while 2 * pause <= min(age / 2, MAX_PAUSE_SECONDS):
            pause *= 2
        return pause


def _is_mendable(message: object) -> bool:
    return isinstance(message, str) and _mendable.search(message) is not None


def _published_at(data: bytes) -> float | None:
    """Epoch seconds of the count's publication; None if the data is not a count."""
    try:
        at = datetime.fromisoformat(json.loads(data)["published_at"])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _ended_at(document: dict[str, Any], default: float) -> float:
    """Epoch seconds of Firehose's last attempt, which it writes in milliseconds, as a number or text."""
    try:
        return float(document["attemptEndingTimestamp"]) / 1000
    except (KeyError, TypeError, ValueError, OverflowError):
        return default
