"""The one loop that asks for all viewers: its budget, and what it does when a question fails."""

import asyncio
import itertools
import json
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from batch_server import (
    Answer,
    Freshness,
    HeatMap,
    Minutes,
    Rising,
    Segment,
    TopOfSegments,
    Trend,
    TrendingArticle,
    TrendsError,
)
from batch_server.board.query_loop import MAX_SAVED, SECONDS_A_SEARCH, Budget, QueryLoop
from batch_server.board.questions import BoardQuestion, QuestionKind, questions_of_view
from contract.count import SEGMENT_COLUMNS

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ANSWERED: dict[str, Any] = {
    "minutes": Minutes(NOON - timedelta(minutes=10), NOON),
    "freshness": Freshness(
        asked_at=NOON, since=NOON, newest_minute=None, newest_published_at=None, delivered_until=None
    ),
}
HEAT_MAP = BoardQuestion(QuestionKind.HEAT_MAP, by=("gender",))


def _answer(question: BoardQuestion, searches: int = 1) -> Answer:
    fields: dict[str, Any] = {**ANSWERED, "searches": searches}
    if question.kind == QuestionKind.HEAT_MAP:
        article = TrendingArticle("記事\x1b", 7)
        segment = Segment(gender="male")
        return HeatMap(articles=(article,), segments=(segment,), segment_clicks=(9,), cells=((7,),), **fields)
    if question.kind == QuestionKind.RISING:
        return Rising(
            segment=Segment(), recent=ANSWERED["minutes"], recent_clicks=0, before_clicks=0, articles=(),
            found=0, compared=0, all_from=10, **fields,
        )  # fmt: skip
    if question.kind == QuestionKind.SEGMENTS:
        return TopOfSegments(lists={}, **fields)
    return Trend(step=timedelta(minutes=1), starts=(), series=(), **fields)


def test_a_budget_never_gives_more_than_one_search_in_two_seconds_and_what_was_saved() -> None:
    now = 0.0
    budget = Budget(lambda: now)
    spent = 0
    for step in range(1000):
        now = step * 0.37
        if budget.seconds_until_next() == 0:
            cost = 1 + step % 3
            budget.spend(cost)
            spent += cost
        assert spent <= MAX_SAVED + now / SECONDS_A_SEARCH + 2
    assert spent >= now / SECONDS_A_SEARCH


def test_many_viewers_cost_no_more_than_one_and_none_cost_nothing() -> None:
    asked: list[BoardQuestion] = []

    def ask(question: BoardQuestion) -> Answer:
        asked.append(question)
        return _answer(question)

    async def watch() -> None:
        loop = QueryLoop(ask, {})
        running = asyncio.create_task(loop.run())
        await asyncio.sleep(0.05)
        assert asked == []
        started = time.monotonic()
        with ExitStack() as viewers:
            for number in range(200):
                chosen = [("article", str(number))] if number % 2 else [("by", SEGMENT_COLUMNS[number % 3])]
                viewers.enter_context(loop.watching(questions_of_view(chosen)))
            while time.monotonic() - started < 3:
                await loop.change(timeout=0.1)
        assert len(asked) <= 2 * (MAX_SAVED + 3 / SECONDS_A_SEARCH + 1)
        assert {question.by for question in asked if question.kind == QuestionKind.HEAT_MAP} == {
            (column,) for column in SEGMENT_COLUMNS
        }
        left = len(asked)
        await asyncio.sleep(0.3)
        assert len(asked) == left
        running.cancel()

    asyncio.run(watch())


def test_a_slow_question_leaves_the_heat_map_live() -> None:
    heat_maps: list[float] = []

    def ask(question: BoardQuestion) -> Answer:
        if question.kind == QuestionKind.HEAT_MAP:
            heat_maps.append(time.monotonic())
        else:
            time.sleep(1.5)
        return _answer(question)

    async def watch() -> None:
        loop = QueryLoop(ask, {})
        running = asyncio.create_task(loop.run())
        with loop.watching(questions_of_view([])):
            while len(heat_maps) < 3:
                await loop.change(timeout=0.1)
        running.cancel()

    asyncio.run(watch())
    assert all(later - earlier < 2.6 for earlier, later in itertools.pairwise(heat_maps))


def test_a_question_that_fails_keeps_the_last_answer_and_says_why_until_one_is_answered_again() -> None:
    failing = [False]
    reasons = iter([TrendsError("the domain is away"), ValueError("a fault of the board")])

    def ask(question: BoardQuestion) -> Answer:
        if failing[0]:
            failing[0] = False
            raise next(reasons)
        return _answer(question)

    async def watch() -> None:
        loop = QueryLoop(ask, {"記事\x1b": "title\u202e"})
        running = asyncio.create_task(loop.run())
        with loop.watching([HEAT_MAP]):
            for expected in ("the domain is away", "the board failed (ValueError)"):
                while loop.answered(HEAT_MAP) is None or loop.problem:
                    await loop.change(timeout=5)
                first = loop.answered(HEAT_MAP)
                failing[0] = True
                while loop.problem is None:
                    await loop.change(timeout=5)
                assert loop.problem.startswith(expected)
                assert loop.answered(HEAT_MAP) == first
        running.cancel()
        told = json.loads(first.event if first else b"")
        assert told["articles"] == [
            {"id": "記事\x1b", "label": "title\N{REPLACEMENT CHARACTER}", "clicks": 7}
        ]
        assert told["cells"] == [[7]]

    asyncio.run(watch())


def test_answers_that_nobody_looks_at_are_not_kept_for_ever() -> None:
    async def watch() -> None:
        loop = QueryLoop(_answer, {}, clock=iter(range(0, 10**9, 100)).__next__)  # a budget that never ends
        running = asyncio.create_task(loop.run())
        for number in range(130):
            question = BoardQuestion(QuestionKind.SERIES, article_id=str(number))
            with loop.watching([question]):
                while loop.answered(question) is None:
                    await loop.change(timeout=5)
        kept = [
            loop.answered(BoardQuestion(QuestionKind.SERIES, article_id=str(number))) for number in range(130)
        ]
        assert kept[0] is None
        assert kept[129] is not None
        assert sum(answer is not None for answer in kept) == 100
        running.cancel()

    asyncio.run(watch())
