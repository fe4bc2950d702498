"""What OpenSearch has counted, asked with `_search` alone."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol, TypeVar

from clients.batch_server import aggregations
from clients.batch_server.minutes import minutes_between
from contract.count import COUNT_KEY, WINDOW
from contract.event_time import format_time
from lambdas.reconciliation.cells import Cell, start_of

Search = Callable[[Mapping[str, Any]], dict[str, Any]]
"""As clients.batch_server.search.CountSearch. Raises TrendsError."""
ArticleKey = tuple[Cell, str]
CountKey = tuple[str, ...]
"""The values of COUNT_KEY."""

_Key = TypeVar("_Key", ArticleKey, CountKey)
_WINDOWS_A_SEARCH = 5_000
"""OpenSearch answers with 65,535 buckets at most (search.max_buckets)."""
_KEYS_A_SEARCH = 500
_PAGE = 5_000
_MILLISECONDS = round(WINDOW.total_seconds() * 1000)


class CountedClicks(Protocol):
    def of_windows(self, windows: range) -> dict[Cell, int]:
        """The clicks counted in each of these windows that has any."""

    def of_articles(self, keys: Collection[ArticleKey]) -> dict[ArticleKey, int]:
        """The clicks counted in the window of each of these articles, if any."""

    def of_keys(self, keys: Collection[CountKey]) -> dict[CountKey, int]:
        """The count of each of these keys that has one."""


class SearchedCounts:
    """Counts of a domain."""

    def __init__(self, search: Search) -> None:
        self._search = search

    def of_windows(self, windows: range) -> dict[Cell, int]:
        found: dict[Cell, int] = {}
        for start in range(windows.start, windows.stop, _WINDOWS_A_SEARCH):
            stop = min(start + _WINDOWS_A_SEARCH, windows.stop)
            during = aggregations.during(minutes_between(start_of(start), start_of(stop)))
            answer = self._search(aggregations.body({"windows": aggregations.minutes_of(WINDOW)}, during))
            for bucket in answer["windows"]["buckets"] if answer else ():
                found[bucket["key"] // _MILLISECONDS] = aggregations.clicks(bucket)
        return found

    def of_articles(self, keys: Collection[ArticleKey]) -> dict[ArticleKey, int]:
        found: defaultdict[ArticleKey, int] = defaultdict(int)
        wanted = set(keys)
        for some in _batches(wanted):
            windows = {format_time(start_of(cell)) for cell, _ in some}
            articles = {article for _, article in some}
            for bucket in self._pages(("minute", "article_id"), windows, articles):
                key = (bucket["key"]["minute"] // _MILLISECONDS, bucket["key"]["article_id"])
                if key in wanted:
                    found[key] += aggregations.clicks(bucket)
        return dict(found)

    def of_keys(self, keys: Collection[CountKey]) -> dict[CountKey, int]:
        found: dict[CountKey, int] = {}
        wanted = set(keys)
        window, article = COUNT_KEY.index("minute"), COUNT_KEY.index("article_id")
        for some in _batches(wanted):
            windows, articles = {key[window] for key in some}, {key[article] for key in some}
            for bucket in self._pages(COUNT_KEY, windows, articles):
                values = bucket["key"]
                minute = format_time(start_of(values["minute"] // _MILLISECONDS))
                key = tuple(minute if column == "minute" else values[column] for column in COUNT_KEY)
                if key in wanted:
                    found[key] = aggregations.clicks(bucket)
        return found

    def _pages(
        self, columns: tuple[str, ...], windows: Collection[str], articles: Collection[str]
    ) -> Iterator[dict[str, Any]]:
        """A bucket for each combination of the columns."""
        filters = [
            {"terms": {"minute": sorted(windows)}},
            {"terms": {"article_id": sorted(articles)}},
        ]
        sources = [{column: {"terms": {"field": column}}} for column in columns]
        after: dict[str, Any] | None = None
        while True:
            composite: dict[str, Any] = {"size": _PAGE, "sources": sources}
            if after:
                composite["after"] = after
            keys = {"composite": composite, "aggs": {"clicks": aggregations.CLICKS}}
            answer = self._search(aggregations.body({"keys": keys}, *filters))
            if not answer:
                return
            yield from answer["keys"]["buckets"]
            after = answer["keys"].get("after_key")
            if not after:
                return


def _batches(keys: Collection[_Key]) -> Iterator[list[_Key]]:
    each = iter(sorted(keys))
    while some := list(islice(each, _KEYS_A_SEARCH)):
        yield some
