"""The top of many segments, asked in parts: the same lists as in one question, part after part."""

import random
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from clients.batch_server import (
    EACH_COMBINATION,
    EACH_VALUE,
    EVERY_SEGMENT,
    Grouping,
    Segment,
    TrendingReader,
    TrendsError,
    divided_top,
)
from contract.count import SEGMENT_COLUMNS
from tests.clients.batch_server.counts import AddCounts, Count, count

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
GROUPINGS = EACH_VALUE + EACH_COMBINATION
VALUES = {"gender": ["female", "male"], "age_band": ["10s", "20s", "30s", "40s"], "region": list("abcdefgh")}


def _some_counts(first: datetime, rng: random.Random, minutes: int = 180) -> list[Count]:
    counts: dict[Any, Count] = {}
    for _ in range(600):
        minute = first + rng.randrange(minutes) * MINUTE
        segment = {column: rng.choice(values[: rng.randint(1, 9)]) for column, values in VALUES.items()}
        article = f"article-{int(rng.triangular(0, 60, 5)):03}"
        counts[minute, article, *segment.values()] = count(minute, article, rng.randint(1, 3), **segment)
    return list(counts.values())


@pytest.mark.parametrize("seed", range(3))
def test_the_lists_of_all_parts_are_those_of_one_question(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)
    first = day + rng.choice([2, 22.5]) * HOUR  # within a day, or over midnight
    add_counts(_some_counts(first, rng))
    monkeypatch.setattr(divided_top, "MAX_COUNTS", rng.choice([1, 40, 150]))
    groupings = rng.choice([GROUPINGS, EVERY_SEGMENT])
    asked: dict[str, Any] = {
        "limit": rng.choice([1, 5]),
        "segment": rng.choice([Segment(), Segment(gender="female"), Segment(region="a", age_band="10s")]),
        "min_clicks": rng.choice([1, 4]),
        "until": first + 3 * HOUR,
    }
    told: list[tuple[int, int]] = []
    divided = reader.top_of_segments(3 * HOUR, groupings, told=lambda *parts: told.append(parts), **asked)
    whole = reader.top_of_segments(3 * HOUR, groupings, **asked)
    assert list(divided.lists.items()) == list(whole.lists.items())
    assert (divided.minutes, divided.freshness.since) == (whole.minutes, whole.freshness.since)
    assert told == [(number, len(told) - 1) for number in range(len(told))]
    assert len(told) > 2
    assert divided.searches >= len(told)


def test_a_value_first_counted_between_the_parts_is_in_the_answer(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divided_top, "MAX_COUNTS", 1)
    add_counts(count(day + number * MINUTE, "a", 1, region=f"r{number}") for number in range(3))
    late = [count(day + 4 * MINUTE, "new", 7, region="first counted late")]
    answer = reader.top_of_segments(
        2 * HOUR,
        [("region",)],
        until=day + 2 * HOUR,
        told=lambda done, _: add_counts(late) if done == 0 else None,
    )
    assert answer.lists[Segment(region="first counted late")].clicks == 7
    assert len(answer.lists) == 4


def test_an_hour_is_asked_at_once_and_nothing_counted_is_no_error(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "a", 1)])
    told: list[tuple[int, int]] = []
    answer = reader.top_of_segments(HOUR, GROUPINGS, until=day + HOUR, told=lambda *some: told.append(some))
    assert (answer.searches, told) == (1, [])
    nothing = reader.top_of_segments(
        2 * HOUR, GROUPINGS, until=day - 3 * HOUR, told=lambda *some: told.append(some)
    )
    assert (dict(nothing.lists), told) == ({}, [(0, 1), (1, 1)])


def test_more_values_than_are_listed_are_an_error_and_never_a_shorter_answer(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.batch_server.aggregations.MAX_SEGMENT_VALUES", 2)
    add_counts(count(day, "a", 1, region=f"r{number}") for number in range(3))
    with pytest.raises(TrendsError, match="region has more than 2 values"):
        reader.top_of_segments(2 * HOUR, [("region",)], until=day + HOUR, told=lambda *_: None)


@pytest.mark.parametrize("seed", range(50))
def test_every_part_holds_whole_segments_and_all_of_them_every_grouping(seed: int) -> None:
    rng = random.Random(seed)
    every = [grouping for size in range(4) for grouping in combinations(SEGMENT_COLUMNS[:3], size)]
    groupings: list[Grouping] = rng.sample(every, rng.randint(1, len(every)))
    total = rng.choice([10, 2_000_000, 30_000_000])
    counts_of = {}
    for column in SEGMENT_COLUMNS[:3]:
        weights = [rng.random() ** 3 + 1e-9 for _ in range(rng.choice([1, 2, 7, 48]))]
        counts_of[column] = {
            f"{number}": round(total * weight / sum(weights)) for number, weight in enumerate(weights)
        }
    found = [*divided_top.divided(groupings, counts_of)]
    assert {grouping for part in found for grouping in part.groupings} == set(groupings)
    for part in found:
        divided = {column for each in part.filters for column in _columns(each)}
        assert all(divided <= set(grouping) for grouping in part.groupings)  # whole segments, never a piece
    if total < divided_top.MAX_COUNTS:
        assert len(found) == 1


def _columns(chosen: Any) -> set[str]:
    terms = chosen.get("terms") or chosen["bool"]["must_not"][0]["terms"]
    return set(terms)
