"""Asks the reader what a viewer looks at.

The answers about a past time say what is complete in it by how far the counts have come now: the newest
counts of that time itself would tell of less. How far they have come was read at most FRESHNESS_SECONDS
before.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from clients.batch_server.answers import Answer, Freshness
from clients.batch_server.divided_top import Told
from clients.batch_server.minutes import Minutes
from clients.batch_server.progress import RECENT
from clients.batch_server.reader import TrendingReader
from clients.batch_server.segment import EACH_COMBINATION, EACH_VALUE
from clients.board import article
from clients.board.article import RANKED, SideBySide
from clients.board.questions import (
    ALL_TOPS_SHOWN,
    ARTICLES_SHOWN,
    DIFFERENCES_SHOWN,
    TOPS_SHOWN,
    BoardQuestion,
    QuestionKind,
)
from clients.board.ranges import Covered, Spans
from contract.count import WINDOW

FRESHNESS_SECONDS = 10.0
NOTHING = timedelta(0)


class Asking:
    """asking(question): its answer; raises TrendsError. Several threads may ask."""

    def __init__(
        self,
        reader: TrendingReader,
        spans: Spans,
        clock: Callable[[], datetime],
        titles: Mapping[str, str] | None = None,
    ) -> None:
        """titles: article ids to what people call them."""
        self._reader = reader
        self._spans = spans
        self._clock = clock
        self._titles = {article_id: title.casefold() for article_id, title in (titles or {}).items()}
        self._fresh: tuple[float, Freshness] | None = None  # when by the monotonic clock

    def __call__(self, question: BoardQuestion, told: Told | None = None) -> Answer:
        """told: of a question of the long lane, between its parts."""
        now = self._clock()
        if question.kind == QuestionKind.FRESHNESS:
            freshness = self._freshness(NOTHING)
            return Answer(minutes=Minutes(now, now), freshness=freshness, searches=_searches(freshness))
        covered = question.range.covered(self._spans, now)
        if not question.range.is_fixed:
            return self._ask(question, covered, told)
        asked_before = self._fresh
        # Before the counts, so that what is told to be complete was so when they were read.
        freshness = self._freshness(timedelta(seconds=FRESHNESS_SECONDS))
        answer = self._ask(question, covered, told)
        asked = 0 if self._fresh is asked_before else _searches(freshness)
        return replace(answer, freshness=freshness, searches=answer.searches + asked)

    def _ask(  # noqa: PLR0911
        self, question: BoardQuestion, covered: Covered, told: Told | None
    ) -> Answer:
        reader, until, segment = self._reader, covered.until, question.segment
        match question.kind:
            case QuestionKind.HEAT_MAP:
                return reader.heat_map(covered.last, question.by, ARTICLES_SHOWN, until=until)
            case QuestionKind.SERIES:
                assert question.article_id is not None
                return reader.trend(
                    covered.long,
                    articles=[question.article_id],
                    segment=segment,
                    step=covered.step,
                    until=until,
                )
            case QuestionKind.CLICKS:
                return reader.trend(covered.long, step=covered.step, until=until)
            case QuestionKind.RISING:
                return reader.rising(covered.last, covered.before, limit=DIFFERENCES_SHOWN, until=until)
            case QuestionKind.COMPARE:
                return reader.compare(covered.long, segment, DIFFERENCES_SHOWN, until=until)
            case QuestionKind.SEGMENTS:
                shorter = min(covered.long, self._spans.before)
                return reader.top_of_segments(shorter, EACH_VALUE, limit=1, until=until)
            case QuestionKind.ABOUT:
                assert question.article_id is not None
                return article.view(reader, question.article_id, question.by, covered, self._spans)
            case QuestionKind.FOUND:
                wanted = question.text.casefold()
                titled = [article_id for article_id, title in self._titles.items() if wanted in title]
                return reader.find(covered.long, question.text, titled, until=until)
            case QuestionKind.TOPS if question.all_segments:
                return reader.top_of_segments(
                    covered.last, [(), *EACH_VALUE, *EACH_COMBINATION], ALL_TOPS_SHOWN, until=until, told=told
                )
            case QuestionKind.TOPS:
                return reader.top_of_segments(covered.last, [(), question.by], TOPS_SHOWN, until=until)
            case QuestionKind.SIDE:
                one = reader.top(covered.last, segment, RANKED, until=until)
                other = reader.top(covered.last, question.beside, RANKED, until=until)
                return SideBySide(
                    minutes=one.minutes,
                    freshness=one.freshness,
                    searches=one.searches + other.searches,
                    segments=(one.segment, other.segment),
                    lists=(one.top, other.top),
                )
            case _:
                raise TypeError(f"nothing is asked for {question.kind}")

    def _freshness(self, not_older: timedelta) -> Freshness:
        asked_at = time.monotonic()
        known = self._fresh
        if known is not None and asked_at - known[0] < not_older.total_seconds():
            return known[1]
        freshness = self._reader.freshness()
        self._fresh = (asked_at, freshness)
        return freshness


def _searches(freshness: Freshness) -> int:
    """That TrendingReader.freshness took: a second one looks further back."""
    return 1 if freshness.asked_at - freshness.since <= RECENT + WINDOW else 2
