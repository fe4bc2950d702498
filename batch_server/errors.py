"""The one exception that callers of the batch server catch."""


class TrendsError(Exception):
    """A question that could not be answered; the message says what happened, where, and what to do."""


class TooManyBucketsError(TrendsError):
    """The answer would have more buckets than OpenSearch allows; asked for less, it can be given."""
