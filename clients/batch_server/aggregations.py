"""The questions as OpenSearch aggregations, and how to walk through their answers. Nothing here talks to a
server.

Every question is a plain `sum` over the counts, because the index holds one document per key (minute, article
and segment) with its largest count. No question asks for documents: `size` is 0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from clients.batch_server.duration import duration_text
from clients.batch_server.errors import TrendsError
from clients.batch_server.minutes import Minutes
from clients.batch_server.segment import Grouping, Segment
from contract.event_time import format_time

Aggregation = dict[str, Any]

MAX_SEGMENT_VALUES = 1000
"""Of one column. Japan has 47 prefectures; more values than this are an error, never a shorter list."""

CLICKS: Aggregation = {"sum": {"field": "clicks"}}
_LARGEST_FIRST = [{"clicks": "desc"}, {"_key": "asc"}]  # equal sums by article id: the same list every time


def body(aggregations: Mapping[str, Aggregation], *filters: Aggregation) -> dict[str, Any]:
    """A search of the counts that all of the filters let through."""
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": list(filters)}},
        "aggs": dict(aggregations),
    }


def part(aggregations: Mapping[str, Aggregation], *filters: Aggregation) -> Aggregation:
    """The aggregations over the counts that all of the filters let through."""
    chosen = {"bool": {"filter": list(filters)}} if filters else {"match_all": {}}
    return {"filter": chosen, "aggs": dict(aggregations)}


def of(minutes: Minutes, segment: Segment) -> list[Aggregation]:
    """Filters: the counts of those minutes and that segment."""
    return [during(minutes), *of_segment(segment)]


def of_segment(segment: Segment) -> list[Aggregation]:
    return [{"term": {column: value}} for column, value in segment.fields]


def any_of(filters: Iterable[Sequence[Aggregation]]) -> Aggregation:
    """A filter: the counts that all filters of one of the lists let through."""
    return {"bool": {"should": [{"bool": {"filter": list(each)}} for each in filters]}}


def among_articles(article_ids: Sequence[str]) -> Aggregation:
    """A filter: the counts of those articles."""
    return {"terms": {"article_id": list(article_ids)}}


def during(minutes: Minutes) -> Aggregation:
    return {"range": {"minute": {"gte": format_time(minutes.since), "lt": format_time(minutes.until)}}}


def newest(delivered_until: datetime) -> dict[str, Aggregation]:
    """What Freshness tells; publications up to `delivered_until` are complete in the index."""
    published = {"range": {"published_at": {"lte": format_time(delivered_until)}}}
    return {
        "newest_minute": {"max": {"field": "minute"}},
        "newest_published_at": {"max": {"field": "published_at"}},
        "delivered": part({"newest_published_at": {"max": {"field": "published_at"}}}, published),
    }


def articles(
    *,
    size: int,
    shard_size: int = 0,
    among: Sequence[str] | None = None,
    slice_of: tuple[int, int] | None = None,
    inner: Mapping[str, Aggregation] | None = None,
) -> Aggregation:
    """The most clicked articles.

    shard_size: how many a shard may tell; a shard that has as many or more makes the answer's
    doc_count_error_upper_bound other than 0. among: the only ids to list, each by every shard that has it;
    slice_of: (number, slices), to list all articles in that many requests; inner: more aggregations over
    each article's counts.
    """
    terms: Aggregation = {
        "field": "article_id",
        "size": size,
        "shard_size": max(shard_size, size) if among is None else len(among) + 1,
        "order": _LARGEST_FIRST,
    }
    if among is not None:
        terms["include"] = list(among)
    elif slice_of is not None:
        terms["include"] = {"partition": slice_of[0], "num_partitions": slice_of[1]}
    return {"terms": terms, "aggs": {"clicks": CLICKS, **(inner or {})}}


def minutes_of(step: timedelta) -> Aggregation:
    histogram = {"field": "minute", "fixed_interval": duration_text(step), "min_doc_count": 1}
    return {"date_histogram": histogram, "aggs": {"clicks": CLICKS}}


def grouped(grouping: Grouping, aggregations: Mapping[str, Aggregation]) -> Aggregation:
    """The aggregations for each segment of the grouping; read the answer with `each_segment`."""
    if not grouping:
        return part(aggregations)
    column, *rest = grouping
    inner = {"inner": grouped(tuple(rest), aggregations)} if rest else dict(aggregations)
    return {**values_of(column), "aggs": inner}


def values_of(column: str) -> Aggregation:
    return {"terms": {"field": column, "size": MAX_SEGMENT_VALUES, "order": {"_key": "asc"}}}


def each_segment(
    grouping: Grouping, answer: Mapping[str, Any], within: Segment
) -> Iterator[tuple[Segment, Mapping[str, Any]]]:
    """(segment, its aggregations), from the answer to `grouped`; each segment is also `within`.

    Raises TrendsError when a column has more values than were asked for.
    """
    if not grouping:
        yield within, answer
        return
    column, *rest = grouping
    if answer["sum_other_doc_count"]:
        raise TrendsError(
            f"{column} has more than {MAX_SEGMENT_VALUES} values, too many for a list of each: "
            "look for a mistake in the published segments, or ask for one segment"
        )
    for value in answer["buckets"]:
        narrower = Segment(**{**within.as_dict(), column: value["key"]})
        if rest:
            yield from each_segment(tuple(rest), value["inner"], narrower)
        else:
            yield narrower, value


def clicks(answer: Mapping[str, Any]) -> int:
    """The sum of clicks in a bucket; exact, as a double holds whole numbers up to 2^53."""
    total: float = answer["clicks"]["value"]
    return round(total)


def clicks_of_articles(answer: Mapping[str, Any]) -> dict[str, int]:
    """From the answer to `articles`, in its order."""
    return {bucket["key"]: clicks(bucket) for bucket in answer["buckets"]}
