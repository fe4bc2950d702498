"""The answers as the page gets them, in JSON. Ids are there as they are, to be sent back, and as labels, to
be shown: a label holds no control characters."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clients.batch_server.answers import (
    Answer,
    Comparison,
    Freshness,
    HeatMap,
    Rising,
    TopList,
    TopOfSegments,
    Trend,
    TrendingArticle,
)
from clients.batch_server.finding import FoundArticles
from clients.batch_server.minutes import Minutes
from clients.batch_server.segment import Segment
from clients.batch_server.text import printable
from clients.board import runbook
from clients.board.alarms import Alarm
from clients.board.article import ArticleView, SideBySide
from clients.board.ranking_freshness import SECONDS_BETWEEN, ServedStage
from clients.board.reconciliation import ReconciliationReport
from clients.board.watched import Seen
from contract.count import SEGMENT_COLUMNS
from contract.event_time import format_time
from contract.segments_receipt import RefusedUpload

FOUND_SHOWN = 20
REASONS_SHOWN = 3

Message = dict[str, Any]
Titles = Mapping[str, str]


def message(answer: Answer, titles: Titles) -> Message:
    """Of any answer that the board asks for; titles: article ids to what people call them."""
    return {
        "minutes": _minutes(answer.minutes),
        "freshness": _freshness(answer.freshness),
        **_own(answer, titles),
    }


def _own(answer: Answer, titles: Titles) -> Message:  # noqa: PLR0911
    match answer:
        case HeatMap():
            return {
                "articles": [_article(article, titles) for article in answer.articles],
                "cut": answer.cut,
                "segments": [
                    {**_segment(segment), "clicks": clicks}
                    for segment, clicks in zip(answer.segments, answer.segment_clicks, strict=True)
                ],
                "cells": answer.cells,
            }
        case Trend():
            return {
                "step_seconds": answer.step.total_seconds(),
                "starts": [format_time(start) for start in answer.starts],
                "series": [
                    {"label": _label(series.article_id, titles), **_segment(series.segment)}
                    | {"clicks": series.clicks}
                    for series in answer.series
                ],
            }
        case Rising():
            return {
                "recent": _minutes(answer.recent),
                **_looked_at(answer),
                "articles": [
                    {
                        **_article(article, titles),
                        "before": article.before,
                        "times": article.growth,
                        "low": article.growth_low,
                        "high": article.growth_high,
                    }
                    for article in answer.articles
                ],
            }
        case Comparison():
            return {**_segment(answer.segment), **_looked_at(answer), **_compared(answer, titles)}
        case ArticleView():
            return _about(answer, titles)
        case FoundArticles():
            return {
                "too_many": answer.too_many,
                "found": len(answer.articles),
                "articles": [_article(article, titles) for article in answer.articles[:FOUND_SHOWN]],
            }
        case SideBySide():
            both = zip(answer.segments, answer.lists, strict=True)
            return {"shown": FOUND_SHOWN, "lists": [_list(*each, titles) for each in both]}
        case TopOfSegments():
            values: dict[str, list[str]] = {column: [] for column in SEGMENT_COLUMNS}
            for segment in answer.lists:
                for column, value in segment.fields:
                    values[column].append(value)
            lists = [_list(segment, top, titles) for segment, top in answer.lists.items()]
            return {"values": values, "lists": lists}
        case _ if type(answer) is Answer:  # how fresh, and no more
            return {}
        case _:
            raise TypeError(f"the board shows no {type(answer).__name__}")


def status(
    *,
    now: datetime,
    problem: str | None,
    report: ReconciliationReport | None,
    segments_problem: str | None,
    served: ServedStage | None,
) -> Message:
    """What changes without a question: the clock, why the newest question failed, the reconciliation of the
    twin and what is wrong with its segments, the ranking that the service has."""
    reconciliation = None
    if report is not None:
        reconciliation = {
            "told_at": format_time(report.told_at),
            "sent": report.reconciliation.sent,
            "counted": report.reconciliation.counted,
            "rejected": report.reconciliation.rejected,
            "unparseable": report.reconciliation.unparseable,
            "on_their_way": report.reconciliation.on_their_way,
            "rejected_over_time": [(format_time(at), number) for at, number in report.rejected],
        }
    return {
        "now": format_time(now),
        "problem": None if problem is None else printable(problem),
        "account": reconciliation,
        "segments_problem": None if segments_problem is None else printable(segments_problem),
        "served": served
        and {
            "counted_until": _time(served.counted_until),
            "fresh_until": _time(served.fresh_until),
            "problem": served.problem and printable(served.problem),
        },
    }


def alarms_message(seen: Seen[Sequence[Alarm]]) -> Message:
    """alarms: None while they are not known, which is never told as that all is well."""
    told: list[Message] | None = None
    if seen.value is not None:
        told = [
            {key: printable(alarm[key]) for key in ("name", "region", "state", "since", "reason", "shows")}
            | {"runbook": printable(alarm["runbook"]), "link": runbook.link(alarm["runbook"])}
            for alarm in seen.value
        ]
    return {**_seen(seen), "alarms": told}


def refused_message(seen: Seen[Sequence[RefusedUpload]]) -> Message:
    """files: None while they are not known; the first reasons of each, and how many there are."""
    told = None
    if seen.value is not None:
        told = [
            {
                "name": printable(refused.name),
                "uploaded_at": format_time(datetime.fromtimestamp(refused.uploaded_at, UTC)),
                "reasons": [printable(str(reason)) for reason in refused.reasons[:REASONS_SHOWN]],
                "number": refused.number,
            }
            for refused in seen.value
        ]
    return {**_seen(seen), "files": told}


def _seen(seen: Seen[Any]) -> Message:
    """As an answer of OpenSearch has it, for the panel's age."""
    read = {} if seen.at is None else {"freshness": {"asked_at": format_time(seen.at)}}
    problem = seen.problem and printable(seen.problem)
    return {**read, "seconds_between": SECONDS_BETWEEN, "not_known": problem}


def _compared(answer: Comparison, titles: Titles) -> Message:
    return {
        side: [
            {
                **_article(article, titles),
                "others": article.others,
                "times": article.times,
                "low": article.times_low,
                "high": article.times_high,
            }
            for article in articles
        ]
        for side, articles in (("more", answer.more), ("less", answer.less))
    }


def _about(answer: ArticleView, titles: Titles) -> Message:
    return {
        "id": answer.article_id,
        "id_label": printable(answer.article_id),
        "label": _label(answer.article_id, titles),
        "step_seconds": answer.step.total_seconds(),
        "starts": [format_time(start) for start in answer.starts],
        "segments": [
            {**_segment(series.segment), "clicks": series.clicks, "place": answer.places.get(series.segment)}
            for series in answer.series
        ],
        "rises": [
            {
                "at": format_time(rise.at),
                "span_seconds": rise.span.total_seconds(),
                "clicks": rise.clicks,
                "before": rise.before,
                "times": rise.growth,
                "low": rise.low,
                "high": rise.high,
            }
            for rise in answer.rises
        ],
    }


def _looked_at(answer: Rising | Comparison) -> Message:
    return {"found": answer.found, "compared": answer.compared, "all_from": answer.all_from}


def _article(article: TrendingArticle, titles: Titles) -> Message:
    label = _label(article.article_id, titles)
    return {"id": article.article_id, "label": label, "clicks": article.clicks}


def _label(article_id: str | None, titles: Titles) -> str:
    if article_id is None:
        return "all articles"
    return printable(titles.get(article_id, article_id)).strip() or repr(article_id)


def _list(segment: Segment, top: TopList, titles: Titles) -> Message:
    articles = [{**_article(each, titles), "title": titles.get(each.article_id)} for each in top.articles]
    return {**_segment(segment), "clicks": top.clicks, "cut": top.cut, "articles": articles}


def _segment(segment: Segment) -> Message:
    return {"segment": segment.as_dict(), "segment_label": segment.label}


def _minutes(minutes: Minutes) -> Message:
    return {"since": format_time(minutes.since), "until": format_time(minutes.until)}


def _freshness(freshness: Freshness) -> Message:
    return {
        "asked_at": format_time(freshness.asked_at),
        "newest_minute": _time(freshness.newest_minute),
        "newest_published_at": _time(freshness.newest_published_at),
        "complete_until": _time(freshness.complete_until),
        "not_known": freshness.progress.problem,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_time(time)
