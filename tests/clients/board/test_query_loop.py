"""The one loop that asks for all viewers: its budget, and what it does when a question fails."""

import asyncio
import itertools
import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.batch_server import (
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
from clients.board.query_loop import MAX_SAVED, SECONDS_A_SEARCH, Budget, QueryLoop
from clients.board.questions import BoardQuestion, QuestionKind, questions_of_view
from contract.count import SEGMENT_COLUMNS
from tests.clients.board.virtual_time import clock, run_at_once

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ANSWERED: dict[str, Any] = {
    "minutes": Minutes(NOON - timedelta(minutes=10), NOON),
    "freshness": Freshness(
        asked_at=NOON, since=NOON, newest_minute=None, newest_published_at=None, delivered_until=None
    ),
}
HOUR = 3600
HEAT_MAP = BoardQuestion(QuestionKind.HEAT_MAP, by=("gender",))


def _answer(question: BoardQuestion, searches: int = 1) -> Answer:
    fields: dict[str, Any] = {**ANSWERED, "searches": searches}
    if question.kind == QuestionKind.HEAT_MAP:
        article = TrendingArticle("記事\x1b", 7)
        segment = Segment(gender="male")
        return HeatMap(
            articles=(article,), cut=False, segments=(segment,), segment_clicks=(9,), cells=((7,),), **fields
        )
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
        loop = QueryLoop(ask, {}, clock)
        running = asyncio.create_task(loop.run())
        await asyncio.sleep(HOUR)
        assert asked == []
        with ExitStack() as viewers:
            for number in range(200):
                chosen = [("article", str(number))] if number % 2 else [("by", SEGMENT_COLUMNS[number % 3])]
                viewers.enter_context(loop.watching(questions_of_view(chosen)))
            await asyncio.sleep(60)
        assert len(asked) <= 2 * (MAX_SAVED + 60 / SECONDS_A_SEARCH + 1)
        assert {question.by for question in asked if question.kind == QuestionKind.HEAT_MAP} == {
            (column,) for column in SEGMENT_COLUMNS
        }
        left = len(asked)
        await asyncio.sleep(HOUR)
        assert len(asked) == left
        running.cancel()

    run_at_once(watch())


def test_a_slow_question_leaves_the_heat_map_live() -> None:
    heat_maps = _times_of_heat_maps(
        seconds=120, seconds_of=lambda question: 0 if _is_heat_map(question) else 19
    )
    assert all(later - earlier <= 2 for earlier, later in itertools.pairwise(heat_maps))


def test_over_midnight_a_heat_map_of_two_searches_stays_live_and_the_budget_holds() -> None:
    asked: list[tuple[float, BoardQuestion]] = []
    times = _times_of_heat_maps(
        seconds=20 * 60, searches_of=lambda question: 2 if _is_heat_map(question) else 1, asked=asked
    )
    assert all(later - earlier <= 2.5 for earlier, later in itertools.pairwise(times))
    searches = [(at, 2 if _is_heat_map(question) else 1) for at, question in asked]
    for start in range(0, 20 * 60, 60):
        spent = sum(number for at, number in searches if start <= at < start + 60)
        assert spent <= 60 + (2 * MAX_SAVED if start < 120 else 3)
    for question in questions_of_view([("article", "a")]):
        each = [at for at, other in asked if other == question]
        assert all(later - earlier <= 100 for earlier, later in itertools.pairwise(each))


def test_a_question_that_was_just_chosen_is_answered_soon_over_midnight_too() -> None:
    async def watch() -> float:
        loop = QueryLoop(lambda question: _answer(question, 2 if _is_heat_map(question) else 1), {}, clock)
        running = asyncio.create_task(loop.run())
        with loop.watching(questions_of_view([("compare.gender", "male")])):
            await asyncio.sleep(10 * 60)
            chosen = questions_of_view([("article", "a")])
            with loop.watching(chosen):
                start = clock()
                while loop.answered(chosen[2]) is None:
                    await loop.change(timeout=1)
        running.cancel()
        return clock() - start

    assert run_at_once(watch()) <= 8


def _is_heat_map(question: BoardQuestion) -> bool:
    return question.kind == QuestionKind.HEAT_MAP


def _times_of_heat_maps(
    *,
    seconds: float,
    seconds_of: Callable[[BoardQuestion], float] = lambda _: 0.0,
    searches_of: Callable[[BoardQuestion], int] = lambda _: 1,
    asked: list[tuple[float, BoardQuestion]] | None = None,
) -> list[float]:
    """When heat maps were asked for one viewer. seconds_of: how long a question takes; asked: takes all."""
    asked = [] if asked is None else asked

    def ask(question: BoardQuestion) -> Answer:
        asked.append((clock(), question))
        return _answer(question, searches_of(question))

    async def watch() -> None:
        loop = QueryLoop(ask, {}, clock)
        running = asyncio.create_task(loop.run())
        with loop.watching(questions_of_view([("article", "a"), ("compare.gender", "male")])):
            await asyncio.sleep(seconds)
        running.cancel()

    run_at_once(watch(), seconds_of=seconds_of)
    return [at for at, question in asked if _is_heat_map(question)]


def test_a_failed_question_keeps_the_last_answer_and_says_why_until_the_next_one() -> None:
    failing = [False]
    reasons = iter([TrendsError("the domain is away"), ValueError("a fault of the board")])

    def ask(question: BoardQuestion) -> Answer:
        if failing[0]:
            failing[0] = False
            raise next(reasons)
        return _answer(question)

    async def watch() -> None:
        loop = QueryLoop(ask, {"記事\x1b": "title\u202e"}, clock)
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

    run_at_once(watch())


def test_opensearch_is_read_again_within_seconds_of_its_return() -> None:
    back_at = 600.0
    answered: list[float] = []

    def ask(question: BoardQuestion) -> Answer:
        if clock() < back_at:
            raise TrendsError("the domain is away")
        answered.append(clock())
        return _answer(question)

    async def watch() -> None:
        loop = QueryLoop(ask, {}, clock)
        running = asyncio.create_task(loop.run())
        with loop.watching(questions_of_view([("article", "a")])):
            await asyncio.sleep(back_at + 5)
            assert loop.problem is None
        running.cancel()

    run_at_once(watch())
    assert answered[0] - back_at <= 4


def test_answers_that_nobody_looks_at_are_not_kept_for_ever() -> None:
    async def watch() -> None:
        loop = QueryLoop(_answer, {}, clock)
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

    run_at_once(watch())
