"""The ingest pipeline on a real OpenSearch server, put there by the bootstrap and fed as by Firehose."""

import base64
import hashlib
import json
import random
import time
import urllib.request
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.count import COUNT_KEY
from contract.sink import CLICK_COUNTS
from lambdas.search_bootstrap.bootstrap import Bootstrap
from lambdas.search_bootstrap.definitions import definitions
from lambdas.search_bootstrap.domain import signed_sender
from names import day_index, delivery_index
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from tests.segments import segment

DELIVERY_INDEX = delivery_index(CLICK_COUNTS.index_family)
DAY = day_index(CLICK_COUNTS.index_family, date(2001, 1, 31))
Document = dict[str, Any]


@pytest.fixture
def search(opensearch: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Endpoint of a server with our definitions and none of this day's counts."""
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "REGION": "us-west-2"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    wanted = definitions(definition_properties(SearchSettings(instance_count=1)))
    Bootstrap(signed_sender(opensearch)).put(wanted, deadline=time.monotonic() + 60)
    call(opensearch, "DELETE", f"/{DAY}?ignore_unavailable=true")
    return opensearch


def call(endpoint: str, method: str, path: str, body: bytes | None = None) -> Any:
    headers = {"Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(endpoint + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def count(clicks: int, **key: str) -> Document:
    fields = {"minute": "2001-01-31T10:00:00.000Z", "article_id": "a", **segment()}
    return {**fields, "clicks": clicks, "published_at": "2001-01-31T10:00:05.123Z", **key}


def deliver(endpoint: str, documents: list[Document], **action: str) -> list[int]:
    """Send documents in one bulk request, as Firehose does. Returns each status."""
    lines = [
        line for document in documents for line in ({"index": {"_index": DELIVERY_INDEX, **action}}, document)
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return [item["index"]["status"] for item in call(endpoint, "POST", "/_bulk?refresh=true", body)["items"]]


def stored(endpoint: str) -> list[tuple[str, int]]:
    """(article, clicks) of every document of the day."""
    hits = call(endpoint, "GET", f"/{DAY}/_search?size=1000")["hits"]["hits"]
    return sorted((hit["_source"]["article_id"], hit["_source"]["clicks"]) for hit in hits)


def test_the_largest_count_of_a_key_is_its_only_document(search: str) -> None:
    assert deliver(search, [count(5), count(9), count(7), count(9), count(13)]) == [201, 200, 409, 200, 200]
    assert stored(search) == [("a", 13)]


def test_a_count_that_meets_no_pipeline_is_refused_and_comes_again(search: str) -> None:
    """A bulk request that a whole cluster gets at its start, before it knows its templates, creates the index
    that Firehose names and would leave its counts there, beside those of their day."""
    call(search, "PUT", f"/{DELIVERY_INDEX}")
    try:
        assert deliver(search, [count(5)], pipeline="_none") == [403]
        assert call(search, "GET", f"/{DELIVERY_INDEX}/_alias")[DELIVERY_INDEX]["aliases"] == {}
        assert deliver(search, [count(5)]) == [201]
        assert stored(search) == [("a", 5)]
    finally:
        call(search, "DELETE", f"/{DELIVERY_INDEX}")


def test_an_id_given_by_the_sender_does_not_matter(search: str) -> None:
    deliver(search, [count(5)])
    deliver(search, [count(6)], _id="49600000000")
    assert stored(search) == [("a", 6)]


def test_a_minute_in_another_form_is_the_same_key(search: str) -> None:
    deliver(
        search,
        [count(1), count(2, minute="2001-01-31T10:00:00Z"), count(3, minute="2001-01-31T19:00:00+09:00")],
    )
    assert stored(search) == [("a", 3)]


def test_keys_that_look_the_same_when_joined_stay_apart(search: str) -> None:
    pairs = [("x|y", "z"), ("x", "y|z"), ("|", ""), ("", "|")]
    deliver(search, [count(n, gender=gender, age_band=age) for n, (gender, age) in enumerate(pairs, 1)])
    assert [clicks for _, clicks in stored(search)] == [1, 2, 3, 4]


def id_of(key: Document) -> str:
    """144 bits of a digest of each column's name, length and value, in the order of the names."""
    parts = (f"|{column}|{len(key[column].encode('utf-16-le')) // 2}:{key[column]}" for column in sorted(key))
    digest = hashlib.sha256(("".join(parts) + "|").encode()).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()


def test_an_id_is_stored_as_18_bytes_of_the_digest(search: str) -> None:
    """OpenSearch stores an id as bytes if it is URL-safe Base64 without padding."""
    deliver(search, [count(1), count(1, article_id="b+/|=")])
    hits = call(search, "GET", f"/{DAY}/_search?size=10")["hits"]["hits"]
    for hit in hits:
        key = {column: hit["_source"][column] for column in COUNT_KEY}
        assert hit["_id"] == id_of(key)
        assert len(base64.urlsafe_b64decode(hit["_id"])) == 18
    assert len(hits) == 2


VALUES = st.text(alphabet='|:,=\\"\0 1a記\U0001d11e', max_size=4)
KEYS = st.lists(
    st.fixed_dictionaries({column: VALUES for column in COUNT_KEY if column != "minute"}),
    min_size=50,
    max_size=50,
)


@settings(max_examples=10)
@given(keys=KEYS)
def test_no_two_keys_share_an_id_whatever_stands_in_their_values(
    opensearch: str, keys: list[Document]
) -> None:
    [pipeline, *_] = definitions(definition_properties(SearchSettings(instance_count=1)))
    call(opensearch, "PUT", pipeline.path, json.dumps(pipeline.body).encode())
    documents = [count(1, **key) for key in keys]
    asked = {"docs": [{"_index": "any", "_source": document} for document in documents]}
    answered = call(opensearch, "POST", f"{pipeline.path}/_simulate", json.dumps(asked).encode())
    made = [each["doc"]["_id"] for each in answered["docs"]]
    whole = [{column: document[column] for column in COUNT_KEY} for document in documents]
    assert made == [id_of(key) for key in whole]
    assert len(set(made)) == len({tuple(key.items()) for key in whole})


def test_an_article_id_of_512_bytes_is_stored_whole(search: str) -> None:
    article = "記" * 170 + "ab"
    assert deliver(search, [count(1, article_id=article)]) == [201]
    assert stored(search) == [(article, 1)]


def test_redelivery_in_any_order_changes_nothing(search: str) -> None:
    documents = [count(clicks, article_id=f"a{n % 20}") for n, clicks in enumerate(range(1, 201))]
    deliver(search, documents)
    before = stored(search)
    random.Random(3).shuffle(documents)
    assert set(deliver(search, documents)) == {200, 409}
    assert stored(search) == before
    assert len(before) == 20


def test_a_count_is_read_as_it_was_delivered(search: str) -> None:
    """No document stores its source: OpenSearch makes it from the columns, in any order."""
    delivered = count(7, article_id='\\"記\n ', gender="")
    deliver(search, [delivered])
    [hit] = call(search, "GET", f"/{DAY}/_search")["hits"]["hits"]
    assert hit["_source"] == delivered
    assert call(search, "GET", f"/{DAY}/_doc/{hit['_id']}")["_source"] == delivered
    settings_ = call(search, "GET", f"/{DAY}/_settings")[DAY]["settings"]["index"]
    assert settings_["derived_source"] == {"enabled": "true"}


@pytest.mark.parametrize(
    "document",
    [
        {"article_id": "a"},
        count(1, minute="yesterday"),
        {**count(1), "clicks": "9"},
        {**count(1), "extra": 1},
    ],
    ids=["no minute", "no time", "text for clicks", "unknown field"],
)
def test_a_document_that_is_no_count_is_refused(search: str, document: Document) -> None:
    assert deliver(search, [document]) == [400]
