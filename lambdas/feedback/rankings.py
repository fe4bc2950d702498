"""Decides what to write, from the counts and the table's content. Pure functions."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from clients.batch_server import EACH_COMBINATION, EACH_VALUE, Grouping, TopOfSegments
from contract.count import WINDOW
from contract.ranking import ServedRanking, segment_key
from lambdas.feedback.configuration import FeedbackConfiguration

CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far the application's clock may be ahead of the function's."""

GROUPINGS: Mapping[str, tuple[Grouping, ...]] = {
    "all readers": ((),),
    "each value": EACH_VALUE,
    "each combination": EACH_COMBINATION,
}
"""By the names in settings/feedback.py."""

Unfit = Literal["empty", "clock", "stale", "unread", "behind", "incomplete"]
"""Why an answer must not replace rankings: nothing was counted; the newest publication is in the future; it
is too old; nobody knows how far the application has read; the application is catching up; no minute asked
about is complete."""


def groupings(configuration: FeedbackConfiguration) -> tuple[Grouping, ...]:
    return tuple(grouping for segments in configuration.segments for grouping in GROUPINGS[segments])


def unfit(answer: TopOfSegments, configuration: FeedbackConfiguration) -> Unfit | None:
    """Why the answer may lack clicks; None if it may be written."""
    freshness = answer.freshness
    published, newest_minute, complete = (
        freshness.newest_published_at,
        freshness.newest_minute,
        freshness.complete_until,
    )
    if published is None or newest_minute is None or not any(top.articles for top in answer.lists.values()):
        return "empty"
    oldest = freshness.asked_at - configuration.max_input_age
    reasons: dict[Unfit, bool] = {
        "clock": published > freshness.asked_at + CLOCK_TOLERANCE,
        "stale": published < oldest,
        "unread": freshness.progress.behind is None,
        "behind": newest_minute + WINDOW < oldest
        or (freshness.progress.behind or timedelta(0)) > configuration.max_input_age,
        "incomplete": complete is None or complete <= answer.minutes.since,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def rankings(answer: TopOfSegments, configuration: FeedbackConfiguration) -> list[ServedRanking]:
    """The ranking of every segment with articles. The answer must be fit."""
    asked_at, counted_until = answer.freshness.asked_at, answer.freshness.newest_published_at
    complete_until = answer.freshness.complete_until
    assert counted_until is not None and complete_until is not None  # noqa: PT018 (see unfit)
    return [
        ServedRanking(
            segment=segment_key(segment.as_dict()),
            articles=tuple(article.article_id for article in top.articles),
            clicks=tuple(article.clicks for article in top.articles),
            counted_until=counted_until,
            computed_at=asked_at,
            complete_until=complete_until,
            fresh_until=_seconds(asked_at + configuration.fresh_for),
            expires_at=_seconds(asked_at + configuration.keep_for),
        )
        for segment, top in answer.lists.items()
        if top.articles
    ]


def due(
    found: Iterable[ServedRanking],
    stored: Mapping[str, ServedRanking],
    configuration: FeedbackConfiguration,
) -> list[ServedRanking]:
    """The rankings to write, new ones first, then the longest unwritten: each has its turn if the table does
    not take all."""

    def is_due(ranking: ServedRanking) -> bool:
        old = stored.get(ranking.segment)
        return (
            old is None
            or old.ranked != ranking.ranked
            or ranking.computed_at - old.computed_at >= configuration.refresh_after
            or is_from_the_future(old.counted_until, now=ranking.computed_at)
        )

    def written_at(ranking: ServedRanking) -> float:
        old = stored.get(ranking.segment)
        return 0.0 if old is None else old.computed_at.timestamp()

    return sorted(filter(is_due, found), key=written_at)


def is_from_the_future(counted_until: datetime, *, now: datetime) -> bool:
    """Whether only a wrong clock can have written it. Twice the tolerance: its writer tolerated one, and its
    own clock may differ."""
    return counted_until > trusted_until(now)


def trusted_until(now: datetime) -> datetime:
    return now + 2 * CLOCK_TOLERANCE


def kept_longer(
    stored: Iterable[ServedRanking], configuration: FeedbackConfiguration, *, now: datetime
) -> list[ServedRanking]:
    """While none is fresh, the rankings that expire soon, with a later end: old rankings are better than
    none."""
    stored = list(stored)
    trusted = _trusted(stored, now)  # a wrong clock's mark must not let all others expire
    if not stored or _seconds(now) <= max((ranking.fresh_until for ranking in trusted), default=0):
        return []
    soon = _seconds(now + configuration.keep_for / 2)
    later = _seconds(now + configuration.keep_for)
    return [
        replace(ranking, expires_at=later) for ranking in stored if _seconds(now) < ranking.expires_at < soon
    ]


def newest_counted_until(stored: Iterable[ServedRanking], *, now: datetime) -> datetime | None:
    """None if nothing is served, or only rankings of a wrong clock."""
    return max((ranking.counted_until for ranking in _trusted(stored, now)), default=None)


def _trusted(stored: Iterable[ServedRanking], now: datetime) -> list[ServedRanking]:
    return [ranking for ranking in stored if not is_from_the_future(ranking.counted_until, now=now)]


def _seconds(time: datetime) -> int:
    return int(time.timestamp())
