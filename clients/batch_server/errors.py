"""The exception that callers of the batch server catch, and its kinds."""

from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError


class TrendsError(Exception):
    """A question that could not be answered; the message says what happened, where, and what to do."""


class QuestionError(TrendsError):
    """A question that has no answer as it is asked: asked again unchanged, it fails again."""


def refuse_empty(**values: str | None) -> None:
    """Raises QuestionError for an empty value: it comes from a variable that is not set."""
    for name, value in values.items():
        if value == "":
            raise QuestionError(f"{name} is empty: leave it out, or give a value")


def is_unanswered(error: object) -> bool:
    """Whether AWS gave no answer at all, so that no permission is why."""
    return isinstance(error, (BotocoreConnectionError, HTTPClientError))


class TooManyBucketsError(TrendsError):
    """The answer would have more buckets than OpenSearch allows; asked for less, it can be given."""
