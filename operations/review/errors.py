"""What ends a review: the message says what happened and what to do next."""


class ReviewError(Exception):
    """The two revisions cannot be compared."""
