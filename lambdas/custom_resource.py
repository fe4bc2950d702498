"""Answers CloudFormation for a custom resource, whatever happens: without an answer a stack hangs.

The request and the answer: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol

ANSWER_RESERVE_SECONDS = 20.0
"""Kept of the function's time to send the answer."""
ANSWER_ATTEMPTS = 4
_REASON_BYTES = 1_000
"""CloudFormation takes an answer of at most 4,096 bytes."""

log = logging.getLogger()
log.setLevel(logging.INFO)


class Context(Protocol):
    """What is used of Lambda's context object."""

    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int: ...


def answer(
    event: dict[str, Any], context: Context, *, physical_id: str, work: Callable[[float], dict[str, str]]
) -> None:
    """Do the work and tell CloudFormation how it went.

    work: takes the `time.monotonic()` by which it must end, returns the resource's attributes; what it
    raises becomes the reason of the failure. physical_id: the same for each request, or CloudFormation
    deletes the former resource.
    """
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - ANSWER_RESERVE_SECONDS
    status, reason, attributes = "SUCCESS", "", {}
    try:
        attributes = work(deadline)
    except Exception as error:
        log.exception("%s of %s failed", event["RequestType"], physical_id)
        status = "FAILED"
        reason = f"{str(error)[:_REASON_BYTES]} (log stream {context.log_stream_name})"
    _send(
        event["ResponseURL"],
        {
            "Status": status,
            "Reason": reason or "done",
            "PhysicalResourceId": physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": attributes,
        },
    )


def _send(url: str, body: dict[str, Any]) -> None:
    """PUT the answer; raises URLError after the last attempt, and Lambda then invokes the function again."""
    # The URL is signed without a content type; any other would break its signature.
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": ""}, method="PUT")
    for attempt in range(1, ANSWER_ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=3):
                return
        except (urllib.error.URLError, TimeoutError) as error:
            log.warning("answer to CloudFormation not taken, attempt %d: %s", attempt, error)
            if attempt == ANSWER_ATTEMPTS:
                raise
            time.sleep(attempt)
