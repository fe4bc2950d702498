"""Always answers CloudFormation for a custom resource: without an answer, the stack hangs.

The request and the answer: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import http.client
import json
import logging
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol

ANSWER_RESERVE_SECONDS = 20.0
"""Reserved at the end of the function's time for sending the answer."""
ANSWER_ATTEMPTS = 4
MAX_ANSWER_BYTES = 4_096
"""CloudFormation refuses a longer answer ("Response object is too long") and keeps waiting."""

CONNECTION_ERRORS = (OSError, http.client.HTTPException)
"""What urllib raises for a missing or unreadable answer. URLError and timeouts are OSErrors; a
connection cut mid-answer is either."""

log = logging.getLogger()
log.setLevel(logging.INFO)


class InvocationContext(Protocol):
    """The part of Lambda's context object that is used."""

    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int: ...


def answer(
    event: dict[str, Any],
    context: InvocationContext,
    *,
    physical_id: str,
    work: Callable[[float], dict[str, str]],
) -> None:
    """Do the work and tell CloudFormation how it went.

    work: takes its deadline in `time.monotonic()` and returns the resource's attributes; its exception
    becomes the reason of the failure. physical_id: must never change, or CloudFormation deletes the former
    resource.
    """
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - ANSWER_RESERVE_SECONDS
    status, reason, attributes = "SUCCESS", "done", {}
    try:
        attributes = work(deadline)
    except Exception as error:
        log.exception("%s of %s failed", event["RequestType"], physical_id)
        status, reason = "FAILED", f"{type(error).__name__}: {error}"  # a bare KeyError is one word
    body = {
        "Status": status,
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": attributes,
    }
    where = f" (log stream {context.log_stream_name})" if status == "FAILED" else ""
    _send(event["ResponseURL"], _encoded(body, reason, where))


def _encoded(body: dict[str, Any], reason: str, where: str) -> bytes:
    """The answer, with the reason cut to fit and `where` whole.

    The limit is in bytes: a Japanese character takes three, a line break two in JSON.
    """

    def bytes_of(kept: str) -> bytes:
        # A reason may quote any service's answer: even invalid text must not prevent ours.
        text = json.dumps({**body, "Reason": kept + where}, ensure_ascii=False)
        return text.encode("utf-8", errors="replace")

    if len(bytes_of(reason)) <= MAX_ANSWER_BYTES:
        return bytes_of(reason)
    fits, too_long = 0, len(reason)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if len(bytes_of(reason[:middle] + "…")) <= MAX_ANSWER_BYTES:
            fits = middle
        else:
            too_long = middle
    return bytes_of(reason[:fits] + "…")


def _send(url: str, body: bytes) -> None:
    """PUT the answer. Raises one of CONNECTION_ERRORS after the last attempt; Lambda then retries the
    invocation."""
    # The URL is signed without a content type; any other would break its signature.
    request = urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")
    for attempt in range(1, ANSWER_ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=3):
                return
        except CONNECTION_ERRORS as error:
            log.warning("CloudFormation did not take the answer, attempt %d: %s", attempt, error)
            if attempt == ANSWER_ATTEMPTS:
                raise
            time.sleep(attempt)
