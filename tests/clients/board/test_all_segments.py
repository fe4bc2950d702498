"""The top of all segments: asked in parts, with what is answered told, and never in the way of the rest."""

import asyncio
import csv
import io
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from clients.batch_server import Answer, TopOfSegments, TrendingReader, TrendsError, divided_top, reader
from clients.board.query_loop import PartsAnswered, QueryLoop
from clients.board.questions import SECONDS_BETWEEN_LONG, BoardQuestion, QuestionKind, questions_of_view
from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.board.conftest import KEYS, Clock, Look, StartBoard, all_read
from tests.clients.board.pages import MINUTE, Switch, heat_map
from tests.clients.board.test_query_loop import ANSWERED

ALL = BoardQuestion(QuestionKind.TOPS, all_segments=True)
ANSWER = TopOfSegments(lists={}, **ANSWERED, searches=30)


async def _until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.002)


def test_all_segments_are_asked_beside_the_budget_and_half_of_the_time_at_most() -> None:
    now, others = 0.0, 0
    pauses: list[float] = []

    def ask(_: BoardQuestion, told: Callable[[int, int], None] | None = None) -> Answer:
        nonlocal now, others
        if told is None:
            others += 1
            return Answer(**ANSWERED, searches=1)
        for done in range(4):
            told(done, 3)
            now += 0.7  # of a part
        return ANSWER

    async def watch() -> None:
        loop = QueryLoop(ask, {}, clock=lambda: now, pause=pauses.append)
        running = asyncio.create_task(loop.run())
        with loop.watching([ALL]):
            await _until(lambda: loop.answered(ALL))
            assert loop.parts(ALL) is None
            assert pauses == pytest.approx([0, 0.7, 0.7])
        freshness = BoardQuestion(QuestionKind.FRESHNESS)
        with loop.watching([freshness]):
            await _until(lambda: loop.answered(freshness))  # the thirty searches are not in its way
        running.cancel()

    asyncio.run(watch())
    assert others >= 1
    assert ALL.seconds_between == SECONDS_BETWEEN_LONG


def test_what_is_answered_is_told_and_nothing_more_is_asked_for_nobody() -> None:
    go, asked = threading.Semaphore(0), []

    def ask(_: BoardQuestion, told: Callable[[int, int], None]) -> Answer:
        for done in range(3):
            go.acquire()
            told(done, 2)
            asked.append(done)
        return ANSWER

    async def watch() -> None:
        loop = QueryLoop(ask, {}, pause=lambda _: None)
        running = asyncio.create_task(loop.run())
        with loop.watching([ALL]):
            go.release(2)
            await _until(lambda: loop.parts(ALL) == PartsAnswered(1, 2))
        go.release()
        await _until(lambda: loop.parts(ALL) is None)
        assert asked == [0, 1]
        assert loop.answered(ALL) is None
        assert loop.problem is None
        go.release(3)
        with loop.watching([ALL]):  # who comes back is answered
            await _until(lambda: loop.answered(ALL))
        running.cancel()

    asyncio.run(watch())


def test_why_a_long_question_failed_is_told_until_nobody_asks_it() -> None:
    def ask(_: BoardQuestion, told: Callable[[int, int], None]) -> Answer:
        told(0, 2)
        raise TrendsError("OpenSearch is away")

    async def watch() -> None:
        loop = QueryLoop(ask, {}, pause=lambda _: None)
        running = asyncio.create_task(loop.run())
        with loop.watching([ALL]):
            await _until(lambda: loop.problem == "OpenSearch is away")
        assert loop.problem is None
        running.cancel()

    asyncio.run(watch())


def test_a_long_question_that_fails_is_not_begun_again_for_a_minute() -> None:
    now, asked = 0.0, 0

    def ask(_: BoardQuestion, told: Callable[[int, int], None]) -> Answer:
        nonlocal asked
        asked += 1
        told(0, 2)
        raise TrendsError("OpenSearch is away")

    async def watch() -> None:
        nonlocal now
        loop = QueryLoop(ask, {}, clock=lambda: now, pause=lambda _: None)
        running = asyncio.create_task(loop.run())
        with loop.watching([ALL]):
            await _until(lambda: asked == 1 and loop.problem)
            for seconds, expected in ((59.0, 1), (60.5, 2)):
                now = seconds
                with loop.watching([ALL]):  # wakes the loop
                    await asyncio.sleep(0.05)
                assert asked == expected
        running.cancel()

    asyncio.run(watch())


def test_the_address_asks_for_all_segments_or_for_those_of_a_column() -> None:
    chosen = {
        tops: [each for each in questions_of_view([("tops", tops)]) if each.kind == QuestionKind.TOPS]
        for tops in ("all", "1")
    }
    assert chosen["all"] == [ALL]
    assert [each.all_segments for each in chosen["1"]] == [False]


class _HeldReader(Switch):
    """Waits in the middle of the parts."""

    def __init__(self, reader: TrendingReader) -> None:
        super().__init__(reader)
        self.go = threading.Event()

    def top_of_segments(self, *arguments: Any, **options: Any) -> TopOfSegments:
        told = options.pop("told", None)
        if told is None:
            return self.reader.top_of_segments(*arguments, **options)

        def held(done: int, of: int) -> None:
            told(done, of)
            if done == 2:
                assert self.go.wait(30)

        return self.reader.top_of_segments(*arguments, told=held, **options)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divided_top, "MAX_COUNTS", 10)
    monkeypatch.setattr(reader, "MAX_AT_ONCE", MINUTE)


@pytest.mark.usefixtures("small_parts")
def test_the_page_shows_how_many_parts_are_answered_then_every_segment(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    minute = clock().replace(second=0, microsecond=0) - 3 * MINUTE
    add_counts(
        count(minute, f"<b>{region}</b>" if region == 7 else "news", 3, gender=gender, region=f"r{region:02}")
        for region in range(25)
        for gender in ("female", "male")
    )
    held = _HeldReader(TrendingReader(opensearch, KEYS, clock=clock, progress=all_read(clock)))
    page = look(f"{start_board(reader=held)}/?tops=1", accept_downloads=True)
    page.get_by_label("all segments").check()
    told = page.locator("#tops-parts")
    expect(told).to_contain_text("2 of ")
    assert page.get_by_role("progressbar").evaluate("bar => [bar.value, bar.max > 2]") == [2, True]
    expect(page.get_by_role("progressbar", name="parts answered")).to_be_visible()
    expect(heat_map(page)).to_be_visible()  # nothing else waits for it
    assert "tops=all" in page.url
    held.go.set()
    expect(told).to_be_hidden()
    rows = page.locator("#tops tbody tr")
    whole = held.reader.top_of_segments(timedelta(minutes=10), [("region",), ("gender",)], until=clock())
    expect(rows).to_have_count(1 + 2 + 1 + 25 + 50)
    expect(rows.first.locator("th")).to_contain_text("all readers")
    expect(page.locator("#tops").get_by_role("button", name="<b>7</b>").first).to_be_visible()
    expect(page.locator("#tops [data-download=png]")).to_be_disabled()  # wider than browsers draw
    with page.expect_download() as saved:
        page.locator("#tops [data-download=csv]").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8-sig")
    clicks = {
        line["segment"]: int(line["clicks"])
        for line in csv.DictReader(io.StringIO(text))
        if line["place"] == "1"
    }
    assert {segment.label: top.articles[0].clicks for segment, top in whole.lists.items()}.items() <= (
        clicks.items()
    )
