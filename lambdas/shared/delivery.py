"""Deliver records with several requests in flight, and retry refused ones while time is left."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from contract.limits import REQUEST_BYTES
from lambdas.shared.destinations import Destination, Outgoing

FIRST_BACKOFF_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 5.0

# Retryable refusals; so is every status of 500 and above.
RETRYABLE_ERRORS = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "InternalFailure",
        "ServiceUnavailableException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "KMSThrottlingException",
        "RequestTimeout",
    }
)


@dataclass(kw_only=True)
class Delivery:
    """The result of a delivery; `failed` holds the records that may not have arrived.

    delivered, retried: numbers of lines.
    """

    failed: list[Outgoing] = field(default_factory=list)
    delivered: int = 0
    delivered_bytes: int = 0
    retried: int = 0
    request_milliseconds: list[float] = field(default_factory=list)
    errors: set[str] = field(default_factory=set)

    def add(self, other: "Delivery") -> None:
        self.failed += other.failed
        self.delivered += other.delivered
        self.delivered_bytes += other.delivered_bytes
        self.retried += other.retried
        self.request_milliseconds += other.request_milliseconds
        self.errors |= other.errors


def deliver(
    records: Mapping[Destination, Sequence[Outgoing]],
    executor: Executor,
    *,
    last_attempt_at: float,
    give_up_at: float,
) -> Delivery:
    """Put all records at once, in requests of up to REQUEST_BYTES.

    executor: its threads limit the requests in flight. No attempt begins after `last_attempt_at`. Requests
    without an answer at `give_up_at` count as failed, though they may still arrive. Both in time.monotonic().
    """
    requests = {
        executor.submit(_put_until_taken, destination, request, last_attempt_at): request
        for destination, outgoing in records.items()
        for request in split_into_requests(outgoing, destination)
    }
    total = Delivery()
    done, unanswered = wait(requests, timeout=max(0.0, give_up_at - time.monotonic()))
    for future in done:
        total.add(future.result())
    for future in unanswered:
        total.add(_no_answer(future, requests[future]))
    return total


def split_into_requests(records: Iterable[Outgoing], destination: Destination) -> Iterator[list[Outgoing]]:
    """The records in order, within the destination's limits; one over REQUEST_BYTES goes alone."""
    limits = destination.limits
    request: list[Outgoing] = []
    room = REQUEST_BYTES
    for record in records:
        size = len(record.data) + destination.key_bytes
        if request and (len(request) == limits.records or size > room):
            yield request
            request, room = [], REQUEST_BYTES
        request.append(record)
        room -= size
    if request:
        yield request


def _put_until_taken(destination: Destination, request: list[Outgoing], last_attempt_at: float) -> Delivery:
    result = Delivery()
    attempt = 0
    while time.monotonic() < last_attempt_at:
        if attempt:
            result.retried += _lines(request)
        refused, retryable = _put_once(destination, request, result)
        request = refused
        if not request or not retryable:
            break
        pause = random.uniform(0, min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**attempt))  # full jitter
        if time.monotonic() + pause >= last_attempt_at:
            break
        time.sleep(pause)
        attempt += 1
    result.failed = request
    return result


def _put_once(
    destination: Destination, request: list[Outgoing], result: Delivery
) -> tuple[list[Outgoing], bool]:
    """One attempt. Returns the refused records, and whether they are retryable."""
    began = time.monotonic()
    try:
        codes = destination.put(request)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        result.errors.add(code)
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 500)
        return request, code in RETRYABLE_ERRORS or status >= 500
    except BotoCoreError as error:  # no connection, a reset, an answer too late
        result.errors.add(type(error).__name__)
        return request, True
    except Exception as error:  # botocore may raise anything for an unreadable answer
        result.errors.add(f"UnreadableAnswer ({type(error).__name__})")
        return request, True
    finally:
        result.request_milliseconds.append((time.monotonic() - began) * 1000)
    refused = [record for record, code in zip(request, codes, strict=True) if code]
    result.errors |= {code for code in codes if code}
    result.delivered += _lines(request) - _lines(refused)
    result.delivered_bytes += _bytes(request) - _bytes(refused)
    return refused, True


def _lines(records: Iterable[Outgoing]) -> int:
    return sum(record.lines for record in records)


def _bytes(records: Iterable[Outgoing]) -> int:
    return sum(len(record.data) for record in records)


def _no_answer(future: "Future[Delivery]", request: list[Outgoing]) -> Delivery:
    future.cancel()
    return Delivery(failed=request, errors={"NoAnswerInTime"})
