"""The answers as the page gets them, in JSON. Ids are there as they are, to be sent back, and as labels, to
be shown: a label holds no control characters."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clients.batch_server.answers import (
    Answer,
    Comparison,
    Freshness,
    HeatMap,
    Rising,
    TopOfSegments,
    Trend,
    TrendingArticle,
)
from clients.batch_server.minutes import Minutes
from clients.batch_server.segment import Segment
from clients.batch_server.text import printable
from clients.board.ranking_freshness import ServedStage
from clients.board.reconciliation import ReconciliationReport
from contract.count import SEGMENT_COLUMNS
from contract.event_time import format_time

Message = dict[str, Any]
Titles = Mapping[str, str]


def message(answer: Answer, titles: Titles) -> Message:
    """Of any answer that the board asks for; titles: article ids to what people call them."""
    return {
        "minutes": _minutes(answer.minutes),
        "freshness": _freshness(answer.freshness),
        **_own(answer, titles),
    }


def _own(answer: Answer, titles: Titles) -> Message:
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
        case TopOfSegments():
            values: dict[str, list[str]] = {column: [] for column in SEGMENT_COLUMNS}
            for segment in answer.lists:
                for column, value in segment.fields:
                    values[column].append(value)
            return {"values": values}
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


def _looked_at(answer: Rising | Comparison) -> Message:
    return {"found": answer.found, "compared": answer.compared, "all_from": answer.all_from}


def _article(article: TrendingArticle, titles: Titles) -> Message:
    label = _label(article.article_id, titles)
    return {"id": article.article_id, "label": label, "clicks": article.clicks}


def _label(article_id: str | None, titles: Titles) -> str:
    if article_id is None:
        return "all articles"
    return printable(titles.get(article_id, article_id)).strip() or repr(article_id)


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
