"""compare and rising see what a plain sum over all counts gives: over one day or more, with ties, and with
lists that are cut."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from clients.batch_server import Segment, TrendingReader, differences, top_articles
from tests.clients.batch_server.counts import AddCounts, count

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MALE = Segment(gender="male")
SEGMENTS = (Segment(), MALE, Segment(gender="male", age_band="20s"))

Key = tuple[datetime, str, str, str]
"""Minute, article, gender and age band of a count."""


def _counts(rng: random.Random, until: datetime, days: int, *, flat: bool) -> dict[Key, int]:
    minutes = [
        until - MINUTE - day * DAY - ago * MINUTE for day in range(days) for ago in (0, 5, 10, 300, 700)
    ]
    articles = [f"article-{number}" for number in range(60 if flat else rng.choice([2, 20, 60]))]

    def key() -> Key:
        return (
            rng.choice(minutes),
            rng.choice(articles),
            rng.choice(["male", "female"]),
            rng.choice(["10s", "20s"]),
        )

    if flat:  # a day's list tells little of them
        return {key(): 1 for _ in range(400)}
    return {key(): rng.choice([1, 1, 2, 5, 30, 400]) for _ in range(rng.choice([5, 60, 300]))}


class SeenDivision:
    """The division of the last answer, held against a plain sum."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, counts: dict[Key, int], min_clicks: int) -> None:
        self._counts, self._min_clicks = counts, min_clicks
        self._divided: Any = None
        divide = differences._divide

        def watched(*asked: Any) -> Any:
            self._divided = divide(*asked)
            return self._divided

        monkeypatch.setattr(differences, "_divide", watched)

    def check(self, is_part: Callable[[Key], bool], segment: Segment) -> None:
        clicks, part = Counter[str](), Counter[str]()
        for key, number in self._counts.items():
            values = dict(zip(("gender", "age_band"), key[2:], strict=True))
            if all(values[column] == value for column, value in segment.fields):
                clicks[key[1]] += number
                part[key[1]] += number if is_part(key) else 0
        found, most = self._divided, differences.MAX_COMPARED
        assert (found.part, found.clicks) == (part.total(), clicks.total())
        for article in found.articles:
            assert (article.part, article.clicks) == (part[article.article_id], clicks[article.article_id])
        enough = sorted((number for number in clicks.values() if number >= self._min_clicks), reverse=True)
        assert sorted((article.clicks for article in found.articles), reverse=True) == enough[:most]
        assert found.all_from == (enough[most - 1] + 1 if len(enough) > most else self._min_clicks)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_articles_looked_at_are_those_of_a_plain_sum(
    *,
    reader: TrendingReader,
    add_counts: AddCounts,
    day: datetime,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    flat: bool,
) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(differences, "MAX_COMPARED", 1 if flat else rng.choice([1, 3, 5, 3000]))
    monkeypatch.setattr(top_articles, "PICTURE_CANDIDATES", 2 if flat else rng.choice([2, 4, 9, 2000]))
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", 0 if flat else rng.choice([0, 1, 3, 100]))
    days, until = 2 + seed % 2 if flat else 1 + seed % 3, day + 701 * MINUTE
    last = (days - 1) * DAY + 701 * MINUTE
    counts = _counts(rng, until, days, flat=flat)
    add_counts(
        count(minute, article, clicks, gender=gender, age_band=age_band)
        for (minute, article, gender, age_band), clicks in counts.items()
    )
    min_clicks = 1 if flat else rng.choice([1, 10, 50])
    seen = SeenDivision(monkeypatch, counts, min_clicks)
    reader.compare(last, MALE, until=until, min_clicks=min_clicks)
    seen.check(lambda key: key[2] == "male", Segment())
    for segment in SEGMENTS:
        recent = min(rng.choice([MINUTE, 10 * MINUTE, 701 * MINUTE, DAY]), last - MINUTE)
        reader.rising(recent, last - recent, segment, until=until, min_clicks=min_clicks)
        seen.check(lambda key, since=until - recent: key[0] >= since, segment)  # type: ignore[misc]


def test_an_article_that_no_days_list_holds_is_found_when_it_leads_over_both(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each day four are listed; what those have over both days is less than what a fifth may have."""
    monkeypatch.setattr(differences, "MAX_COMPARED", 1)
    monkeypatch.setattr(top_articles, "PICTURE_CANDIDATES", 2)
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", 0)
    listed = {day - DAY: (11, 11, 10, 10), day: (10, 10, 10, 10)}
    counts: dict[Key, int] = {
        (minute, f"{minute:%d}-{place}", "male", "20s"): clicks
        for minute, all_clicks in listed.items()
        for place, clicks in enumerate(all_clicks)
    }
    counts |= {(minute, "fifth", "female", "20s"): 9 for minute in listed}
    add_counts(
        count(minute, article, clicks, gender=gender, age_band=age_band)
        for (minute, article, gender, age_band), clicks in counts.items()
    )
    seen = SeenDivision(monkeypatch, counts, min_clicks=1)
    reader.compare(DAY + MINUTE, MALE, until=day + MINUTE, min_clicks=1)
    seen.check(lambda key: key[2] == "male", Segment())
