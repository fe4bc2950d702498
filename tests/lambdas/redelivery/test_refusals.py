"""Bulk refusals with 400 of a real OpenSearch, and the document's fate."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdas.redelivery.failed_documents import (
    REFUSED,
    REFUSED_CODE,
    STALE_CODE,
    Fate,
    GivenUp,
    Patience,
    Retry,
    Stale,
)
from tests.lambdas.redelivery.documents import as_record, count, failed

INDEX = "refusals"
PATIENCE = Patience(first_pause_seconds=60, give_up_after_seconds=24 * 3600)
MAX_SHARDS = "cluster.max_shards_per_node"
Refusal = dict[str, Any]
Prepare = Callable[[str], None]


@pytest.fixture
def search(opensearch: str) -> Iterator[str]:
    """Endpoint of a server without our indices, restored afterwards."""
    try:
        yield opensearch
    finally:
        call(opensearch, "PUT", "/_cluster/settings", {"persistent": {MAX_SHARDS: None}})
        call(opensearch, "DELETE", f"/{INDEX}*?ignore_unavailable=true")


def call(endpoint: str, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        endpoint + path,
        body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def refusal_of(endpoint: str, document: dict[str, Any]) -> Refusal:
    """The server's answer to a document, sent as Firehose does."""
    lines = [{"index": {"_index": INDEX}}, document]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    [item] = call(endpoint, "POST", "/_bulk", body)["items"]
    assert str(item["index"]["status"]) == REFUSED_CODE, item
    refusal: Refusal = item["index"]["error"]
    return refusal


def close_the_index(endpoint: str) -> None:
    call(endpoint, "PUT", f"/{INDEX}")
    call(endpoint, "POST", f"/{INDEX}/_close")


def lose_the_pipeline(endpoint: str) -> None:
    call(endpoint, "PUT", f"/{INDEX}", {"settings": {"index.default_pipeline": "lost"}})


def reach_the_shard_limit(endpoint: str) -> None:
    """The server may hold indices of its own plugins, so ours comes before the limit."""
    call(endpoint, "PUT", f"/{INDEX}-full", {"settings": {"number_of_replicas": 0}})
    call(endpoint, "PUT", "/_cluster/settings", {"persistent": {MAX_SHARDS: 1}})


def parse_a_wrong_type(endpoint: str) -> None:
    columns = {"clicks": {"type": "ip"}}
    call(endpoint, "PUT", f"/{INDEX}", {"mappings": {"properties": columns}})


def know_no_such_column(endpoint: str) -> None:
    call(endpoint, "PUT", f"/{INDEX}", {"mappings": {"dynamic": "strict"}})


def have_no_room_for_a_column(endpoint: str) -> None:
    call(endpoint, "PUT", f"/{INDEX}", {"settings": {"index.mapping.total_fields.limit": 1}})


def run_a_pipeline_that_fails(endpoint: str) -> None:
    fails = {"processors": [{"script": {"source": "ctx.clicks.length()"}}]}
    call(endpoint, "PUT", f"/_ingest/pipeline/{INDEX}", fails)
    call(endpoint, "PUT", f"/{INDEX}", {"settings": {"index.default_pipeline": INDEX}})


def fate(refusal: Refusal, *, code: str | int = REFUSED_CODE, quoted: bool = True) -> Fate:
    message = json.dumps(refusal) if quoted else f"{refusal['type']}: {refusal['reason']}"
    return PATIENCE.fate(failed(as_record(count(5)), code=str(code), message=message), failed_at=0)


@pytest.mark.parametrize("prepare", [close_the_index, lose_the_pipeline, reach_the_shard_limit])
def test_a_refusal_that_ends_when_the_domain_is_fixed_is_retried(prepare: Prepare, search: str) -> None:
    prepare(search)
    refusal = refusal_of(search, count(5))
    for quoted in (True, False):
        assert isinstance(fate(refusal, quoted=quoted), Retry)


@pytest.mark.parametrize(
    "prepare",
    [parse_a_wrong_type, know_no_such_column, have_no_room_for_a_column, run_a_pipeline_that_fails],
)
def test_a_permanent_refusal_is_given_up(prepare: Prepare, search: str) -> None:
    prepare(search)
    refusal = refusal_of(search, count(5))
    for quoted in (True, False):
        assert fate(refusal, quoted=quoted) == GivenUp(REFUSED)


@pytest.mark.parametrize("message", [None, "", 7, ["index_closed_exception"], "illegal_argument_exception"])
def test_a_refusal_without_a_known_reason_is_given_up(message: Any) -> None:
    document = failed(as_record(count(5)), code=REFUSED_CODE, errorMessage=message)
    assert PATIENCE.fate(document, failed_at=0) == GivenUp(REFUSED)


def test_a_version_conflict_is_stale_whatever_its_message() -> None:
    assert fate({"type": "index_closed_exception", "reason": "closed"}, code=STALE_CODE) == Stale()
