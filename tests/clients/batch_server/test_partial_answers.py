"""An answer that is not whole is an error, never a smaller count: of a real server, and of a made-up one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from botocore.credentials import Credentials
from tenacity import wait_none

from clients.batch_server import Segment, TrendingReader, TrendsError, aggregations, search
from contract.sink import CLICK_COUNTS
from names import day_index
from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.batch_server.recording_server import EMPTY, SHARDS, answering
from tests.clients.conftest import Call

KEYS = Credentials("AKIDEXAMPLE", "secret")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with mock.patch.object(search, "wait_random_exponential", return_value=wait_none()):
        yield


def _shards(**numbers: int) -> dict[str, Any]:
    return EMPTY | {"_shards": SHARDS | {"total": 3, "successful": 3} | numbers, "aggregations": {}}


@pytest.mark.parametrize(
    "numbers",
    [
        {"failed": 1, "successful": 2},
        {"failed": 1},
        {"successful": 2},  # a shard that no node holds is not among the failed ones
        {"successful": 0},
    ],
)
def test_an_answer_without_some_shards_is_asked_for_again_and_then_an_error(numbers: dict[str, int]) -> None:
    with (
        answering(answer=_shards(**numbers)) as server,
        pytest.raises(TrendsError, match=r"without some of its data .*the counts would be too small"),
    ):
        TrendingReader(server.endpoint, KEYS).top(HOUR, until=NOON)
    assert len(server.requests) == search.MAX_ATTEMPTS


def test_a_search_that_ended_early_is_an_error() -> None:
    with (
        answering(answer=EMPTY | {"timed_out": True}) as server,
        pytest.raises(TrendsError, match="stopped the search before its end"),
    ):
        TrendingReader(server.endpoint, KEYS).top(HOUR)


@pytest.mark.parametrize(
    ("answer", "content_type"),
    [
        (b"<html>sign in</html>", "text/html"),
        (b"<html>sign in</html>", "application/json"),
        (b"OK", "text/plain"),
        (b"", "application/json"),
        ([], "application/json"),
        ("counts", "application/json"),
        ({}, "application/json"),
        ({"_shards": [], "timed_out": False}, "application/json"),
        (EMPTY | {"_shards": SHARDS | {"total": 1, "successful": 1}}, "application/json"),  # no aggregations
    ],
)
def test_what_is_no_search_answer_is_an_error_though_its_status_is_200(
    answer: object, content_type: str
) -> None:
    with (
        answering(answer=answer, content_type=content_type) as server,
        pytest.raises(TrendsError, match="something that is no search answer"),
    ):
        TrendingReader(server.endpoint, KEYS).top(HOUR, until=NOON)
    assert len(server.requests) == 1


def not_found(reason: str) -> dict[str, Any]:
    """As OpenSearch 3.6 answers (tests/lambdas/search_bootstrap/test_alias.py)."""
    cause = {"type": "index_not_found_exception", "reason": reason}
    return {"error": {"root_cause": [cause], **cause}, "status": 404}


def test_an_alias_that_no_index_has_yet_means_that_nothing_was_counted() -> None:
    with answering(404, answer=not_found(search.NO_INDEX)) as server:
        answer = TrendingReader(server.endpoint, KEYS).top(HOUR, until=NOON)
    assert (answer.articles, answer.freshness.newest_minute) == ((), None)


@pytest.mark.parametrize("answer", [not_found("no such index [other]"), {"message": "not found"}, b"<html>"])
def test_another_answer_404_is_an_error(answer: object) -> None:
    with answering(404, answer=answer) as server, pytest.raises(TrendsError, match="answered 404"):
        TrendingReader(server.endpoint, KEYS).top(HOUR, until=NOON)


def test_every_question_fails_while_a_shard_of_the_index_is_unassigned(
    reader: TrendingReader, add_counts: AddCounts, call: Call, day: datetime
) -> None:
    add_counts([count(day, "a", 5)])
    index = day_index(CLICK_COUNTS.index_family, day + timedelta(days=1))
    nowhere = {"settings": {"index.routing.allocation.require.box": "nowhere"}}
    call("PUT", f"/{index}?wait_for_active_shards=0&timeout=1s", nowhere)
    try:
        with pytest.raises(TrendsError, match="shards answered, 0 failed"):
            reader.top(HOUR, until=day + MINUTE)
    finally:
        call("DELETE", f"/{index}")
    assert [article.clicks for article in reader.top(HOUR, until=day + MINUTE).articles] == [5]


def test_more_buckets_than_the_server_allows_fail_at_once_with_what_to_ask_instead(
    reader: TrendingReader, add_counts: AddCounts, call: Call, day: datetime
) -> None:
    add_counts(count(day, f"a-{number}", 5) for number in range(60))
    call("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": 50}})
    try:
        with (
            mock.patch.object(reader._search._client, "search", wraps=reader._search._client.search) as asked,
            pytest.raises(TrendsError, match=r"more buckets than its search.max_buckets: ask for fewer"),
        ):
            reader.top(MINUTE, limit=60, until=day + MINUTE)
        assert asked.call_count == 1
    finally:
        call("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": None}})


def test_more_segments_than_planned_for_have_their_lists_across_midnight_too(
    reader_at: Callable[[datetime], TrendingReader], add_counts: AddCounts, call: Call, day: datetime
) -> None:
    """At midnight more articles a day are asked for than within a day, and there is not room for all."""
    midnight = day + timedelta(days=1)
    each = [(f"a-{number:03}", 1 + number % 40) for number in range(130)]
    add_counts(
        count(minute, *article, published_at=midnight)
        for minute in (midnight - MINUTE, midnight)
        for article in each
    )
    call("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": 100}})
    try:
        answer = reader_at(midnight + MINUTE).top_of_segments(2 * MINUTE, [(), ("gender",)], 5)
    finally:
        call("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": None}})
    expected = [("a-039", 80), ("a-079", 80), ("a-119", 80), ("a-038", 78), ("a-078", 78)]
    for top in answer.lists.values():
        assert [(article.article_id, article.clicks) for article in top.articles] == expected
        assert top.clicks == 2 * sum(clicks for _, clicks in each)
    assert len(answer.lists) == 2
    assert answer.freshness.newest_published_at == midnight


def test_more_values_of_a_column_than_are_listed_are_an_error(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregations, "MAX_SEGMENT_VALUES", 3)
    regions = [count(day, "a", 1, region=f"r{number}") for number in range(4)]
    add_counts(regions[:3])
    assert len(reader.top_of_segments(MINUTE, [("region",)], until=day + MINUTE).lists) == 3
    add_counts(regions[3:])
    for ask in (
        lambda: reader.top_of_segments(MINUTE, [("region",)], until=day + MINUTE),
        lambda: reader.top_of_segments(MINUTE, [("gender", "region")], until=day + MINUTE),
        lambda: reader.top_of_segments(HOUR, [("region",)], until=day + MINUTE),
        lambda: reader.trend(MINUTE, by=("region",), until=day + MINUTE),
        lambda: reader.heat_map(MINUTE, ("region",), until=day + MINUTE),
    ):
        with pytest.raises(TrendsError, match="region has more than 3 values"):
            ask()


def test_a_question_that_opensearch_cannot_answer_is_told_with_its_reason(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "a", 1)])
    with pytest.raises(TrendsError, match=r"answered 400: .*no_such_aggregation"):
        reader._search({"size": 0, "aggs": {"x": {"no_such_aggregation": {}}}})


def test_indices_deleted_between_two_searches_of_a_question_are_an_error(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(minute, "a", 1) for minute in (day - MINUTE, day)])
    ask = reader._search
    with mock.patch.object(reader, "_search", wraps=ask) as searched:
        reader.compare(2 * MINUTE, Segment(gender="female"), min_clicks=1, until=day + MINUTE)
    first, _ = (ask(call.args[0]) for call in searched.call_args_list)
    with (
        mock.patch.object(reader, "_search", side_effect=[first, {}]),
        pytest.raises(TrendsError, match="deleted while they were read"),
    ):
        reader.compare(2 * MINUTE, Segment(gender="female"), min_clicks=1, until=day + MINUTE)


def test_a_page_that_a_proxy_sends_with_an_error_is_told_in_one_short_line() -> None:
    page = b"<html>\n<h1>502 Bad Gateway</h1>\n" + b"<p>sorry</p>\n" * 10_000
    with (
        answering(502, answer=page, content_type="text/html") as server,
        pytest.raises(TrendsError, match="answered 502: <html> <h1>502 Bad Gateway</h1>") as told,
    ):
        TrendingReader(server.endpoint, KEYS, max_attempts=1).top(HOUR)
    assert len(str(told.value)) < 500
    assert "\n" not in str(told.value)
