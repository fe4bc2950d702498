"""Counts in the real OpenSearch server, each test in a day of its own, and a reader with made-up keys."""

import itertools
import json
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials

from clients.batch_server import ReadProgress, TrendingReader
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from lambdas.search_bootstrap.definitions import definitions
from names import day_index
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from tests.clients.batch_server.counts import AddCounts, Count

_DAYS = itertools.count(1)

Call = Callable[..., Any]


@pytest.fixture
def day() -> datetime:
    """A day far from every other test's, so that tests share one server and never see each other's counts."""
    return datetime(2040, 1, 1, tzinfo=UTC) + timedelta(days=10 * next(_DAYS))


@pytest.fixture
def reader(opensearch: str) -> TrendingReader:
    return TrendingReader(opensearch, Credentials("AKIDEXAMPLE", "secret"))


@pytest.fixture
def reader_at(opensearch: str) -> Callable[[datetime], TrendingReader]:
    """A reader whose clock shows that time, of an application that has read all there is."""
    keys = Credentials("AKIDEXAMPLE", "secret")
    return lambda time: TrendingReader(
        opensearch, keys, clock=lambda: time, progress=lambda: ReadProgress(read_until=time)
    )


@pytest.fixture
def call(opensearch: str) -> Call:
    """OpenSearch itself: call(method, path, body)."""
    return lambda method, path, body=None: _call(
        opensearch, method, path, None if body is None else json.dumps(body)
    )


@pytest.fixture(scope="session")
def bootstrapped(opensearch: str) -> str:
    """The server with the ingest pipeline and the index template that the search bootstrap puts there."""
    for definition in definitions(definition_properties(SearchSettings())):
        if definition.body is not None:
            _call(opensearch, "PUT", definition.path, json.dumps(definition.body))
    return opensearch


@pytest.fixture
def add_counts(bootstrapped: str) -> Iterator[AddCounts]:
    """Puts counts through the ingest pipeline into the index of their day, dropped after the test."""
    made: set[str] = set()

    def add(counts: Iterable[Count]) -> None:
        lines = []
        for count in counts:
            index = day_index(CLICK_COUNTS.index_family, count["minute"])
            made.add(index)
            document = count | {key: format_time(count[key]) for key in ("minute", "published_at")}
            lines += [json.dumps({"index": {"_index": index}}), json.dumps(document)]
        answer = _call(bootstrapped, "POST", "/_bulk?refresh=true", "\n".join(lines) + "\n")
        assert not answer["errors"], answer

    yield add
    for index in made:
        _call(bootstrapped, "DELETE", f"/{index}")


def _call(endpoint: str, method: str, path: str, body: str | None = None) -> Any:
    request = urllib.request.Request(
        endpoint + path,
        method=method,
        data=None if body is None else body.encode(),
        headers={"content-type": "application/x-ndjson" if path.startswith("/_bulk") else "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
