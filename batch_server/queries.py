"""The questions as OpenSearch request bodies, and their answers as values. Nothing here talks to a server.

Every question is a plain `sum` over the counts, because the index holds one document per key (minute,
article and segment) with its largest count. No question asks for documents: `size` is 0.

**How exact is a top list?** A shard answers a `terms` aggregation with its own `shard_size` largest
articles, and the lists are added up; an article that a shard left out is counted without that shard's
clicks. An index holds one day in one shard (see the index template), so a list within one UTC day is exact.
Across midnight the reader asks twice: for the candidates, then for the sums of just these, which every shard
has room for. So each number is exact; an article could be missing from the list only by clicks that a day's
10,000th article also has. Room for every article instead would be exact too, and 1.2 million buckets (six
lists over two days of 100,000 articles) ended a server with a small heap. Equal sums are ordered by article
id, so the same counts always give the same list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

SegmentField = Literal["gender", "age_band", "region"]

ARTICLES_PER_SHARD = 10_000
SPARE_CANDIDATES = 100
SEGMENT_VALUES = 100  # more than any field has: Japan has 47 prefectures


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A kind of reader; None stands for every value, `unknown` for readers that have no segment."""

    gender: str | None = None
    age_band: str | None = None
    region: str | None = None

    def fields(self) -> dict[str, str]:
        return {field: value for field, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class TrendingArticle:
    article_id: str
    clicks: int

    @property
    def label(self) -> str:
        """The id as a terminal may show it: readers send ids, so they can hold control characters."""
        return "".join(
            character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
            for character in self.article_id
        )


@dataclass(frozen=True)
class Totals:
    """All counts of a span of time: their sum, their number, and the newest (None when there is none)."""

    clicks: int
    keys: int
    newest_minute: datetime | None
    newest_published_at: datetime | None

    def age_of_newest_count(self, now: datetime) -> timedelta | None:
        """How long ago the newest count was published."""
        return None if self.newest_published_at is None else now - self.newest_published_at


@dataclass(frozen=True)
class Minutes:
    """The counts of the minutes from `since` (included) to `until` (excluded), both UTC."""

    since: datetime
    until: datetime

    @property
    def in_one_day(self) -> bool:
        """Whether all these counts are in one index."""
        return self.since.date() == (self.until - timedelta(minutes=1)).date()


def last_minutes(last: timedelta, now: datetime) -> Minutes:
    """Each minute that overlaps the time from `last` before `now` until `now`; the running one is among them.

    A count covers a whole minute, so the span is widened to whole minutes, by less than two minutes in all.
    """
    return Minutes(_start_of_minute(now - last), _start_of_minute(now) + timedelta(minutes=1))


def _start_of_minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _within(minutes: Minutes, segment: Segment) -> dict[str, Any]:
    filters: list[dict[str, Any]] = [
        {"range": {"minute": {"gte": _iso(minutes.since), "lt": _iso(minutes.until)}}}
    ]
    filters += [{"term": {field: value}} for field, value in segment.fields().items()]
    return {"bool": {"filter": filters}}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_CLICKS = {"clicks": {"sum": {"field": "clicks"}}}
_MOST_CLICKS_FIRST = [{"clicks": "desc"}, {"_key": "asc"}]


def _articles(limit: int, among: Sequence[str] | None) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "field": "article_id",
        "size": limit,
        "shard_size": max(ARTICLES_PER_SHARD, limit),
        "order": _MOST_CLICKS_FIRST,
    }
    if among is not None:
        terms |= {"include": list(among), "shard_size": max(len(among), limit)}
    return {"terms": terms, "aggs": _CLICKS}


def top_request(
    minutes: Minutes, segment: Segment, limit: int, among: Sequence[str] | None = None
) -> dict[str, Any]:
    """among: the ids of the only articles to list; None lists all."""
    return {
        "size": 0,
        "query": _within(minutes, segment),
        "aggs": {"articles": _articles(limit, among)},
    }


def top_by_segment_request(
    minutes: Minutes, field: SegmentField, segment: Segment, limit: int, among: Sequence[str] | None = None
) -> dict[str, Any]:
    """among: as for top_request."""
    values = {
        "terms": {"field": field, "size": SEGMENT_VALUES, "order": {"_key": "asc"}},
        "aggs": {"articles": _articles(limit, among)},
    }
    return {"size": 0, "query": _within(minutes, segment), "aggs": {"values": values}}


def totals_request(minutes: Minutes) -> dict[str, Any]:
    return {
        "size": 0,
        "query": _within(minutes, Segment()),
        "aggs": {
            **_CLICKS,
            "keys": {"value_count": {"field": "clicks"}},
            "newest_minute": {"max": {"field": "minute"}},
            "newest_published_at": {"max": {"field": "published_at"}},
        },
    }


# An answer has no "aggregations" at all while no index exists: nothing has been counted yet.


def top_answer(answer: Mapping[str, Any]) -> list[TrendingArticle]:
    return _trending(answer.get("aggregations", {}).get("articles", {"buckets": []}))


def top_by_segment_answer(answer: Mapping[str, Any]) -> dict[str, list[TrendingArticle]]:
    values: Sequence[Mapping[str, Any]] = answer.get("aggregations", {}).get("values", {"buckets": []})[
        "buckets"
    ]
    return {value["key"]: _trending(value["articles"]) for value in values}


def totals_answer(answer: Mapping[str, Any]) -> Totals:
    found = answer.get("aggregations")
    if found is None:
        return Totals(clicks=0, keys=0, newest_minute=None, newest_published_at=None)
    return Totals(
        clicks=round(found["clicks"]["value"]),
        keys=found["keys"]["value"],
        newest_minute=_moment(found["newest_minute"]["value"]),
        newest_published_at=_moment(found["newest_published_at"]["value"]),
    )


def _trending(articles: Mapping[str, Any]) -> list[TrendingArticle]:
    return [
        TrendingArticle(bucket["key"], round(bucket["clicks"]["value"])) for bucket in articles["buckets"]
    ]


def _moment(epoch_milliseconds: float | None) -> datetime | None:
    return None if epoch_milliseconds is None else datetime.fromtimestamp(epoch_milliseconds / 1000, UTC)
