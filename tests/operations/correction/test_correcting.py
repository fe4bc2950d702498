"""A correction on a real OpenSearch server, with days counted by the test and clicks that keep coming."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from contract.count import COUNT_KEY
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from lambdas.search_bootstrap.definitions import definitions
from names import counts_alias, day_index, delivery_index, generation_family
from operations.correction.correcting import Plan, carry_out, plan
from operations.correction.generations import Generations
from operations.operator import OperatorError, RefusedError
from operations.replay.domain import CountsDomain
from settings import Settings, load
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from tests.segments import segment

FAMILY = CLICK_COUNTS.index_family
ALIAS = counts_alias(FAMILY)
FIRST, SECOND = (generation_family(FAMILY, generation) for generation in (1, 2))
DAYS = [date(2001, 1, day) for day in (29, 30, 31)]
NOW = datetime(2001, 1, 31, 12, tzinfo=UTC)
Count = dict[str, Any]


def count(day: date, article: str, clicks: int, **columns: str) -> Count:
    at = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    times = {"minute": format_time(at), "published_at": format_time(at + timedelta(seconds=5))}
    return {**times, "article_id": article, **segment(), "clicks": clicks, **columns}


class CorrectedCounts:
    """Counts in the server, as they are delivered and as readers see them."""

    def __init__(self, domain: CountsDomain) -> None:
        self.domain = domain
        self.generations = Generations(domain, FAMILY)

    def deliver(self, family: str, *counts: Count) -> None:
        self.domain.put_counts(delivery_index(family), (json.dumps(each).encode() for each in counts))
        self.domain.ask("POST", f"/{FAMILY}*/_refresh")

    def seen(self) -> dict[tuple[str, ...], int]:
        """Clicks by key, as readers see them. Raises AssertionError for a key that is there twice."""
        answer = self.domain.ask("POST", f"/{ALIAS}/_search", {"size": 1000})
        found: dict[tuple[str, ...], int] = {}
        for hit in answer.get("hits", {"hits": []})["hits"]:
            key = tuple(hit["_source"][column] for column in COUNT_KEY)
            assert key not in found, f"{key} is seen twice"
            found[key] = hit["_source"]["clicks"]
        return found

    def clicks(self) -> dict[str, int]:
        """By article."""
        return {key[COUNT_KEY.index("article_id")]: clicks for key, clicks in self.seen().items()}


@pytest.fixture
def counts(opensearch: str) -> Iterator[CorrectedCounts]:
    domain = CountsDomain(opensearch, Credentials("AKIDEXAMPLE", "secret"), "us-west-2")
    _clean(domain)
    for definition in definitions(definition_properties(SearchSettings(instance_count=1))):
        if definition.body is not None:
            domain.ask("PUT", definition.path, definition.body)
    yield CorrectedCounts(domain)
    _clean(domain)
    for definition in definitions(definition_properties(SearchSettings(instance_count=1))):
        if definition.body is not None:
            domain.ask("PUT", definition.path, definition.body)


def _clean(domain: CountsDomain) -> None:
    for day in DAYS:
        for family in (FIRST, SECOND, generation_family(FAMILY, 3)):
            domain.ask("DELETE", f"/{day_index(family, day)}")


def settings_of(generation: int) -> Settings:
    production = load("production")
    analytics = production.analytics.model_copy(update={"counts_generation": generation})
    return production.model_copy(update={"analytics": analytics})


def written(*counts: Count) -> Any:
    """A run that counts these."""

    def count_days(_first: date, _last: date, out: Path) -> str:
        folder = out / CLICK_COUNTS.table
        folder.mkdir(parents=True)
        (folder / "part").write_text("".join(json.dumps(each) + "\n" for each in counts))
        return "counted"

    return count_days


def correct(counts: CorrectedCounts, wanted: Plan, *right: Count) -> None:
    carry_out(wanted, counts.domain, {FAMILY: counts.generations}, written(*right), lambda _: None)


WRONG = count(DAYS[0], "a", 9), count(DAYS[0], "b", 5), count(DAYS[1], "c", 4), count(DAYS[2], "d", 2)
OLD_DAY = Plan(days=(DAYS[0],), generation=2, live=False)


def test_counts_of_old_days_get_smaller_and_move_and_other_days_stay(counts: CorrectedCounts) -> None:
    counts.deliver(FIRST, *WRONG)
    correct(counts, OLD_DAY, count(DAYS[0], "a", 3), count(DAYS[0], "e", 11), count(DAYS[1], "c", 99))
    assert counts.clicks() == {"a": 3, "e": 11, "c": 4, "d": 2}
    counts.deliver(FIRST, count(DAYS[2], "d", 3))  # the application still counts into the first
    assert counts.clicks()["d"] == 3


def test_the_way_back_is_open_until_the_former_counts_are_deleted(counts: CorrectedCounts) -> None:
    counts.deliver(FIRST, *WRONG)
    before = counts.seen()
    for _ in range(2):
        correct(counts, OLD_DAY, count(DAYS[0], "a", 3))
        assert counts.clicks() == {"a": 3, "c": 4, "d": 2}
        counts.generations.undo(2, counted_into=1)
        assert counts.seen() == before
    correct(counts, OLD_DAY, count(DAYS[0], "a", 3))
    assert counts.generations.delete_old(2) == [day_index(FIRST, DAYS[0])]
    with pytest.raises(RefusedError, match="nothing to undo"):
        counts.generations.undo(2, counted_into=1)
    assert counts.clicks() == {"a": 3, "c": 4, "d": 2}


def test_a_correction_that_fails_shows_readers_nothing_and_can_be_given_again(
    counts: CorrectedCounts,
) -> None:
    counts.deliver(FIRST, *WRONG)
    before = counts.seen()
    with pytest.raises(OperatorError, match="refused a count"):
        correct(counts, OLD_DAY, count(DAYS[0], "a", 7), {**count(DAYS[0], "b", 1), "extra": 1})
    assert counts.seen() == before
    correct(counts, OLD_DAY, count(DAYS[0], "a", 3))  # smaller than what the failed attempt left behind
    assert counts.clicks() == {"a": 3, "c": 4, "d": 2}


def test_live_counting_goes_on_in_the_new_generation_and_no_reader_sees_a_gap(
    counts: CorrectedCounts,
) -> None:
    """The application counts the stream's last 24 hours into generation 2 while readers see generation 1."""
    counts.deliver(FIRST, *WRONG)
    before = counts.clicks()
    counts.deliver(SECOND, count(DAYS[1], "c", 1), count(DAYS[2], "d", 2), count(DAYS[2], "new", 1))
    assert counts.clicks() == before
    wanted = plan(DAYS[0], DAYS[0], counts.generations, settings_of(2), now=NOW)
    assert wanted == Plan(days=tuple(DAYS), generation=2, live=True, live_since=DAYS[1])
    seen: list[dict[str, int]] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            seen.append(counts.clicks())

    def live() -> None:
        clicks = 2
        while not is_over.is_set():
            clicks += 1
            counts.deliver(SECOND, count(DAYS[2], "d", clicks))

    threads = [threading.Thread(target=each) for each in (read, read, live)]
    for thread in threads:
        thread.start()
    try:
        correct(counts, wanted, count(DAYS[0], "a", 3), count(DAYS[1], "c", 2), count(DAYS[2], "d", 2))
        time.sleep(0.2)  # readers go on after the switch
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    corrected = {"a", "c", "d", "new"}
    assert {frozenset(each) for each in seen} == {frozenset(before), frozenset(corrected)}
    assert all(each == before for each in seen if set(each) == set(before))
    assert all((each["a"], each["c"], each["new"]) == (3, 2, 1) for each in seen if set(each) == corrected)
    live_counts = [each["d"] for each in seen if set(each) == corrected]
    assert live_counts
    assert min(live_counts) >= 2
    counts.deliver(SECOND, count(DAYS[2], "d", 1))  # a stale one: the largest still wins
    assert counts.clicks()["d"] >= max(live_counts)


def test_a_live_correction_whose_switch_failed_can_be_given_again(
    counts: CorrectedCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts.deliver(FIRST, *WRONG)
    counts.deliver(SECOND, count(DAYS[1], "c", 1), count(DAYS[2], "d", 2))
    before, ask = counts.seen(), counts.domain.ask

    def fails(method: str, path: str, body: Any = None) -> dict[str, Any]:
        if path == "/_aliases":
            raise OperatorError("no answer")
        return ask(method, path, body)

    with monkeypatch.context() as patch:
        patch.setattr(counts.domain, "ask", fails)
        with pytest.raises(OperatorError, match="no answer"):
            correct(counts, plan(DAYS[0], DAYS[0], counts.generations, settings_of(2), now=NOW))
    assert counts.seen() == before
    wanted = plan(DAYS[0], DAYS[0], counts.generations, settings_of(2), now=NOW)
    assert (wanted.days, wanted.generation, wanted.live) == (tuple(DAYS), 2, True)
    correct(counts, wanted, count(DAYS[0], "a", 3))
    assert counts.clicks() == {"a": 3, "c": 1, "d": 2}


def test_a_live_correction_that_was_undone_can_be_given_again(counts: CorrectedCounts) -> None:
    counts.deliver(FIRST, *WRONG)
    before = counts.seen()
    counts.deliver(SECOND, count(DAYS[2], "d", 2))
    for _ in range(2):
        wanted = plan(DAYS[0], DAYS[0], counts.generations, settings_of(2), now=NOW)
        assert (wanted.days, wanted.generation, wanted.live) == ((DAYS[0], DAYS[2]), 2, True)
        correct(counts, wanted, count(DAYS[0], "a", 3))
        assert counts.clicks() == {"a": 3, "c": 4, "d": 2}
        counts.generations.undo(2, counted_into=2)
        assert counts.seen() == before


def test_a_count_that_names_its_generation_goes_there_and_the_largest_wins(counts: CorrectedCounts) -> None:
    """As a replay puts it, through the delivery stream of either generation."""
    counts.deliver(FIRST, *WRONG)
    correct(counts, OLD_DAY, count(DAYS[0], "a", 3))
    counts.deliver(
        FIRST, {**count(DAYS[0], "a", 2), "generation": 2}, {**count(DAYS[0], "l", 1), "generation": 2}
    )
    assert counts.clicks() == {"a": 3, "l": 1, "c": 4, "d": 2}
    counts.deliver(SECOND, {**count(DAYS[1], "c", 5), "generation": 1})
    assert counts.clicks() == {"a": 3, "l": 1, "c": 5, "d": 2}


def test_a_day_that_only_the_former_generation_has_is_empty_afterwards(counts: CorrectedCounts) -> None:
    counts.deliver(FIRST, *WRONG)
    counts.deliver(SECOND, count(DAYS[2], "d", 2))
    correct(counts, Plan(days=tuple(DAYS), generation=2, live=True), count(DAYS[0], "a", 3))
    counts.deliver(SECOND, count(DAYS[1], "late", 1))
    assert counts.clicks() == {"a": 3, "d": 2, "late": 1}


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (DAYS[1], DAYS[0], "is before"),
        (DAYS[0], DAYS[2], "may get clicks until 2001-02-02 01:00 UTC"),
        (date(2000, 1, 1), date(2000, 1, 2), "may be expired"),
    ],
)
def test_days_that_could_lose_clicks_are_refused(
    counts: CorrectedCounts, first: date, last: date, message: str
) -> None:
    with pytest.raises(RefusedError, match=message):
        plan(first, last, counts.generations, settings_of(1), now=NOW)


def test_a_generation_that_counts_nothing_yet_is_refused(counts: CorrectedCounts) -> None:
    counts.deliver(FIRST, *WRONG)
    with pytest.raises(RefusedError, match="has counted nothing into generation 2 yet"):
        plan(DAYS[0], DAYS[0], counts.generations, settings_of(2), now=NOW)
