"""Asks OpenSearch, with each request signed (SigV4, service `es`).

The batch server's role may call `_search` on the indices of counts and little else, so nothing else is ever
sent: no ping, no sniffing, no version check.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import ConnectionError as OpenSearchUnreachable
from opensearchpy.exceptions import ConnectionTimeout, TransportError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from batch_server import queries
from batch_server.credentials import own_credentials, role_credentials
from batch_server.errors import TrendsError
from batch_server.queries import Minutes, Segment, SegmentField, Totals, TrendingArticle
from contract.sink import CLICK_COUNTS
from names import OREGON, index_pattern

INDICES = index_pattern(CLICK_COUNTS.index_family)
REQUEST_TIMEOUT_SECONDS = 10
# A search changes nothing, so it may be repeated. A day's first count makes its index, whose shard refuses
# searches (503) for a moment: at midnight UTC, under every reader.
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 2.0
PASSING_STATUS = frozenset({429, 502, 503, 504})
DEFAULT_LIMIT = 20

# All days are asked: the range on `minute` lets every other day's shard answer without reading, while a list
# of days would outgrow a request line. A search that lost a shard must fail, not answer with less.
_PARAMETERS = {
    "ignore_unavailable": "true",
    "allow_no_indices": "true",
    "allow_partial_search_results": "false",
}


class TrendingReader:
    """Reads counts from one OpenSearch domain; may be shared by threads. Each method raises TrendsError."""

    def __init__(self, endpoint: str, credentials: Credentials, region: str = OREGON) -> None:
        """endpoint: https://host of the domain (http://127.0.0.1:port in the twin); region: the domain's."""
        self._endpoint = endpoint
        self._client = OpenSearch(
            hosts=[_host(endpoint)],
            http_auth=Urllib3AWSV4SignerAuth(credentials, region, "es"),
            timeout=REQUEST_TIMEOUT_SECONDS,
            max_retries=0,  # _search repeats, with pauses
        )

    def top(
        self,
        last: timedelta,
        segment: Segment = Segment(),  # noqa: B008 (frozen)
        limit: int = DEFAULT_LIMIT,
        now: datetime | None = None,
    ) -> list[TrendingArticle]:
        """The most clicked articles, largest first, in the minutes that overlap `last` until `now`."""
        minutes = queries.last_minutes(last, now or datetime.now(UTC))

        def ask(size: int, among: Sequence[str] | None = None) -> list[TrendingArticle]:
            return queries.top_answer(self._search(queries.top_request(minutes, segment, size, among)))

        if minutes.in_one_day:
            return ask(limit)
        candidates = [article.article_id for article in ask(limit + queries.SPARE_CANDIDATES)]
        return ask(limit, candidates) if candidates else []

    def top_by_segment(
        self,
        field: SegmentField,
        last: timedelta,
        segment: Segment = Segment(),  # noqa: B008 (frozen)
        limit: int = DEFAULT_LIMIT,
        now: datetime | None = None,
    ) -> dict[str, list[TrendingArticle]]:
        """The same list for each value of `field` (its values in order)."""
        minutes = queries.last_minutes(last, now or datetime.now(UTC))

        def ask(size: int, among: Sequence[str] | None = None) -> dict[str, list[TrendingArticle]]:
            request = queries.top_by_segment_request(minutes, field, segment, size, among)
            return queries.top_by_segment_answer(self._search(request))

        if minutes.in_one_day:
            return ask(limit)
        lists = ask(limit + queries.SPARE_CANDIDATES).values()
        candidates = {article.article_id for articles in lists for article in articles}
        return ask(limit, sorted(candidates)) if candidates else {}

    def totals(self, since: datetime, until: datetime) -> Totals:
        """The sum and number of all counts whose minute starts in [since, until), and how new they are."""
        return queries.totals_answer(self._search(queries.totals_request(Minutes(since, until))))

    def _search(self, body: dict[str, Any]) -> dict[str, Any]:
        repeated = Retrying(
            retry=retry_if_exception(_passes_by_itself),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.25, max=LONGEST_PAUSE_SECONDS),
            reraise=True,
        )
        try:
            answer: dict[str, Any] = repeated(
                self._client.search, index=INDICES, body=body, params=dict(_PARAMETERS)
            )
        except TransportError as error:
            raise TrendsError(self._explain(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise TrendsError(
                f"could not get credentials to sign with: {error}. Check that this machine's identity may "
                "call sts:AssumeRole on the role, and that the role's trust policy names that identity"
            ) from error
        if answer["timed_out"]:
            raise TrendsError(f"OpenSearch at {self._endpoint} stopped the search before its end: ask again")
        return answer

    def _explain(self, error: TransportError) -> str:
        where = f"OpenSearch at {self._endpoint}"
        if isinstance(error, ConnectionTimeout):
            return (
                f"{where} did not answer within {REQUEST_TIMEOUT_SECONDS} s, asked {ATTEMPTS} times: "
                "check the domain's load, or ask for a shorter time"
            )
        if isinstance(error, OpenSearchUnreachable):
            return (
                f"{where} cannot be reached ({error.error}): "
                "check the endpoint (--endpoint or CLICK_TRENDS_ENDPOINT) and this machine's way out to it"
            )
        if error.status_code in (401, 403):
            return (
                f"{where} refused the signature ({error.status_code}: {_reason(error)}). Check that the "
                "batch server's role (ClickTrends-<environment>-TokyoIngest) may call es:ESHttpPost on "
                f"<domain>/{INDICES}/_search, that the domain's access policy "
                "(ClickTrends-<environment>-OregonStorage) names that role, and the region and clock"
            )
        return f"{where} answered {error.status_code}: {_reason(error)}"


def _passes_by_itself(error: BaseException) -> bool:
    """No connection, no answer in time, or an answer that says: not now."""
    if isinstance(error, OpenSearchUnreachable):
        return True
    return isinstance(error, TransportError) and error.status_code in PASSING_STATUS


def connect(
    endpoint: str,
    session: boto3.Session | None = None,
    role_arn: str | None = None,
    region: str = OREGON,
) -> TrendingReader:
    """A reader that signs with the session's identity, or with `role_arn` assumed by it (and renewed)."""
    session = session or boto3.Session()
    credentials = role_credentials(session, role_arn, region) if role_arn else own_credentials(session)
    return TrendingReader(endpoint, credentials, region)


def _host(endpoint: str) -> dict[str, Any]:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise TrendsError(
            f"{endpoint!r} is no endpoint: write https:// and the domain's host name, "
            "as in https://search-click-trends-....us-west-2.es.amazonaws.com"
        )
    tls = parts.scheme == "https"
    return {"host": parts.hostname, "port": parts.port or (443 if tls else 80), "use_ssl": tls}


def _reason(error: TransportError) -> str:
    """What the server said: OpenSearch nests a reason, the signature check of AWS sends a message."""
    told = error.info if isinstance(error.info, dict) else {}
    for key in ("message", "Message"):
        if key in told:
            return str(told[key])
    nested = told.get("error")
    return str(nested.get("reason", error.error)) if isinstance(nested, dict) else str(error.error)
