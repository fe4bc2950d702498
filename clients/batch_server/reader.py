"""The questions that a batch server asks of the counts. Each method says how many searches (round trips) it
takes, raises TrendsError where it can't answer in full, and may be called from several threads at once."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

import boto3
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError

from clients.batch_server import aggregations, differences, finding, series
from clients.batch_server.aggregations import Aggregation
from clients.batch_server.answers import (
    DELIVERY,
    Comparison,
    CountTotals,
    Freshness,
    HeatMap,
    Rising,
    TopArticles,
    TopList,
    TopOfSegments,
    Trend,
)
from clients.batch_server.credentials import own_session, role_session, signing_credentials
from clients.batch_server.divided_top import Told, top_in_parts
from clients.batch_server.errors import QuestionError, TrendsError, refuse_empty
from clients.batch_server.finding import FoundArticles
from clients.batch_server.minutes import DAY, Minutes, last_minutes, minutes_between
from clients.batch_server.progress import RECENT, Progress, connect_progress, not_asked
from clients.batch_server.question import Question, freshness_in, time_in
from clients.batch_server.search import MAX_ATTEMPTS, CountSearch
from clients.batch_server.segment import ALL_READERS, EACH_VALUE, Grouping, Segment, checked_groupings
from clients.batch_server.text import printable
from clients.batch_server.top_articles import Wanted, rank
from contract.count import UNKNOWN, WINDOW
from names import OREGON

DEFAULT_LIMIT = 20
MAX_LIMIT = 5000
VALUES_TOLD = 50
MAX_AT_ONCE = timedelta(hours=1)
"""Of a question that is asked in parts beyond it: 420,000 counts of an hour took 0.6 s (bench `search`)."""
LONGER_LOOK = 3 * DAY
"""A look that finds the age of counts that stopped days ago."""


def _now() -> datetime:
    return datetime.now(UTC)


class TrendingReader:
    """Reads counts from one OpenSearch domain.

    Common parameters: last: the time asked about, widened to whole minutes; until: its end, with a time zone,
    now when None; segment: only these readers' clicks; limit: articles to list, at most MAX_LIMIT.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials,
        region: str = OREGON,
        *,
        clock: Callable[[], datetime] = _now,
        max_attempts: int = MAX_ATTEMPTS,
        progress: Progress = not_asked,
    ) -> None:
        """endpoint: https://host of the domain (http://127.0.0.1:port in the twin); region: the domain's;
        progress: how far the application has read."""
        self._search = CountSearch(endpoint, credentials, region, max_attempts)
        self._clock = clock
        self._progress = progress

    def top(
        self,
        last: timedelta,
        segment: Segment = ALL_READERS,
        limit: int = DEFAULT_LIMIT,
        *,
        min_clicks: int = 1,
        until: datetime | None = None,
    ) -> TopArticles:
        """The most clicked articles, those with at least `min_clicks`.

        1 search within a UTC day, 2 over several; more where articles beyond the first have as many clicks as
        the last listed (see top_articles).
        """
        question = self._question(last, segment, until)
        lists = rank(question, _wanted([()], limit, min_clicks))
        nothing = TopList(articles=(), clicks=0, cut=False)
        return TopArticles(segment=segment, top=lists.get(segment, nothing), **question.answer)

    def top_of_segments(
        self,
        last: timedelta,
        groupings: Iterable[Grouping] = EACH_VALUE,
        limit: int = DEFAULT_LIMIT,
        *,
        segment: Segment = ALL_READERS,
        min_clicks: int = 1,
        until: datetime | None = None,
        within: timedelta | None = None,
        told: Told | None = None,
    ) -> TopOfSegments:
        """The same list for each segment of the groupings (EACH_VALUE, EACH_COMBINATION, EVERY_SEGMENT, ...).

        1 search within a UTC day, for any number of segments. Over several days: one a day, one for the sums,
        and more for segments where the lists of the days decide nothing (see top_articles). limit times the
        number of segments must stay below OpenSearch's search.max_buckets (65,535). within: all of the
        searches together, from now; TrendsError when they take longer. told: of more than an hour it is asked
        in parts, which long times need, and told(parts answered, of all) is called between them.
        """
        wanted = _wanted(groupings, limit, min_clicks)
        if told is not None and last > MAX_AT_ONCE:
            minutes = last_minutes(last, until or self._clock())
            return top_in_parts(partial(self._about, minutes, segment, _deadline(within)), wanted, told)
        question = self._question(last, segment, until, within)
        lists = rank(question, wanted)
        return TopOfSegments(lists=lists, **question.answer)

    def trend(
        self,
        last: timedelta,
        *,
        articles: Sequence[str] = (),
        by: Grouping = (),
        segment: Segment = ALL_READERS,
        step: timedelta = WINDOW,
        time_zone: tzinfo = UTC,
        until: datetime | None = None,
    ) -> Trend:
        """Clicks of each time that a count spans, or of a longer step; gaps are zeros. 1 search.

        articles: a series for each, in this order; none: of all articles together. by: a series for each
        segment of that grouping that was clicked. step: a multiple of WINDOW that divides a day; time_zone:
        steps are counted from its midnight.
        """
        (grouping,) = checked_groupings([by])
        minutes = last_minutes(last, until or self._clock())
        return series.trend(
            lambda whole: self._about(whole, segment),
            minutes,
            articles=articles,
            by=grouping,
            step=step,
            time_zone=time_zone,
        )

    def heat_map(
        self,
        last: timedelta,
        by: Grouping,
        limit: int = DEFAULT_LIMIT,
        *,
        segment: Segment = ALL_READERS,
        until: datetime | None = None,
    ) -> HeatMap:
        """The most clicked articles against the segments of `by`. 1 search within a UTC day, 2 over several;
        more where many articles have as few clicks as the last listed (see top_articles)."""
        (grouping,) = checked_groupings([by])
        _check_limit(limit)
        return series.heat_map(self._question(last, segment, until), limit, grouping)

    def compare(
        self,
        last: timedelta,
        segment: Segment,
        limit: int = DEFAULT_LIMIT,
        *,
        min_clicks: int = differences.MIN_CLICKS,
        until: datetime | None = None,
    ) -> Comparison:
        """The articles that the segment reads more, or less, than others. Searches as `top`, seldom 1 more.

        Only sure differences: with none in truth, at most 1 answer in 20 names any article
        (statistics.FALSE_ALARM_RATE). Looks at the differences.MAX_COMPARED most clicked articles with at
        least `min_clicks` clicks of all readers.
        """
        if not segment.fields:
            raise QuestionError("there is no one else to compare all readers with: name a segment")
        _check_limit(limit)
        _check_min_clicks(min_clicks)
        question = self._question(last, ALL_READERS, until)
        return differences.compare(question, segment, limit, min_clicks)

    def rising(
        self,
        last: timedelta,
        before: timedelta,
        segment: Segment = ALL_READERS,
        limit: int = DEFAULT_LIMIT,
        *,
        min_clicks: int = differences.MIN_CLICKS,
        until: datetime | None = None,
    ) -> Rising:
        """The articles whose share of clicks grew most, in `last` against the time `before` that. Searches
        as `top`, seldom 1 more. Only sure growth, with the error rate of `compare`; also of new articles."""
        _check_limit(limit)
        _check_min_clicks(min_clicks)
        recent = last_minutes(last, until or self._clock())
        earlier = last_minutes(before, recent.since)
        question = self._about(minutes_between(earlier.since, recent.until), segment)
        return differences.rising(question, recent, limit, min_clicks)

    def find(
        self, last: timedelta, text: str, titled: Sequence[str] = (), *, until: datetime | None = None
    ) -> FoundArticles:
        """The clicked articles whose id holds the text, in large or small letters, or that are among
        `titled`. 1 search."""
        return finding.find(self._question(last, ALL_READERS, until), text, titled)

    def check_values(self, segment: Segment) -> None:
        """Raises QuestionError, with those that there are, for a value that no count of any time has.
        1 search; none of all readers."""
        if not segment.fields:
            return
        found = self._search(
            aggregations.body({column: aggregations.values_of(column) for column in segment.columns})
        )
        for column, value in segment.fields if found else ():
            counted = [bucket["key"] for bucket in found[column]["buckets"]]
            are_all = counted and not found[column]["sum_other_doc_count"]
            if are_all and value not in (*counted, UNKNOWN):
                more = f" and {len(counted) - VALUES_TOLD} more" if len(counted) > VALUES_TOLD else ""
                raise QuestionError(
                    f"no reader of any count has the {column} {printable(value)!r}: there are "
                    f"{printable(', '.join(counted[:VALUES_TOLD]))}{more}"
                )

    def totals(self, since: datetime, until: datetime) -> CountTotals:
        """The sum and number of all counts whose minute starts in [since, until), and how new they are.
        1 search."""
        found = self._search(
            aggregations.body(
                {
                    "clicks": aggregations.CLICKS,
                    "keys": {"value_count": {"field": "clicks"}},
                    "newest_minute": {"max": {"field": "minute"}},
                    "newest_published_at": {"max": {"field": "published_at"}},
                },
                aggregations.during(minutes_between(since, until)),
            )
        )
        if not found:
            return CountTotals(clicks=0, keys=0, newest_minute=None, newest_published_at=None)
        return CountTotals(
            clicks=aggregations.clicks(found),
            keys=found["keys"]["value"],
            newest_minute=time_in(found["newest_minute"]),
            newest_published_at=time_in(found["newest_published_at"]),
        )

    def freshness(self) -> Freshness:
        """How far the counts have come by now: 1 search, 2 when nothing was counted in the last minutes."""
        asked_at = self._clock()
        freshness = self._freshness_of(last_minutes(RECENT, asked_at), asked_at)
        if freshness.newest_published_at is None:
            freshness = self._freshness_of(last_minutes(LONGER_LOOK, asked_at), asked_at)
        return freshness

    def _freshness_of(self, minutes: Minutes, asked_at: datetime) -> Freshness:
        newest = aggregations.newest(asked_at - DELIVERY)
        found = self._search(aggregations.body(newest, aggregations.during(minutes)))
        return freshness_in(found, asked_at=asked_at, since=minutes.since, progress=self._progress())

    def _question(
        self, last: timedelta, segment: Segment, until: datetime | None, within: timedelta | None = None
    ) -> Question:
        return self._about(last_minutes(last, until or self._clock()), segment, _deadline(within))

    def _about(
        self,
        minutes: Minutes,
        segment: Segment,
        deadline: float | None = None,
        filters: Sequence[Aggregation] = (),
    ) -> Question:
        search = self._search if deadline is None else partial(self._search, deadline=deadline)
        return Question(
            search, minutes, segment, asked_at=self._clock(), progress=self._progress(), filters=filters
        )


class UnconnectedReader(TrendingReader):
    """Refuses what is wrong as it is asked; all else it answers with `problem`, the reason why nothing can be
    asked of OpenSearch."""

    def __init__(self, problem: TrendsError) -> None:
        def search(*_: object, **__: object) -> dict[str, Any]:
            raise problem

        self._search = search  # type: ignore[assignment]  # it is only ever called
        self._clock = _now
        self._progress = not_asked


def connect(
    endpoint: str,
    session: boto3.Session | None = None,
    role_arn: str | None = None,
    region: str = OREGON,
    *,
    max_attempts: int = MAX_ATTEMPTS,
    environment: str | None = None,
) -> TrendingReader:
    """A reader that signs with the session's identity, or with `role_arn` assumed by it (and renewed).

    max_attempts: how often a search is asked that may be retried; environment: its name, as `production`,
    without which no minute is known to be complete. Raises TrendsError.
    """
    refuse_empty(role_arn=role_arn, region=region, environment=environment)
    session = session or own_session()
    credentials = signing_credentials(session, role_arn, region)
    progress: Progress = not_asked
    if environment is not None:
        reads_as = role_session(session, role_arn, region) if role_arn else session
        try:
            progress = connect_progress(reads_as, environment, region)
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is none
            raise QuestionError(
                f"no metrics can be read in {region}: {error}. Check --domain-region"
            ) from error
    return TrendingReader(endpoint, credentials, region, max_attempts=max_attempts, progress=progress)


def _wanted(groupings: Iterable[Grouping], limit: int, min_clicks: int) -> Wanted:
    _check_limit(limit)
    _check_min_clicks(min_clicks)
    return Wanted(groupings=checked_groupings(groupings), limit=limit, min_clicks=min_clicks)


def _deadline(within: timedelta | None) -> float | None:
    """By time.monotonic()."""
    return None if within is None else time.monotonic() + within.total_seconds()


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise QuestionError(f"{limit} articles can't be listed: ask for 1 to {MAX_LIMIT}")


def _check_min_clicks(min_clicks: int) -> None:
    if min_clicks < 1:
        raise QuestionError(f"a minimum of {min_clicks} clicks is none: ask for 1 or more")
