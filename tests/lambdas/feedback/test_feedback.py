"""Runs of the function against an emulated table: what web servers see after each."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ReadTimeoutError

from clients.batch_server import EACH_VALUE, ReadProgress, Segment, TopOfSegments, TrendingReader, TrendsError
from clients.batch_server.search import REQUEST_TIMEOUT_SECONDS
from contract.click import ARRIVAL
from contract.count import start_of_count
from contract.event_time import format_time
from lambdas.feedback.feedback import RESERVE_SECONDS, WRITING_SECONDS, RankingFeedback
from lambdas.feedback.table import RankingTable
from tests.clients.batch_server.recording_server import never_answering
from tests.lambdas.feedback.conftest import (
    ENOUGH_SECONDS,
    FEMALE,
    MALE,
    NOON,
    Counts,
    Service,
    configuration_of,
    counted,
)

MINUTE = timedelta(minutes=1)
BOTH = {FEMALE: {"a": 9, "b": 5}, MALE: {"c": 4}}
LATER = NOON + MINUTE


def after(seconds: float, lists: Any = None, **freshness: Any) -> TopOfSegments:
    """The counts this long after noon."""
    return counted(BOTH if lists is None else lists, NOON + timedelta(seconds=seconds), **freshness)


def test_each_segment_has_one_item_with_ranking_and_age(service: Service) -> None:
    outcome = service.run(counted(BOTH))
    assert (outcome.written, outcome.problems, outcome.age_seconds) == (2, [], 8)
    item = service.client.get_item(TableName=service.name, Key={"segment": {"S": "gender=female"}})["Item"]
    noon = int(NOON.timestamp())
    assert item == {
        "segment": {"S": "gender=female"},
        "articles": {"L": [{"S": "a"}, {"S": "b"}]},
        "clicks": {"L": [{"N": "9"}, {"N": "5"}]},
        "counted_until": {"S": "2026-01-31T12:00:22.000Z"},
        "computed_at": {"S": "2026-01-31T12:00:30.000Z"},
        "complete_until": {"S": format_time(start_of_count(NOON - timedelta(seconds=18 + 30)))},
        "fresh_until": {"N": str(noon + 480)},
        "expires_at": {"N": str(noon + 72 * 3600)},
    }


@pytest.mark.parametrize(
    "progress",
    [
        ReadProgress(problem="CloudWatch is away"),
        ReadProgress(read_until=NOON - 10 * MINUTE, behind=10 * MINUTE),
        ReadProgress(read_until=NOON - 11 * MINUTE, behind=MINUTE),
    ],
)
def test_minutes_that_are_unread_stay_unwritten(service: Service, progress: ReadProgress) -> None:
    """However new the counts are; once read, they are written."""
    service.run(counted(BOTH))
    before = service.seen()
    outcome = service.run(after(60, {FEMALE: {"z": 99}}, progress=progress))
    assert (outcome.written, outcome.problems, outcome.not_known) == (0, [], progress.problem)
    assert outcome.age_seconds == 60 + 8
    assert service.seen() == before
    assert service.run(after(120, {FEMALE: {"z": 99}})).written == 1


def test_a_ranking_says_until_when_clicks_were_read(service: Service) -> None:
    read_until = NOON - 4 * MINUTE
    service.run(counted(BOTH, progress=ReadProgress(read_until=read_until, behind=timedelta(0))))
    assert service.seen()["gender=male"].complete_until == start_of_count(read_until - ARRIVAL)


def test_the_query_follows_the_settings(service: Service) -> None:
    counts = Counts(counted(BOTH))
    configuration = configuration_of(segments=["each value"], window_minutes=30, articles=7, min_clicks=3)
    service.feedback(counts, configuration=configuration).run(ENOUGH_SECONDS)
    assert counts.asked == [(30 * MINUTE, EACH_VALUE, 7, 3)]


def test_only_changed_rankings_are_written(service: Service) -> None:
    service.run(counted(BOTH))
    outcome = service.run(after(60, {**BOTH, FEMALE: {"b": 10, "a": 9}}))
    assert (outcome.written, outcome.unchanged) == (1, 1)
    assert service.articles() == {"gender=female": ("b", "a"), "gender=male": ("c",)}
    assert service.seen()["gender=male"].computed_at == NOON


def test_an_unchanged_ranking_is_refreshed_before_it_is_out_of_date(service: Service) -> None:
    service.run(counted(BOTH))
    assert service.run(after(299)).written == 0
    outcome = service.run(after(300))
    assert (outcome.written, outcome.unchanged) == (2, 0)
    assert service.seen()["gender=male"].computed_at == NOON + 5 * MINUTE


def test_an_older_run_never_overwrites_a_newer_one(service: Service) -> None:
    service.run(after(60, {FEMALE: {"new": 3}}))
    # It read before the newer run and writes after it, so it does not know of the newer one.
    slow = service.feedback(Counts(counted(BOTH)), client=BlindToOthers(service.client))
    outcome = slow.run(ENOUGH_SECONDS)
    assert (outcome.overtaken, outcome.written, outcome.problems) == (1, 1, [])
    assert service.articles() == {"gender=female": ("new",), "gender=male": ("c",)}


def test_the_later_of_two_runs_on_the_same_counts_wins(service: Service) -> None:
    same = {"newest_published_at": NOON}
    service.run(after(20, {FEMALE: {"later": 3}}, **same))
    blind = BlindToOthers(service.client)
    assert service.run(after(10, {FEMALE: {"earlier": 3}}, **same), client=blind).overtaken == 1
    assert service.run(after(30, {FEMALE: {"latest": 3}}, **same), client=blind).written == 1
    assert service.articles() == {"gender=female": ("latest",)}


@pytest.mark.parametrize("wrong", [timedelta(hours=1), timedelta(days=365)])
def test_a_wrong_clocks_ranking_is_replaced(service: Service, wrong: timedelta) -> None:
    service.run(counted({FEMALE: {"future": 3}}, NOON + wrong))
    assert service.run(counted({FEMALE: {"now": 3}})).written == 1
    assert service.articles() == {"gender=female": ("now",)}


@pytest.mark.parametrize(("seconds_ahead", "written"), [(120, 0), (121, 1)])
def test_a_newer_ranking_is_overwritten_only_if_too_far_in_the_future(
    service: Service, seconds_ahead: float, written: int
) -> None:
    """By the table's condition: the run has not seen another's concurrent write."""
    ahead = NOON + timedelta(seconds=seconds_ahead)
    service.run(counted({FEMALE: {"ahead": 3}}, ahead, newest_published_at=ahead))
    outcome = service.run(counted({FEMALE: {"now": 3}}), client=BlindToOthers(service.client))
    assert (outcome.written, outcome.overtaken) == (written, 1 - written)


def test_a_function_with_a_slow_clock_overwrites_nothing(service: Service) -> None:
    service.run(counted(BOTH))
    behind = counted({FEMALE: {"wrong": 3}}, NOON - 10 * MINUTE, newest_published_at=NOON)
    assert service.run(behind).unfit == "clock"
    assert service.articles()["gender=female"] == ("a", "b")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (after(60, {}), "empty"),
        (after(60, {FEMALE: {}, MALE: {}}), "empty"),
        (after(60, newest_minute=None, newest_published_at=None, delivered_until=None), "empty"),
        (after(600, {FEMALE: {"x": 1}}, newest_published_at=NOON), "stale"),
        (after(600, {FEMALE: {"x": 1}}, newest_minute=NOON), "behind"),
        (after(60, {FEMALE: {"x": 1}}, delivered_until=None), "incomplete"),
    ],
)
def test_empty_stale_or_partial_input_leaves_rankings_and_their_age(
    service: Service, answer: TopOfSegments, why: str
) -> None:
    service.run(counted(BOTH))
    good = service.seen()
    outcome = service.run(answer)
    assert (outcome.unfit, outcome.written) == (why, 0)
    assert service.seen() == good
    assert outcome.age_seconds == (answer.freshness.asked_at - NOON).total_seconds() + 8


def test_a_failed_search_leaves_rankings_and_is_reported(service: Service) -> None:
    service.run(counted(BOTH))
    good = service.seen()
    outcome = service.run(TrendsError("some of its data is missing"), now=LATER)
    assert outcome.problems == ["some of its data is missing"]
    assert (service.seen(), outcome.age_seconds) == (good, 68)


def test_unanswered_searches_fail_in_time_and_leave_rankings(
    service: Service,
) -> None:
    service.run(counted(BOTH))
    good = service.seen()
    with never_answering() as endpoint:
        feedback = RankingFeedback(
            configuration_of(),
            TrendingReader(endpoint, Credentials("AKIDEXAMPLE", "secret")),
            RankingTable(service.client, service.name),
            clock=lambda: LATER,
        )
        began = time.monotonic()
        outcome = feedback.run(RESERVE_SECONDS + WRITING_SECONDS + 2.0)
        took = time.monotonic() - began
    [problem] = outcome.problems
    assert "did not answer in time" in problem
    assert took < REQUEST_TIMEOUT_SECONDS
    assert (service.seen(), outcome.age_seconds) == (good, 68)


def test_searches_leave_time_for_the_writes(service: Service) -> None:
    counts = Counts(counted(BOTH))
    service.feedback(counts).run(ENOUGH_SECONDS)
    assert counts.within is not None
    left = ENOUGH_SECONDS - counts.within.total_seconds()
    assert RESERVE_SECONDS + WRITING_SECONDS <= left < ENOUGH_SECONDS / 2


def test_a_vanished_segment_keeps_its_ranking_until_it_expires(service: Service) -> None:
    service.run(counted(BOTH))
    for minutes in range(5, 60, 5):
        service.run(after(60 * minutes, {FEMALE: {"a": 9}}))
    male = service.seen()["gender=male"]
    assert (male.articles, male.computed_at) == (("c",), NOON)
    assert male.expires_at == int((NOON + timedelta(hours=72)).timestamp())


def test_nothing_expires_while_counts_stand_still(service: Service) -> None:
    service.run(counted(BOTH))
    for hours in range(12, 24 * 14, 12):
        now = NOON + timedelta(hours=hours)
        service.run(TrendsError("OpenSearch cannot be reached"), now=now)
        assert all(ranking.expires_at > now.timestamp() + 24 * 3600 for ranking in service.seen().values())
    assert service.articles() == {"gender=female": ("a", "b"), "gender=male": ("c",)}
    assert {ranking.computed_at for ranking in service.seen().values()} == {NOON}


def test_concurrent_runs_leave_the_newer_ranking_in_every_item(service: Service) -> None:
    segments = [Segment(region=f"r{number}") for number in range(40)]
    together = threading.Barrier(2)

    def run(seconds: int) -> None:
        answer = after(seconds, {segment: {f"of-{seconds}": 3} for segment in segments})
        feedback = service.feedback(Counts(answer), client=BlindToOthers(service.client))
        together.wait()
        feedback.run(ENOUGH_SECONDS)

    with ThreadPoolExecutor() as pool:
        list(pool.map(run, (1, 2)))
    assert set(service.articles().values()) == {("of-2",)}
    assert len(service.articles()) == 40


class BlindToOthers:
    """A client that sees an empty table: all items came later."""

    def __init__(self, client: Any, refuse: Callable[[str], Exception | None] = lambda _: None) -> None:
        self._client = client
        self._refuse = refuse

    def get_paginator(self, _: str) -> "BlindToOthers":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": []}]

    def put_item(self, **request: Any) -> Any:
        if error := self._refuse(request["Item"]["segment"]["S"]):
            raise error
        return self._client.put_item(**request)


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "PutItem")
NO_ANSWER = ReadTimeoutError(endpoint_url="https://dynamodb")
UNREADABLE_ANSWER = AttributeError("'list' object has no attribute 'get'")  # of botocore, for an answer of []


@pytest.mark.parametrize("error", [THROTTLED, NO_ANSWER, UNREADABLE_ANSWER])
def test_a_failed_write_is_reported_and_the_others_go_on(service: Service, error: Exception) -> None:
    refusing = BlindToOthers(service.client, lambda key: error if key == "gender=female" else None)
    outcome = service.run(counted(BOTH), client=refusing)
    assert (outcome.written, outcome.failed) == (1, 1)
    [problem] = outcome.problems
    assert problem.startswith("'gender=female' was not written: ")
    assert service.articles() == {"gender=male": ("c",)}
    assert service.run(after(60)).written == 1  # the next run writes the rest
    assert service.articles() == {"gender=female": ("a", "b"), "gender=male": ("c",)}


def test_a_write_retried_after_a_lost_answer_succeeds(service: Service) -> None:
    class Repeating(BlindToOthers):
        def put_item(self, **request: Any) -> Any:
            super().put_item(**request)
            return super().put_item(**request)  # as botocore does

    outcome = service.run(counted(BOTH), client=Repeating(service.client))
    assert (outcome.written, outcome.overtaken, outcome.problems) == (2, 0, [])


def test_a_write_begins_only_if_it_can_end_in_time(service: Service) -> None:
    outcome = service.feedback(Counts(counted(BOTH))).run(5.0)
    assert (outcome.written, outcome.failed) == (0, 2)
    assert "no time was left to write 'gender=female'" in outcome.problems
    assert service.seen() == {}


def test_an_unreadable_table_is_reported_before_any_search(service: Service) -> None:
    counts = Counts(counted(BOTH))
    outcome = replace_table(service, "no-such-table").feedback(counts).run(ENOUGH_SECONDS)
    assert "cannot be read" in outcome.problems[0]
    assert (counts.asked, outcome.age_seconds) == ([], None)


def replace_table(service: Service, name: str) -> Service:
    return replace(service, name=name)


def test_an_item_that_is_no_ranking_is_reported_and_replaced(service: Service) -> None:
    for key, attributes in (
        ("gender=female", {}),
        ("gender=male", {"counted_until": {"N": "5"}}),
    ):
        service.client.put_item(TableName=service.name, Item={"segment": {"S": key}, **attributes})
    outcome = service.run(counted(BOTH))
    assert sum("is no ranking" in problem for problem in outcome.problems) == 2
    assert service.articles() == {"gender=female": ("a", "b"), "gender=male": ("c",)}
    assert service.run(after(60)).problems == []


def test_a_foreign_item_without_clicks_is_reported_until_deleted(
    service: Service,
) -> None:
    key = {"segment": {"S": "gender=other"}}
    service.client.put_item(TableName=service.name, Item=key)
    for seconds in (0, 60):
        outcome = service.run(after(seconds))
        assert [problem for problem in outcome.problems if "'gender=other' is no ranking" in problem]
        assert set(service.articles()) >= {"gender=female", "gender=male"}
    service.client.delete_item(TableName=service.name, Key=key)
    assert service.run(after(120)).problems == []


HOSTILE = [
    "<b>",
    "\x00\x1b[2J",
    "'; DROP TABLE",
    "🗞️" * 128,
    "記事-1",
    " ",
    '"}',
    "%00&=",
    "\u202e",
    "e\u0301",
]


def test_article_ids_and_segments_keep_any_characters(service: Service) -> None:
    clicks = {article_id: 99 - place for place, article_id in enumerate(HOSTILE)}
    service.run(counted({Segment(region=value): clicks for value in HOSTILE}))
    assert len(service.seen()) == len(HOSTILE)
    assert set(service.articles().values()) == {tuple(HOSTILE)}


def test_seven_hundred_segments_are_written_in_one_run(service: Service) -> None:
    lists = {Segment(region=f"r{number}"): {"a": 3} for number in range(700)}
    assert service.run(counted(lists)).written == 700
    assert service.run(after(60, lists)).unchanged == 700  # more than a page of a scan or not


def test_an_items_times_compare_as_text() -> None:
    times = [NOON, NOON + timedelta(milliseconds=1), NOON + MINUTE, NOON + timedelta(days=365)]
    assert sorted(map(format_time, times)) == list(map(format_time, times))
