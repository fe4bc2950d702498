"""One article in the time shown: its series, its places, when it rose; and two segments side by side.

When it rose: from each step on, its clicks of the board's `last` are held against those of `before` that, as
shares of all clicks (statistics.py, as `rising`). Of neighbouring steps that grew significantly the surest is
told.
Holm's step-down holds for any dependence, so at most 1 answer in 20 tells a rise when there is none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.batch_server import statistics
from clients.batch_server.answers import Answer, Series, TopList, Trend
from clients.batch_server.reader import TrendingReader
from clients.batch_server.segment import ALL_READERS, Grouping, Segment
from clients.board.ranges import Covered, Spans

RANKED = 50
"""Places that are told: of so many segments as a column may have, a search can list them."""


@dataclass(frozen=True, kw_only=True)
class Rise:
    """at: its start; span: of the clicks, and before: of those that they are held against; growth of the
    share of all clicks, with its 90 % interval."""

    at: datetime
    span: timedelta
    clicks: int
    before: int
    growth: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ArticleView(Answer):
    """series: all readers first, then each segment that clicked it; starts: of its steps; places: from 1,
    those below RANKED are left out; place_minutes are those of `minutes`; rises: in order of time."""

    article_id: str
    step: timedelta
    starts: tuple[datetime, ...]
    series: tuple[Series, ...]
    places: Mapping[Segment, int]
    rises: tuple[Rise, ...]


@dataclass(frozen=True, kw_only=True)
class SideBySide(Answer):
    """lists: of the two segments, RANKED articles of each."""

    segments: tuple[Segment, Segment]
    lists: tuple[TopList, TopList]


def view(
    reader: TrendingReader, article_id: str, by: Grouping, covered: Covered, spans: Spans
) -> ArticleView:
    """3 searches within a UTC day. Raises TrendsError."""
    step, until = covered.step, covered.until
    lookback = max(spans.before // step, 1) * step
    article = reader.trend(covered.long + lookback, articles=[article_id], by=by, step=step, until=until)
    everything = reader.trend(covered.long + lookback, step=step, until=until)
    tops = reader.top_of_segments(covered.long, [(), by], RANKED, until=until)
    everyone = [sum(clicks) for clicks in zip(*(series.clicks for series in article.series), strict=True)]
    everyone = everyone or [0] * len(article.starts)
    shown = _first_shown(article, tops.minutes.since)
    all_readers = Series(article_id=article_id, segment=ALL_READERS, clicks=tuple(everyone))
    rises = _rises(article.starts, everyone, _aligned(everything, article.starts), step=step, spans=spans)
    return ArticleView(
        minutes=tops.minutes,
        freshness=article.freshness,
        searches=article.searches + everything.searches + tops.searches,
        article_id=article_id,
        step=step,
        starts=article.starts[shown:],
        series=tuple(_cut(series, shown) for series in (all_readers, *article.series)),
        places=dict(_places(article_id, tops.lists)),
        rises=tuple(rise for rise in rises if rise.at >= article.starts[shown]),
    )


def _first_shown(trend: Trend, since: datetime) -> int:
    """The step that holds `since`."""
    return max(sum(start <= since for start in trend.starts) - 1, 0)


def _cut(series: Series, first: int) -> Series:
    return Series(article_id=series.article_id, segment=series.segment, clicks=series.clicks[first:])


def _aligned(trend: Trend, starts: Sequence[datetime]) -> list[int]:
    """All clicks of the steps; it was asked a moment later and may begin one later."""
    clicks = dict(zip(trend.starts, trend.series[0].clicks, strict=True))
    return [clicks.get(start, 0) for start in starts]


def _places(article_id: str, lists: Mapping[Segment, TopList]) -> Iterator[tuple[Segment, int]]:
    """1 + how many have more clicks."""
    for segment, top in lists.items():
        own = next((each.clicks for each in top.articles if each.article_id == article_id), None)
        if own is not None:
            yield segment, 1 + sum(each.clicks > own for each in top.articles)


def _rises(
    starts: Sequence[datetime],
    clicks: Sequence[int],
    everything: Sequence[int],
    *,
    step: timedelta,
    spans: Spans,
) -> Iterator[Rise]:
    recent, before = max(spans.last // step, 1), max(spans.before // step, 1)
    tested: list[tuple[int, float]] = []
    for at in range(before, len(starts) - recent + 1):
        part, rest = sum(clicks[at : at + recent]), sum(clicks[at - before : at])
        part_all, rest_all = sum(everything[at : at + recent]), sum(everything[at - before : at])
        if part + rest and part_all and rest_all:
            share = part_all / (part_all + rest_all)
            tested.append((at, statistics.upper_tail(part, part + rest, share)))
    sure = statistics.significant([p_value for _, p_value in tested])
    found = [each for each, is_sure in zip(tested, sure, strict=True) if is_sure]
    for group in _neighbours(found, within=recent):
        at = min(group, key=lambda each: each[1])[0]
        part, rest = sum(clicks[at : at + recent]), sum(clicks[at - before : at])
        growth = statistics.relative_growth(
            part, sum(everything[at : at + recent]), rest, sum(everything[at - before : at])
        )
        yield Rise(
            at=starts[at],
            span=recent * step,
            clicks=part,
            before=rest,
            growth=growth.estimate,
            low=growth.low,
            high=growth.high,
        )


def _neighbours(found: Sequence[tuple[int, float]], within: int) -> Iterator[list[tuple[int, float]]]:
    """Runs of steps that lie at most so many apart."""
    group: list[tuple[int, float]] = []
    for each in found:
        if group and each[0] - group[-1][0] > within:
            yield group
            group = []
        group.append(each)
    if group:
        yield group
