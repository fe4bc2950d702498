"""The one exception that callers of the batch server catch."""


class TrendsError(Exception):
    """A question that could not be answered; the message says what happened, where, and what to do."""
