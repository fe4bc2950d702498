"""What the questions are answered with. Every answer says which minutes it covers, how fresh the counts were
and how many searches it took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.batch_server.minutes import Minutes
from clients.batch_server.progress import NOT_ASKED, PERIOD, RECENT, ReadProgress
from clients.batch_server.segment import Segment
from clients.batch_server.text import printable
from contract.click import ARRIVAL
from contract.count import start_of_count

DELIVERY = timedelta(seconds=15)
"""A count that was published longer ago is in the index: Firehose collects for at most 5 s, the index shows a
document after 1 s, the rest is margin. Not so while OpenSearch refuses documents (an alarm notifies then)."""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How far the counts had come when they were asked for, of all readers and not only of the segment asked.

    asked_at: by this machine's clock; since: counts of minutes before it were not looked at;
    newest_minute and newest_published_at: None when there is no count from `since` on; delivered_until: the
    newest publication that is complete in the index; progress: how far the application has read.
    """

    asked_at: datetime
    since: datetime
    newest_minute: datetime | None
    newest_published_at: datetime | None
    delivered_until: datetime | None
    progress: ReadProgress = NOT_ASKED

    @property
    def age(self) -> timedelta | None:
        """How long ago the newest count was published; None when there is none."""
        return None if self.newest_published_at is None else self.asked_at - self.newest_published_at

    @property
    def complete_until(self) -> datetime | None:
        """Minutes that ended by this time hold every click that came on time (see ARRIVAL and DELIVERY).
        Later clicks still raise them, for as long as the allowed lateness. None when nothing tells.

        What was read is counted and delivered by the newest publication; where no record came after that, by
        now.
        """
        read_until = self.progress.read_until
        counted_until = read_until if self._is_quiet else self.delivered_until
        if read_until is None or counted_until is None:
            return None
        return start_of_count(min(read_until, counted_until) - ARRIVAL)

    @property
    def _is_quiet(self) -> bool:
        """Whether no record came after the minute of the newest publication, or for RECENT."""
        quiet_since = self.progress.quiet_since
        told = self.asked_at - RECENT
        newest = told if self.newest_published_at is None else max(self.newest_published_at, told)
        return quiet_since is not None and quiet_since <= newest + PERIOD


@dataclass(frozen=True, kw_only=True)
class Answer:
    """minutes: what the answer covers; searches: round trips to OpenSearch."""

    minutes: Minutes
    freshness: Freshness
    searches: int


@dataclass(frozen=True)
class TrendingArticle:
    article_id: str
    clicks: int

    @property
    def label(self) -> str:
        """The id as a terminal may show it."""
        return printable(self.article_id)


@dataclass(frozen=True, kw_only=True)
class TopList:
    """The most clicked articles of a segment, largest first, equal ones in order of their id; exact.

    clicks: of all the segment's articles; cut: whether more articles qualify than were to be listed.
    """

    articles: tuple[TrendingArticle, ...]
    clicks: int
    cut: bool


@dataclass(frozen=True, kw_only=True)
class TopArticles(Answer):
    segment: Segment
    top: TopList

    @property
    def articles(self) -> tuple[TrendingArticle, ...]:
        return self.top.articles


@dataclass(frozen=True, kw_only=True)
class TopOfSegments(Answer):
    """lists: of each segment that was clicked at all, in order of its values."""

    lists: Mapping[Segment, TopList]


@dataclass(frozen=True, kw_only=True)
class Series:
    """clicks: of each step; article_id: None for all articles."""

    article_id: str | None
    segment: Segment
    clicks: tuple[int, ...]

    @property
    def label(self) -> str:
        article = "all articles" if self.article_id is None else printable(self.article_id)
        return f"{article}: {self.segment.label}" if self.segment.fields else article


@dataclass(frozen=True, kw_only=True)
class Trend(Answer):
    """starts: of the steps, one for each number of each series; a step without clicks is 0."""

    step: timedelta
    starts: tuple[datetime, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, kw_only=True)
class HeatMap(Answer):
    """cells[row][column]: the clicks of articles[row] by segments[column].

    segment_clicks: of all articles, so that a cell can be shown as a share of its segment; cut: whether more
    articles were clicked than were to be listed.
    """

    articles: tuple[TrendingArticle, ...]
    cut: bool
    segments: tuple[Segment, ...]
    segment_clicks: tuple[int, ...]
    cells: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class ComparedArticle(TrendingArticle):
    """An article that a segment reads more or less than everyone else.

    clicks: of the segment; others: of everyone else; expected: of the segment if it read as everyone;
    times: how many times as much, as odds (see statistics.odds_ratio), with its interval; z: of that.
    """

    others: int
    expected: float
    times: float
    times_low: float
    times_high: float
    z: float


@dataclass(frozen=True, kw_only=True)
class Comparison(Answer):
    """more, less: the surest first. compared: articles looked at; all_from: every article with at least this
    many clicks (of all readers) was; found: how many differ, listed or not."""

    segment: Segment
    segment_clicks: int
    others_clicks: int
    more: tuple[ComparedArticle, ...]
    less: tuple[ComparedArticle, ...]
    found: int
    compared: int
    all_from: int


@dataclass(frozen=True, kw_only=True)
class RisingArticle(TrendingArticle):
    """clicks: lately; before: in the time before; expected: clicks lately if its share had stayed as before;
    growth: how many times that (see statistics.relative_growth), with its interval."""

    before: int
    expected: float
    growth: float
    growth_low: float
    growth_high: float


@dataclass(frozen=True, kw_only=True)
class Rising(Answer):
    """articles: the largest lower bound of growth first. minutes covers both times, `recent` the later one.
    compared, all_from, found: as for a Comparison, with the clicks of both times."""

    segment: Segment
    recent: Minutes
    recent_clicks: int
    before_clicks: int
    articles: tuple[RisingArticle, ...]
    found: int
    compared: int
    all_from: int


@dataclass(frozen=True, kw_only=True)
class CountTotals:
    """All counts of a span of time: their sum, their number, and the newest (None when there is none)."""

    clicks: int
    keys: int
    newest_minute: datetime | None
    newest_published_at: datetime | None

    def age_of_newest_count(self, now: datetime) -> timedelta | None:
        """How long ago the newest count was published."""
        return None if self.newest_published_at is None else now - self.newest_published_at
