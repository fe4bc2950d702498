"""Carry a batch of the Tokyo mobile stream to its destinations in Oregon.

1. Read the batch.  2. Route each click by its tag.  3. Keep invalid ones.  4. Pack and deliver valid ones.
5. Count: received = forwarded + dropped + rejected + failed.  6. Tell Lambda where to retry from.

Delivery is at least once and unordered: docs/reference/forwarder.md says why that is enough.
"""

import os
from functools import cache
from typing import Any

from lambdas.forwarder.configuration import ForwarderConfiguration
from lambdas.forwarder.forwarding import BatchForwarder
from lambdas.forwarder.kinesis_event import batch_response, read_event
from lambdas.shared.invocation import Invocation


@cache
def _forwarder() -> BatchForwarder:
    """Built by the first invocation and kept."""
    return BatchForwarder(ForwarderConfiguration.read(os.environ))


def handler(event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
    return batch_response(
        _forwarder().forward(read_event(event), invocation.get_remaining_time_in_millis() / 1000)
    )
