"""Asks OpenSearch, with each request signed (SigV4, service `es`), and takes no answer that is partial.

The batch server's role may call `_search` on the indices of counts and little else, so nothing else is ever
sent: no ping, no sniffing, no version check. A request has no URL parameters: the service may drop those of a
POST, and an answer must not depend on that.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import ConnectionError as OpenSearchUnreachable
from opensearchpy.exceptions import ConnectionTimeout, NotFoundError, SerializationError, TransportError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)
from urllib3 import Timeout

from clients.batch_server.endpoint import endpoint_parts
from clients.batch_server.errors import TooManyBucketsError, TrendsError, is_unanswered, refuse_empty
from contract.sink import CLICK_COUNTS
from names import OREGON_STORAGE, TOKYO_INGEST, counts_alias, stack_name

# All days are asked: the range on `minute` lets every other day's shard answer without reading, while a list
# of days would outgrow a request line. The alias names one index of each day, so no count is there twice.
INDICES = counts_alias(CLICK_COUNTS.index_family)
REQUEST_TIMEOUT_SECONDS = 10
# A search changes nothing, so it may be repeated. A day's first count makes its index, whose shard does not
# answer for a short while: at midnight UTC, under every reader.
MAX_ATTEMPTS = 5
MAX_UNANSWERED = 2
"""Attempts, if the last of them was not answered in time: one that asks too much would be so every time, and
each costs the domain all that it can do in REQUEST_TIMEOUT_SECONDS."""
MAX_CONNECTIONS = 8
MAX_PAUSE_SECONDS = 2.0
MAX_REASON = 300
"""Characters of what a server says about an error: a proxy may send a whole page."""
RETRYABLE_STATUS = frozenset({429, 502, 503, 504})
TOO_MANY_BUCKETS = "too_many_buckets_exception"
NO_INDEX = f"no such index [{INDICES}]"
"""The reason of the 404 for an alias that no index has: nothing was ever counted."""
_LESS = (
    "ask for less: a shorter time, or fewer segments (--by one column in place of --all-segments); or check "
    "the domain's load"
)


class _ShardsMissingError(Exception):
    """An answer without some shards: their numbers as OpenSearch gave them."""


@dataclass(frozen=True, kw_only=True)
class _Attempts:
    """How often a search was asked, and whether the time of its question was over then."""

    number: int
    is_too_late: bool

    def __str__(self) -> str:
        often = "once" if self.number == 1 else f"{self.number} times"
        return f"asked {often}{', with no time left for more' if self.is_too_late else ''}"


class CountSearch:
    """Searches the counts of one OpenSearch domain; may be shared by threads."""

    def __init__(
        self, endpoint: str, credentials: Credentials, region: str, max_attempts: int = MAX_ATTEMPTS
    ) -> None:
        """endpoint: https://host of the domain (http://127.0.0.1:port in the twin); region: the domain's;
        max_attempts: how often a search is asked that may be retried."""
        refuse_empty(region=region)
        self._endpoint = endpoint
        self._max_attempts = max_attempts
        self._client = OpenSearch(
            hosts=[_host(endpoint)],
            http_auth=Urllib3AWSV4SignerAuth(credentials, region, "es"),
            pool_maxsize=MAX_CONNECTIONS,
            max_retries=0,  # __call__ retries, with pauses
        )

    def __call__(self, body: Mapping[str, Any], deadline: float | None = None) -> dict[str, Any]:
        """The answer's aggregations, by every shard; {} while there is no index, so nothing was ever counted.

        deadline: by time.monotonic(); no answer is waited for beyond it. Raises TrendsError for every other
        answer, and for none.
        """
        retrying = Retrying(
            retry=retry_if_exception(_is_retryable),
            stop=self._stop(deadline),
            wait=wait_random_exponential(multiplier=0.25, max=MAX_PAUSE_SECONDS),
            reraise=True,
        )
        try:
            return retrying(self._ask, body, deadline)
        except _ShardsMissingError as error:
            raise TrendsError(
                f"{self._where} answered without some of its data ({error}), "
                f"{_attempts(retrying, deadline)}: the counts would be too small. Look at the domain's "
                "health (status red?) and its failed shards"
            ) from error
        except TransportError as error:
            kind = TooManyBucketsError if TOO_MANY_BUCKETS in _causes(error) else TrendsError
            raise kind(self._explain(error, _attempts(retrying, deadline))) from error
        except SerializationError as error:
            raise TrendsError(self._no_search_answer) from error

    def _stop(self, deadline: float | None) -> Callable[[RetryCallState], bool]:
        enough = stop_after_attempt(self._max_attempts) | stop_before_delay(_seconds_until(deadline))
        return lambda state: enough(state) or _is_slow_again(state)

    def _ask(self, body: Mapping[str, Any], deadline: float | None) -> dict[str, Any]:
        seconds = min(REQUEST_TIMEOUT_SECONDS, _seconds_until(deadline))
        if seconds <= 0:
            raise TrendsError(
                f"the time for the question was over before all of its searches were asked of {self._where}: "
                f"{_LESS}"
            )
        # A number would be a limit to connect, and one more to read.
        timeout = Timeout(total=seconds)
        try:
            answer = self._client.search(index=INDICES, body=dict(body), request_timeout=timeout)
        except NotFoundError as error:
            if NO_INDEX in _causes(error):
                return {}
            raise
        try:
            shards, timed_out = answer["_shards"], answer["timed_out"]
            total, successful, failed = shards["total"], shards["successful"], shards["failed"]
        except (KeyError, TypeError) as error:
            raise TrendsError(self._no_search_answer) from error
        if timed_out:
            raise TrendsError(f"{self._where} stopped the search before its end: ask for a shorter time")
        # A shard that no node holds is not among the failed ones, only missing from the successful ones.
        if failed or successful != total:
            raise _ShardsMissingError(f"{successful} of {total} shards answered, {failed} failed")
        if "aggregations" in answer:
            aggregations: dict[str, Any] = answer["aggregations"]
            return aggregations
        if total:
            raise TrendsError(self._no_search_answer)
        return {}

    @property
    def _where(self) -> str:
        return f"OpenSearch at {self._endpoint}"

    @property
    def _no_search_answer(self) -> str:
        return (
            f"{self._where} answered 200 with something that is no search answer: check that the endpoint is "
            "the domain's own (--endpoint or CLICK_TRENDS_ENDPOINT), and no proxy or sign-in page answers"
        )

    def _explain(self, error: TransportError, asked: _Attempts) -> str:
        if isinstance(error, ConnectionTimeout):
            in_time = "in time" if asked.is_too_late else f"within {REQUEST_TIMEOUT_SECONDS} s"
            return f"{self._where} did not answer {in_time}, {asked}: {_LESS}"
        if _is_unsigned(error):
            check = (
                "this machine reaches AWS STS"
                if is_unanswered(error.info)
                else "this machine's identity may call sts:AssumeRole on the role, and that the role's trust "
                "policy names that identity"
            )
            return f"could not get credentials to sign with: {error.info}. Check that {check}"
        if isinstance(error, OpenSearchUnreachable):
            return (
                f"{self._where} cannot be reached ({error.error}): "
                "check the endpoint (--endpoint or CLICK_TRENDS_ENDPOINT) and this machine's way out to it"
            )
        if error.status_code in (401, 403):
            return (
                f"{self._where} refused the signature ({error.status_code}: {_reason(error)}). Check that "
                f"the batch server's role ({stack_name('<environment>', TOKYO_INGEST)}) may call "
                f"es:ESHttpPost on <domain>/{INDICES}/_search, that the domain's access policy "
                f"({stack_name('<environment>', OREGON_STORAGE)}) names that role, and the region and clock"
            )
        if TOO_MANY_BUCKETS in _causes(error):
            return (
                f"{self._where} would need more buckets than its search.max_buckets: ask for fewer articles, "
                "fewer columns of segments, a longer step or a shorter time"
            )
        return f"{self._where} answered {error.status_code}: {_reason(error)}"


def _seconds_until(deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - time.monotonic()


def _attempts(retrying: Retrying, deadline: float | None) -> _Attempts:
    number = retrying.statistics["attempt_number"]
    return _Attempts(number=number, is_too_late=_seconds_until(deadline) <= 0)


def _is_slow_again(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, ConnectionTimeout) and state.attempt_number >= MAX_UNANSWERED


def _is_retryable(error: BaseException) -> bool:
    """No connection, no answer in time, an answer without some shards, or one that says: not now."""
    if isinstance(error, (OpenSearchUnreachable, _ShardsMissingError)):
        return not _is_unsigned(error)  # botocore has asked again already
    return (
        isinstance(error, TransportError)
        and error.status_code in RETRYABLE_STATUS
        and TOO_MANY_BUCKETS not in _causes(error)  # a 503 too, but the same at every attempt
    )


def _is_unsigned(error: BaseException) -> bool:
    """opensearch-py signs while it sends, and calls whatever fails then no connection."""
    return isinstance(error, OpenSearchUnreachable) and isinstance(error.info, (BotoCoreError, ClientError))


def _host(endpoint: str) -> dict[str, Any]:
    parts = endpoint_parts(endpoint)
    tls = parts.scheme == "https"
    return {"host": parts.hostname, "port": parts.port or (443 if tls else 80), "use_ssl": tls}


def _reason(error: TransportError) -> str:
    """What the server said, in one short line."""
    told = " ".join(_told(error).split())
    return told if len(told) <= MAX_REASON else f"{told[:MAX_REASON]} ..."


def _told(error: TransportError) -> str:
    """OpenSearch nests a reason, the signature check of AWS sends a message; a proxy may send a page."""
    told = error.info if isinstance(error.info, dict) else {}
    for key in ("message", "Message"):
        if key in told:
            return str(told[key])
    nested = told.get("error")
    if not isinstance(nested, dict):
        return str(error.error)
    cause = nested.get("caused_by")
    deeper = cause.get("reason") if isinstance(cause, dict) else None
    return str(nested.get("reason") or deeper or error.error)


def _causes(error: TransportError) -> str:
    return str(error.info)
