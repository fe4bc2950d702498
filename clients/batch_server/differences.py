"""`compare` and `rising`: the part of each article's clicks in a group, against the group's share of all.

The articles looked at are chosen by their clicks in the group and outside together. That choice does not
depend on how they are divided, so it can't make a difference look sure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.batch_server import aggregations, statistics
from clients.batch_server.aggregations import Aggregation
from clients.batch_server.answers import ComparedArticle, Comparison, Rising, RisingArticle, TopList
from clients.batch_server.minutes import Minutes
from clients.batch_server.question import Question
from clients.batch_server.segment import Segment
from clients.batch_server.top_articles import Wanted, leading

MAX_COMPARED = 3000
"""Articles looked at: the most clicked."""
MIN_CLICKS = 10
"""Articles with fewer clicks are not looked at: hardly any division of so few is a sure difference."""


@dataclass(frozen=True)
class _Divided:
    """An article's clicks in the group, and in all."""

    article_id: str
    part: int
    clicks: int


@dataclass(frozen=True)
class _Division:
    """part, clicks: of all articles; all_from: every article with at least this many clicks is here."""

    part: int
    clicks: int
    articles: tuple[_Divided, ...]
    all_from: int

    @property
    def share(self) -> float:
        """The group's share of all clicks; 0 or 1 where there is nothing to compare."""
        return self.part / self.clicks if self.clicks else 0.0

    @property
    def can_differ(self) -> bool:
        return 0.0 < self.share < 1.0 and len(self.articles) > 1


def compare(question: Question, segment: Segment, limit: int, min_clicks: int) -> Comparison:
    """The question is about all readers."""
    division = _divide(question, aggregations.of_segment(segment), min_clicks)
    others = division.clicks - division.part
    found = []
    if division.can_differ:
        p_values = [statistics.two_sided(a.part, a.clicks, division.share) for a in division.articles]
        for article, sure in zip(division.articles, statistics.significant(p_values), strict=True):
            if sure:
                found.append(_compared(article, division))
    found.sort(key=lambda article: (-abs(article.z), article.article_id))
    more = [article for article in found if article.clicks > article.expected]
    less = [article for article in found if article.clicks < article.expected]
    return Comparison(
        segment=segment,
        segment_clicks=division.part,
        others_clicks=others,
        more=tuple(more[:limit]),
        less=tuple(less[:limit]),
        found=len(found),
        compared=len(division.articles),
        all_from=division.all_from,
        **question.answer,
    )


def _compared(article: _Divided, division: _Division) -> ComparedArticle:
    others = article.clicks - article.part
    ratio = statistics.odds_ratio(article.part, division.part, others, division.clicks - division.part)
    return ComparedArticle(
        article_id=article.article_id,
        clicks=article.part,
        others=others,
        expected=article.clicks * division.share,
        times=ratio.estimate,
        times_low=ratio.low,
        times_high=ratio.high,
        z=ratio.z,
    )


def rising(question: Question, recent: Minutes, limit: int, min_clicks: int) -> Rising:
    """The question is about the recent minutes and those before."""
    division = _divide(question, [aggregations.during(recent)], min_clicks)
    before = division.clicks - division.part
    found = []
    if division.can_differ:
        p_values = [statistics.upper_tail(a.part, a.clicks, division.share) for a in division.articles]
        for article, sure in zip(division.articles, statistics.significant(p_values), strict=True):
            if sure:
                found.append(_risen(article, division))
    found.sort(key=lambda article: (-article.growth_low, article.article_id))
    return Rising(
        segment=question.segment,
        recent=recent,
        recent_clicks=division.part,
        before_clicks=before,
        articles=tuple(found[:limit]),
        found=len(found),
        compared=len(division.articles),
        all_from=division.all_from,
        **question.answer,
    )


def _risen(article: _Divided, division: _Division) -> RisingArticle:
    before, before_all = article.clicks - article.part, division.clicks - division.part
    growth = statistics.relative_growth(article.part, division.part, before, before_all)
    return RisingArticle(
        article_id=article.article_id,
        clicks=article.part,
        before=before,
        expected=before * division.part / before_all,
        growth=growth.estimate,
        growth_low=growth.low,
        growth_high=growth.high,
    )


def _divide(question: Question, group: list[Aggregation], min_clicks: int) -> _Division:
    """The searches of top_articles.leading, one more where that tells the list alone."""
    wanted = Wanted(groupings=((),), limit=MAX_COMPARED, min_clicks=min_clicks)
    part: Mapping[str, Aggregation] = {"part": aggregations.part({"clicks": aggregations.CLICKS}, *group)}
    beside = {"clicks": aggregations.CLICKS, **part}
    found = leading(question, wanted, part, beside)
    if isinstance(found, TopList):
        among = [article.article_id for article in found.articles]
        lists = {"articles": aggregations.articles(size=len(among), among=among, inner=part)}
        answer = question.ask({**(lists if among else {}), **beside})
        buckets, cut = answer["articles"]["buckets"] if among else [], found.cut
    else:
        answer = found
        listed = answer["articles"]["buckets"] if answer else []
        enough = [bucket for bucket in listed if aggregations.clicks(bucket) >= min_clicks]
        buckets, cut = enough[:MAX_COMPARED], len(enough) > MAX_COMPARED
    return _Division(
        part=aggregations.clicks(answer["part"]) if answer else 0,
        clicks=aggregations.clicks(answer) if answer else 0,
        articles=tuple(map(_divided, buckets)),
        all_from=aggregations.clicks(buckets[-1]) + 1 if cut else min_clicks,
    )


def _divided(bucket: Mapping[str, Any]) -> _Divided:
    return _Divided(bucket["key"], aggregations.clicks(bucket["part"]), aggregations.clicks(bucket))
