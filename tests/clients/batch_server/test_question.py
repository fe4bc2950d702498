"""The body of a question's first search: it must not make OpenSearch look at a count twice."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.batch_server import aggregations
from clients.batch_server.minutes import Minutes
from clients.batch_server.progress import RECENT
from clients.batch_server.question import Question
from clients.batch_server.segment import Segment
from clients.batch_server.top_articles import Wanted, rank

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLICKS = {"clicks": aggregations.CLICKS}


class AnsweringSearch:
    """Keeps what it is asked, and answers with one count of 7 clicks at noon."""

    def __init__(self) -> None:
        self.bodies: list[Mapping[str, Any]] = []

    def __call__(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        return {name: self._part(asked) for name, asked in body["aggs"].items()}

    def _part(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "aggs" in asked:
            return {name: self._part(inner) for name, inner in asked["aggs"].items()}
        return {"value": NOON.timestamp() * 1000 if "max" in asked else 7}


def question(search: AnsweringSearch, last: timedelta, segment: Segment | None = None) -> Question:
    return Question(search, Minutes(NOON - last, NOON), segment or Segment(), asked_at=NOON)


def test_all_readers_counts_of_longer_than_the_recent_ones_are_filtered_once() -> None:
    search = AnsweringSearch()
    hour = question(search, timedelta(hours=1))
    assert hour.ask(CLICKS)["clicks"] == {"value": 7}
    (body,) = search.bodies
    assert body["query"] == {"bool": {"filter": [aggregations.during(hour.minutes)]}}
    assert body["aggs"]["clicks"] == aggregations.CLICKS
    assert hour.answer["freshness"].newest_minute == NOON


def test_counts_of_a_shorter_time_are_told_apart_from_the_recent_ones() -> None:
    search = AnsweringSearch()
    short = question(search, RECENT / 3)
    assert short.ask(CLICKS)["clicks"] == {"value": 7}
    (body,) = search.bodies
    assert body["query"] == {"bool": {"filter": [aggregations.during(Minutes(NOON - RECENT, NOON))]}}
    assert body["aggs"]["asked"] == aggregations.part(CLICKS, aggregations.during(short.minutes))


def test_freshness_is_of_all_readers_when_one_segment_is_asked_about() -> None:
    search = AnsweringSearch()
    women = question(search, timedelta(hours=1), Segment(gender="female"))
    assert women.ask(CLICKS)["clicks"] == {"value": 7}
    (body,) = search.bodies
    chosen = aggregations.of(women.minutes, women.segment)
    recent = [aggregations.during(Minutes(NOON - RECENT, NOON))]
    assert body["query"]["bool"]["filter"][1] == aggregations.any_of([recent, chosen])
    assert body["aggs"]["asked"] == aggregations.part(CLICKS, *chosen)


def test_the_list_of_one_day_is_not_filtered_by_its_day_again() -> None:
    bodies: list[Mapping[str, Any]] = []

    def nothing_counted(body: Mapping[str, Any]) -> dict[str, Any]:
        bodies.append(body)
        return {}

    one_day = Minutes(NOON - timedelta(hours=1), NOON)
    two_days = Minutes(NOON - timedelta(hours=13), NOON)
    for minutes in (one_day, two_days):
        rank(
            Question(nothing_counted, minutes, asked_at=NOON), Wanted(groupings=((),), limit=3, min_clicks=1)
        )
    assert str(bodies[0]).count("range") == 1 + 2  # the question's, and two of the freshness
    assert str(bodies[1]).count("range") == 1 + 2 + 2  # one more for each day
