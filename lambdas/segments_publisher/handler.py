"""Publish uploaded files of the segments as versions. Invoked every minute.

1. Finish what an invocation that died was publishing.  2. Validate each upload, in the order in which they
ended, and publish or refuse it.  3. Once a day, delete past versions that no replay can need.

docs/reference/contracts.md promises what comes of it.
"""

import os
from functools import cache
from typing import Any

from lambdas.segments_publisher.configuration import PublisherConfiguration
from lambdas.segments_publisher.metrics import publish
from lambdas.segments_publisher.publisher import Publisher
from lambdas.shared.invocation import Invocation


class PublisherError(Exception):
    """Something is left to the next invocation; the message says what and why."""


@cache
def _publisher() -> Publisher:
    """Built by the first invocation and kept, with its connections."""
    return Publisher(PublisherConfiguration.read(os.environ))


def handler(event: dict[str, Any], invocation: Invocation) -> None:  # noqa: ARG001 (Lambda passes both)
    """Raises PublisherError, so that the invocation counts as an error and its alarm notifies."""
    outcomes = _publisher().run(invocation.get_remaining_time_in_millis() / 1000)
    publish(outcomes)
    if outcomes.problems:
        raise PublisherError("; ".join(outcomes.problems[:5]))
