"""Redeliver counts that OpenSearch did not take. Invoked every minute.

1. Sort each new object of failed documents: drop what is stale, give up what is not retryable, let the rest
wait.  2. Redeliver what has waited long enough.  3. Count both.

Everything may happen twice, because the largest count of a key wins: docs/operate/redelivery.md.
"""

import os
from functools import cache
from typing import Any

from lambdas.redelivery.configuration import RedeliveryConfiguration
from lambdas.redelivery.metrics import publish
from lambdas.redelivery.redelivery import Redeliverer
from lambdas.shared.invocation import Invocation


class RedeliveryError(Exception):
    """Something is left to the next invocation; the message says what and why."""


@cache
def _redelivery() -> Redeliverer:
    """Built by the first invocation and kept, with its connections."""
    return Redeliverer(RedeliveryConfiguration.read(os.environ))


def handler(event: dict[str, Any], invocation: Invocation) -> None:  # noqa: ARG001 (Lambda passes both)
    """Raises RedeliveryError, so that the invocation counts as an error and its alarm notifies."""
    outcomes = _redelivery().run(invocation.get_remaining_time_in_millis() / 1000)
    publish(outcomes)
    if outcomes.problems:
        raise RedeliveryError("; ".join(outcomes.problems[:5]))
