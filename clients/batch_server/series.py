"""Clicks over time, and clicks of articles against segments: the numbers of the two pictures."""

from bisect import bisect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from math import gcd

from clients.batch_server import aggregations
from clients.batch_server.aggregations import Aggregation
from clients.batch_server.answers import HeatMap, Series, TopList, Trend, TrendingArticle
from clients.batch_server.duration import duration_text
from clients.batch_server.errors import QuestionError
from clients.batch_server.minutes import DAY, Minutes
from clients.batch_server.question import Question
from clients.batch_server.segment import Grouping, Segment
from clients.batch_server.top_articles import Wanted, leading
from contract.count import WINDOW

HOUR = timedelta(hours=1)
MAX_POINTS = 50_000
"""Numbers in a trend; OpenSearch's search.max_buckets is 65,535."""


def trend(
    about: Callable[[Minutes], Question],
    minutes: Minutes,
    *,
    articles: Sequence[str],
    by: Grouping,
    step: timedelta,
    time_zone: tzinfo,
) -> Trend:
    """about: makes a question about minutes. The minutes are widened to whole steps, counted from midnight in
    the zone; the running one is cut."""
    if step < WINDOW or step % WINDOW or DAY % step:
        raise QuestionError(
            f"{step} is no step: write one that divides a day and is a multiple of what a count spans "
            f"({duration_text(WINDOW)}), such as 1h"
        )
    starts = starts_of_steps(minutes, step, time_zone)
    counted = _common_divisor(step, starts)
    if counted % WINDOW:
        raise QuestionError(
            f"counts of {duration_text(WINDOW)} cannot be divided into the days of {time_zone}: take UTC"
        )
    minutes = Minutes(starts[0], minutes.until)
    articles = list(dict.fromkeys(articles))
    points = -(-minutes.length // counted)
    if points * max(len(articles), 1) > MAX_POINTS:
        raise QuestionError(
            f"{max(len(articles), 1)} series of {points} steps are more than {MAX_POINTS} numbers: ask for a "
            "longer step, a shorter time or fewer articles"
        )
    question = about(minutes)
    over_time = aggregations.grouped(by, {"over_time": aggregations.minutes_of(counted)})
    if articles:
        each = aggregations.articles(size=len(articles), among=articles, inner={"found": over_time})
        answer = question.ask({"articles": each}, aggregations.among_articles(articles))
    else:
        answer = question.ask({"found": over_time})
    series = [*_series(answer, question.segment, articles, by, starts)]
    return Trend(step=step, starts=starts, series=tuple(series), **question.answer)


def _series(
    answer: Aggregation, segment: Segment, articles: Sequence[str], by: Grouping, starts: Sequence[datetime]
) -> list[Series]:
    found: dict[str | None, Aggregation] = {}
    if answer and articles:
        found = {bucket["key"]: bucket["found"] for bucket in answer["articles"]["buckets"]}
    elif answer:
        found = {None: answer["found"]}
    series = []
    asked: Sequence[str | None] = articles or [None]
    for article_id in asked:
        if article_id in found:
            for each, node in aggregations.each_segment(by, found[article_id], segment):
                numbers = [0] * len(starts)
                for bucket in node["over_time"]["buckets"]:
                    numbers[bisect(starts, _start(bucket)) - 1] += aggregations.clicks(bucket)
                series.append(Series(article_id=article_id, segment=each, clicks=tuple(numbers)))
        elif not by:
            nothing = (0,) * len(starts)
            series.append(Series(article_id=article_id, segment=segment, clicks=nothing))
    return series


def _start(bucket: Aggregation) -> datetime:
    return datetime.fromtimestamp(bucket["key"] / 1000, UTC)


def starts_of_steps(minutes: Minutes, step: timedelta, time_zone: tzinfo) -> tuple[datetime, ...]:
    """The starts, in UTC, of the steps that the minutes overlap, as the clocks of the zone show them.

    Where these are put back or forward, a step of more than an hour is longer or shorter."""
    shown = minutes.since.astimezone(time_zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    end = minutes.until.astimezone(time_zone).replace(tzinfo=None) + HOUR
    folds = (0, 1) if step <= HOUR else (0,)  # the hour that is shown twice
    starts = set()
    while shown < end:
        starts |= {shown.replace(tzinfo=time_zone, fold=fold).astimezone(UTC) for fold in folds}
        shown += step
    inside = sorted(start for start in starts if start < minutes.until)
    return tuple(inside[bisect(inside, minutes.since) - 1 :])


def _common_divisor(step: timedelta, starts: Sequence[datetime]) -> timedelta:
    """The longest time of which the step and each start, counted from midnight UTC, is a multiple."""
    second = timedelta(seconds=1)
    return second * gcd(step // second, *{int(start.timestamp()) % (DAY // second) for start in starts})


def heat_map(question: Question, limit: int, by: Grouping) -> HeatMap:
    """The searches of top_articles.leading."""
    wanted = Wanted(groupings=((),), limit=limit, min_clicks=1)
    columns = aggregations.grouped(by, {"clicks": aggregations.CLICKS})
    found = leading(question, wanted, {"cells": columns}, {"columns": columns})
    if isinstance(found, TopList):
        return _heat_map_of(question, found, by)
    cut = bool(found) and len(found["articles"]["buckets"]) > limit
    return _heat_map_in(question, found, limit, by, cut=cut)


def _heat_map_of(question: Question, top: TopList, by: Grouping) -> HeatMap:
    """The cells of these articles; their clicks are summed anew, so that each row adds up."""
    articles = top.articles
    answer: Aggregation = {}
    if articles:
        among = [article.article_id for article in articles]
        lists = aggregations.articles(size=len(among), among=among)
        columns = {"articles": lists, "clicks": aggregations.CLICKS}
        answer = question.ask({"columns": aggregations.grouped(by, columns)})
    nodes = dict(aggregations.each_segment(by, answer["columns"], question.segment)) if answer else {}
    clicks = [aggregations.clicks_of_articles(node["articles"]) for node in nodes.values()]
    cells = tuple(tuple(column.get(article.article_id, 0) for column in clicks) for article in articles)
    return HeatMap(
        articles=tuple(
            TrendingArticle(article.article_id, sum(row))
            for article, row in zip(articles, cells, strict=True)
        ),
        cut=top.cut,
        segments=tuple(nodes),
        segment_clicks=tuple(aggregations.clicks(node) for node in nodes.values()),
        cells=cells,
        **question.answer,
    )


def _heat_map_in(question: Question, answer: Aggregation, limit: int, by: Grouping, *, cut: bool) -> HeatMap:
    """From an answer that lists the articles, each with its cells, and the columns; of the same counts."""
    nodes = dict(aggregations.each_segment(by, answer["columns"], question.segment)) if answer else {}
    articles, cells = [], []
    for bucket in answer["articles"]["buckets"][:limit] if answer else ():
        row = dict(aggregations.each_segment(by, bucket["cells"], question.segment))
        articles.append(TrendingArticle(bucket["key"], aggregations.clicks(bucket)))
        cells.append(tuple(aggregations.clicks(row[each]) if each in row else 0 for each in nodes))
    return HeatMap(
        articles=tuple(articles),
        cut=cut,
        segments=tuple(nodes),
        segment_clicks=tuple(aggregations.clicks(node) for node in nodes.values()),
        cells=tuple(cells),
        **question.answer,
    )
