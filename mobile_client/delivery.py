"""Puts records into a stream until it has taken them: only what failed is put again, ever more patiently.

Values in, values out but for the one call; the caller decides when, what is kept, and what is counted. The
simulated traffic and the mobile client both deliver with it.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

# Limits of PutRecords (a stream may be set to larger records; these are not)
RECORDS_PER_CALL = 500
BYTES_PER_CALL = 5 * 1024 * 1024
BYTES_PER_RECORD = 1024 * 1024  # data and partition key

FIRST_PAUSE_SECONDS = 0.1
# Repeating is done here, where it can be counted.
CLIENT_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)

_PASSING_ERRORS = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)


class Entry(Protocol):
    """What is put: at most BYTES_PER_RECORD together."""

    @property
    def data(self) -> bytes: ...
    @property
    def partition_key(self) -> str: ...


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True)
class Stream:
    client: "KinesisClient"
    name: str


@dataclass(frozen=True)
class Outcome(Generic[EntryT]):
    """Of one call. `left` are put again if `again`; unless `answered` the stream may hold them already."""

    taken: list[EntryT]
    left: list[EntryT]
    answered: bool
    again: bool


class RefusedError(Exception):
    """A call that repeating will not mend; `left` records were not taken. The message says what to check."""

    def __init__(self, message: str, left: int) -> None:
        super().__init__(message)
        self.left = left


def size_of(entry: Entry) -> int:
    """Bytes that count towards the limits."""
    return len(entry.data) + len(entry.partition_key.encode())


def fits(records: int, size: int, entry: Entry) -> bool:
    """Whether a call that holds `records` of `size` bytes takes one more."""
    return records < RECORDS_PER_CALL and size + size_of(entry) <= BYTES_PER_CALL


def pause_seconds(failures: int, *, longest: float) -> float:
    """Full jitter: anything up to a bound that doubles with each failure in a row."""
    return random.uniform(0, min(longest, FIRST_PAUSE_SECONDS * 2 ** min(failures, 16)))


def put_until_taken(
    stream: Stream,
    entries: Sequence[EntryT],
    stop: threading.Event,
    report: Callable[[Outcome[EntryT]], None],
    pause: Callable[[int], object],
) -> None:
    """Put entries, at most one call's worth, until all are taken or `stop` is set.

    report: sees each call; pause: waits, given the number of calls in a row of which nothing was taken.
    Raises RefusedError.
    """
    left = list(entries)
    failures = 0
    while True:
        taken, left, answered = _put(stream, left)
        again = bool(left) and not stop.is_set()
        report(Outcome(taken, left, answered, again))
        if not again:
            return
        failures = 0 if taken else failures + 1
        pause(failures)


def _put(stream: Stream, entries: list[EntryT]) -> tuple[list[EntryT], list[EntryT], bool]:
    """One call: what it took, what it did not, and False where that may have arrived all the same."""
    request: list[PutRecordsRequestEntryTypeDef] = [
        {"Data": entry.data, "PartitionKey": entry.partition_key} for entry in entries
    ]
    try:
        answer = stream.client.put_records(StreamName=stream.name, Records=request)
    except (EndpointConnectionError, ConnectTimeoutError):
        return [], entries, True
    except HTTPClientError:
        return [], entries, False
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _PASSING_ERRORS:
            return [], entries, True
        raise RefusedError(
            f"stream {stream.name} refuses records for good: {error}. "
            "Check that the stack that makes the stream is deployed and that the role may call "
            "kinesis:PutRecords on it",
            left=len(entries),
        ) from error
    taken: list[EntryT] = []
    left: list[EntryT] = []
    for entry, result in zip(entries, answer["Records"], strict=True):
        (left if result.get("ErrorCode") else taken).append(entry)
    return taken, left, True
