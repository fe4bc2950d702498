"""One call that puts clicks into a stream, packed into records, and what it came to.

Values in, values out but for the call; the caller decides when, what is kept, and what is counted. The
simulated traffic and the mobile app both deliver with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
)

from clients.mobile_app.pack import PACK_BYTES, Entry, EntryT, Pack, packed, size_of

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

# Limits of PutRecords. A call has at most as many clicks, so that it holds them also if each is a record.
MAX_RECORDS_PER_CALL = 500
MAX_BYTES_PER_CALL = 5 * 1024 * 1024

# Retries are made here, where they can be counted.
CLIENT_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)

# Refusals that end by themselves; besides them every answer of 500 and above, and 429, is retryable.
_RETRYABLE_CODES = frozenset(
    {
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_OLD_CREDENTIALS_CODES = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
_NO_CONNECTION = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_NOT_SENT = (CredentialRetrievalError, NoCredentialsError, ParamValidationError, PartialCredentialsError)


class CredentialsError(Exception):
    """There are no credentials to sign a call with, so it was not made; the message says what to do."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True)
class Stream:
    """renew_credentials: has the next call signed with new ones; None where they renew themselves."""

    client: "KinesisClient"
    name: str
    renew_credentials: Callable[[], None] | None = None


@dataclass(frozen=True, kw_only=True)
class CallOutcome(Generic[EntryT]):
    """What became of the entries of one call: each is in `taken` or in `left`.

    sent: whether the call left the device. possible_duplicates: how many of `left` the stream may hold all
    the same, because nobody knows what the call did. retryable: whether a later call can succeed without
    anyone's help. problem: why entries are left, and what to check; None where none are.
    """

    taken: list[EntryT]
    left: list[EntryT]
    sent: bool = True
    possible_duplicates: int = 0
    retryable: bool = True
    problem: str | None = None


def fits(entries: int, size: int, entry: Entry) -> bool:
    """Whether a call that holds `entries` of `size` bytes takes one more, packed or not."""
    return entries < MAX_RECORDS_PER_CALL and size + size_of(entry) <= MAX_BYTES_PER_CALL


def is_retryable(error: ClientError) -> bool:
    """Whether a refusal by AWS ends by itself."""
    status = _status(error)
    return error.response["Error"]["Code"] in _RETRYABLE_CODES or status >= 500 or status == 429


def put(stream: Stream, entries: Sequence[EntryT], *, pack_bytes: int = PACK_BYTES) -> CallOutcome[EntryT]:
    """Make one call with at most one call's worth of entries, in packs of `pack_bytes` (0: each alone).

    A pack is taken or left whole. Raises nothing: every failure is an outcome.
    """
    packs = packed(entries, pack_bytes)
    request: list[PutRecordsRequestEntryTypeDef] = [
        {"Data": pack.data, "PartitionKey": pack.partition_key} for pack in packs
    ]
    try:
        answer = stream.client.put_records(StreamName=stream.name, Records=request)
    except Exception as error:
        return _failed(stream, list(entries), error)
    return _answered(stream, packs, answer)


def _failed(stream: Stream, left: list[EntryT], error: Exception) -> CallOutcome[EntryT]:
    if isinstance(error, CredentialsError):
        return CallOutcome(taken=[], left=left, sent=False, retryable=error.retryable, problem=str(error))
    if isinstance(error, _NO_CONNECTION):
        return CallOutcome(taken=[], left=left, sent=False, problem=f"stream {stream.name}: {error}")
    if isinstance(error, _NOT_SENT) or "CERTIFICATE_VERIFY_FAILED" in str(error):
        problem = _refusal(stream.name, error)
        return CallOutcome(taken=[], left=left, sent=False, retryable=False, problem=problem)
    # An answer of 500 and above says nothing about what happened before it.
    if isinstance(error, ClientError) and _status(error) < 500:
        return _refused_call(stream, left, error)
    # No answer, or one that the SDK cannot read: its parser raises AttributeError, UnicodeDecodeError and
    # others for what is not the JSON that it expects.
    return _unknown(stream, left, f"{type(error).__name__}: {error}")


def _refused_call(stream: Stream, left: list[EntryT], error: ClientError) -> CallOutcome[EntryT]:
    """AWS answered with an error that says that it took nothing."""
    if is_retryable(error):
        return CallOutcome(taken=[], left=left, problem=f"stream {stream.name}: {error}")
    renewable = error.response["Error"]["Code"] in _OLD_CREDENTIALS_CODES and stream.renew_credentials
    if renewable:
        renewable()
    return CallOutcome(taken=[], left=left, retryable=bool(renewable), problem=_refusal(stream.name, error))


def _answered(stream: Stream, packs: list[Pack[EntryT]], answer: Any) -> CallOutcome[EntryT]:
    """An entry of the answer is a record's sequence number, or the error for which it was not taken."""
    results = answer.get("Records") or []
    readable = len(results) == len(packs) and all(
        isinstance(result, dict) and (result.get("ErrorCode") or result.get("SequenceNumber"))
        for result in results
    )
    if not readable:
        return _unknown(
            stream,
            [entry for pack in packs for entry in pack.entries],
            f"the answer does not say what became of each of {len(packs)} records",
        )
    taken: list[EntryT] = []
    left: list[EntryT] = []
    codes: list[str] = []
    for pack, result in zip(packs, results, strict=True):
        code = result.get("ErrorCode")
        (left if code else taken).extend(pack.entries)
        codes += [code] if code else []
    if not left:
        return CallOutcome(taken=taken, left=left)
    problem = (
        f"stream {stream.name} refused {len(codes)} of {len(packs)} records: {', '.join(sorted(set(codes)))}"
    )
    return CallOutcome(taken=taken, left=left, problem=problem)


def _unknown(stream: Stream, left: list[EntryT], problem: str) -> CallOutcome[EntryT]:
    return CallOutcome(
        taken=[], left=left, possible_duplicates=len(left), problem=f"stream {stream.name}: {problem}"
    )


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _refusal(name: str, error: Exception) -> str:
    return (
        f"stream {name} takes no records until this is mended: {error}. Check that the stack that makes the "
        "stream is deployed, that the role may call kinesis:PutRecords on it, and the device's clock"
    )
