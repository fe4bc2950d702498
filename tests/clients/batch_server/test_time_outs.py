"""Searches that are not answered in time: how long the reader waits, and what it says then."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials

from clients.batch_server import TrendingReader, TrendsError, search
from clients.batch_server.search import CountSearch
from names import OREGON
from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.batch_server.recording_server import answering, never_answering

KEYS = Credentials("AKIDEXAMPLE", "secret")
MINUTE = timedelta(minutes=1)
SHORT = timedelta(seconds=0.5)
SEVERAL_ATTEMPTS = timedelta(seconds=5)


def test_an_unanswered_search_is_retried_once_then_fails_with_what_to_ask_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "REQUEST_TIMEOUT_SECONDS", 0.2)
    with (
        never_answering() as endpoint,
        pytest.raises(TrendsError, match=r"did not answer within 0.2 s, asked 2 times: ask for less") as told,
    ):
        TrendingReader(endpoint, KEYS).top_of_segments(MINUTE)
    for way_out in ("a shorter time", "--by one column in place of --all-segments", "the domain's load"):
        assert way_out in str(told.value)


def test_a_question_ends_with_its_time_though_a_search_could_wait_for_longer() -> None:
    began = time.monotonic()
    with (
        never_answering() as endpoint,
        pytest.raises(TrendsError, match="did not answer in time, asked once, with no time left for more"),
    ):
        TrendingReader(endpoint, KEYS).top_of_segments(MINUTE, within=SHORT)
    assert SHORT.total_seconds() <= time.monotonic() - began < search.REQUEST_TIMEOUT_SECONDS


def test_a_busy_domain_is_asked_again_only_while_there_is_time() -> None:
    with answering(503, answer={"message": "busy"}) as server:
        reader = TrendingReader(server.endpoint, KEYS, max_attempts=100)
        with pytest.raises(TrendsError, match="503: busy"):
            reader.top_of_segments(MINUTE, within=SEVERAL_ATTEMPTS)
    assert 1 < len(server.requests) < 100


def test_all_searches_of_a_question_share_its_time(
    reader_at: Callable[[datetime], TrendingReader],
    add_counts: AddCounts,
    day: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Across midnight there are several: the first is answered, and no other."""
    midnight = day + timedelta(days=1)
    add_counts(
        count(minute, f"a-{number:03}", 1 + number % 40)
        for minute in (midnight - MINUTE, midnight)
        for number in range(130)
    )
    reader = reader_at(midnight + MINUTE)
    first = reader._search
    deadlines: list[float | None] = []
    with never_answering() as endpoint:
        others = CountSearch(endpoint, KEYS, OREGON)

        def ask(body: Mapping[str, Any], deadline: float | None = None) -> dict[str, Any]:
            deadlines.append(deadline)
            return (first if len(deadlines) == 1 else others)(body, deadline)

        monkeypatch.setattr(reader, "_search", ask)
        with pytest.raises(TrendsError, match="did not answer in time"):
            reader.top_of_segments(2 * MINUTE, [()], 5, within=timedelta(seconds=3))
    assert len(deadlines) == 2
    assert len(set(deadlines)) == 1
    with pytest.raises(TrendsError, match="the time for the question was over before all of its searches"):
        reader_at(midnight + MINUTE).top_of_segments(2 * MINUTE, [()], 5, within=timedelta(0))
