"""Carry a batch of the Tokyo mobile stream to its destinations in Oregon.

1. Read the batch.  2. Route each record by its tag.  3. Keep the invalid ones in S3.  4. Deliver the valid.
5. Count: received = forwarded + dropped + rejected + failed.  6. Tell Lambda from where to repeat.

Delivery is at least once and in no promised order: docs/forwarder.md says why that is enough.
"""

import os
from functools import cache
from typing import Any, Protocol

from lambdas.forwarder.configuration import Configuration
from lambdas.forwarder.forwarding import Forwarder
from lambdas.forwarder.kinesis_event import batch_response, read_event


class Context(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


@cache
def _forwarder() -> Forwarder:
    """Built by the first invocation and kept: compiled rules, threads, connections to Oregon."""
    return Forwarder(Configuration.read(os.environ))


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    return batch_response(
        _forwarder().forward(read_event(event), context.get_remaining_time_in_millis() / 1000)
    )
