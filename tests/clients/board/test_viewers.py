"""Viewers over HTTP, without a browser: how many there may be, and those who take nothing or never leave."""

import asyncio
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from urllib.request import urlopen

import pytest

from clients.batch_server import Answer, Freshness, Minutes, Trend, TrendingReader
from clients.board import application as over_http
from clients.board.query_loop import QueryLoop
from clients.board.questions import BoardQuestion
from clients.board.server import Board, bind, running_board
from tests.clients.board.conftest import SPANS
from tests.clients.board.virtual_time import clock, run_at_once

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
EVENTS = b"GET /events?by=gender HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ENDS_WITHIN_SECONDS = 5.0


def _board(reader: Any) -> Board:
    return Board(reader=reader, spans=SPANS, time_zone="UTC")


def _hanging() -> mock.Mock:
    """A reader whose questions never end."""
    hangs = threading.Event().wait
    return mock.Mock(
        spec=TrendingReader,
        **{
            f"{name}.side_effect": lambda *_, **__: hangs()
            for name in ("heat_map", "trend", "rising", "top_of_segments")
        },
    )


def test_alarms_are_served_as_they_are_told_and_none_without() -> None:
    told = [{"name": "forwarder-Errors", "state": "ALARM", "runbook": "runbook.md#errors"}]
    for alarms, served in ((lambda: told, told), (None, [])):
        board = Board(reader=mock.Mock(spec=TrendingReader), spans=SPANS, time_zone="UTC", alarms=alarms)
        with running_board(board, bind(0)) as address, urlopen(f"{address}/alarms", timeout=10) as answer:
            assert json.load(answer) == served


def test_of_many_who_come_at_once_no_more_are_served_than_may_be() -> None:
    async def come(port: int) -> list[bytes]:
        opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(70)))
        for _, writer in opened:
            writer.write(EVENTS)
        first = await asyncio.gather(*(reader.readline() for reader, _ in opened))
        for _, writer in opened:
            writer.close()
        return first

    with running_board(_board(_hanging()), bind(0)) as address:
        port = int(address.rpartition(":")[2])
        first = asyncio.run(come(port))
        assert first.count(b"HTTP/1.1 200 OK\r\n") == over_http.MAX_VIEWERS
        assert first.count(b"HTTP/1.1 503 Service Unavailable\r\n") == 70 - over_http.MAX_VIEWERS
        # Those who left make room.
        ends = time.monotonic() + 20
        while b"200 OK" not in asyncio.run(_first_line(port)):
            assert time.monotonic() < ends


async def _first_line(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(EVENTS)
    line = await reader.readline()
    writer.close()
    return line


def test_a_board_that_is_told_to_end_does_not_wait_for_a_search_that_hangs() -> None:
    with running_board(_board(_hanging()), bind(0)) as address:
        assert b"200 OK" in asyncio.run(_first_line(int(address.rpartition(":")[2])))
        started = time.monotonic()
    assert time.monotonic() - started < ENDS_WITHIN_SECONDS


def test_a_viewer_who_takes_nothing_is_let_go_and_nothing_is_asked_for_it_any_more() -> None:
    loop_of_board: list[QueryLoop] = []

    async def look() -> float:
        loop = QueryLoop(_never, {}, clock)
        loop_of_board.append(loop)
        app = over_http.application(
            loop,
            SPANS,
            time_zone="UTC",
            reconciliations=None,
            served=None,
            alarms=None,
            refused=None,
            clock=lambda: NOON,
        )
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) > 3:
                assert loop.is_watched
                await asyncio.Event().wait()  # its buffers are full

        started = clock()
        await app(_scope(), _no_word, send)
        assert sent[0]["status"] == 200
        return clock() - started

    assert run_at_once(look()) == pytest.approx(over_http.MAX_STALLED_SECONDS, abs=5)
    assert not loop_of_board[0].is_watched


def _never(question: BoardQuestion) -> Answer:
    raise AssertionError(question)


async def _no_word() -> Any:
    await asyncio.Event().wait()


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/events",
        "raw_path": b"/events",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }


def test_ten_viewers_get_the_same_answer_of_one_search() -> None:
    reader = mock.Mock(spec=TrendingReader)
    reader.trend.return_value = Trend(
        minutes=Minutes(NOON - timedelta(hours=1), NOON),
        freshness=Freshness(
            asked_at=NOON, since=NOON, newest_minute=None, newest_published_at=None, delivered_until=None
        ),
        searches=1,
        step=timedelta(minutes=1),
        starts=(),
        series=(),
    )
    for name in ("heat_map", "rising", "top_of_segments"):
        getattr(reader, name).side_effect = lambda *_, **__: threading.Event().wait()

    async def look(port: int) -> list[bytes]:
        opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(10)))
        for _, writer in opened:
            writer.write(EVENTS)
        read = await asyncio.gather(*(each.readuntil(b"event: clicks\ndata: ") for each, _ in opened))
        answers = await asyncio.gather(*(each.readline() for each, _ in opened))
        for _, writer in opened:
            writer.close()
        assert len(read) == len(answers)
        return answers

    with running_board(_board(reader), bind(0)) as address:
        answers = asyncio.run(look(int(address.rpartition(":")[2])))
    assert len(answers) == 10
    assert len(set(answers)) == 1
    assert reader.trend.call_count == 1
