"""compare and rising on planted signals in a real OpenSearch server, and on a real day."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy
import pytest

from clients.batch_server import Segment, TrendingReader, TrendsError, differences, statistics, top_articles
from tests.clients.batch_server.counts import AddCounts, count
from tests.data_sets import wikiticker_clicks

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MALE = Segment(gender="male")
ARTICLES = [f"article-{number:03}" for number in range(200)]


Shares = numpy.ndarray[tuple[int], numpy.dtype[numpy.float64]]
Numbers = numpy.ndarray[tuple[int], numpy.dtype[numpy.int64]]


def _shares() -> Shares:
    weights = 1.0 / numpy.arange(1, len(ARTICLES) + 1)
    shares: Shares = weights / weights.sum()
    return shares


def _add(
    add_counts: AddCounts,
    minute: datetime,
    clicks: Numbers,
    **fields: str,
) -> None:
    add_counts(
        count(minute, article, int(number), **fields)
        for article, number in zip(ARTICLES, clicks, strict=True)
        if number
    )


def test_articles_read_twice_or_half_as_much_by_a_segment_are_found_and_no_other(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    rng = numpy.random.default_rng(1)
    shares = _shares()
    segment = shares.copy()
    segment[4] *= 2
    segment[3] /= 2
    _add(add_counts, day, rng.multinomial(5000, segment / segment.sum()), gender="male")
    _add(add_counts, day, rng.multinomial(40_000, shares), gender="female")
    found = reader.compare(MINUTE, MALE, until=day + MINUTE)
    assert [article.article_id for article in found.more] == ["article-004"]
    assert [article.article_id for article in found.less] == ["article-003"]
    assert found.more[0].times_low < 2 < found.more[0].times_high
    assert found.less[0].times_low < 0.5 < found.less[0].times_high
    assert found.more[0].clicks == pytest.approx(2 * found.more[0].expected, rel=0.2)
    assert (found.segment_clicks, found.others_clicks, found.found) == (5000, 40_000, 2)
    assert found.searches == 1


def test_a_segment_that_reads_as_everyone_else_differs_nowhere(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    rng = numpy.random.default_rng(3)
    for gender, clicks in (("male", 3000), ("female", 30_000)):
        _add(add_counts, day, rng.multinomial(clicks, _shares()), gender=gender)
    found = reader.compare(MINUTE, MALE, until=day + MINUTE)
    assert (found.more, found.less, found.found) == ((), (), 0)
    assert found.compared > 150


def test_small_counts_fool_no_comparison(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    """Articles that only the segment clicked, but hardly: a raw ratio would be infinite."""
    lucky = [count(day, f"lucky-{number}", 3, gender="male") for number in range(30)]
    add_counts([*lucky, count(day, "read", 400, gender="male"), count(day, "read", 4000, gender="female")])
    found = reader.compare(MINUTE, MALE, min_clicks=1, until=day + MINUTE)
    assert found.compared == 31
    assert found.more == ()


def test_a_comparison_across_midnight_adds_both_days(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    for minute in (day - MINUTE, day):
        add_counts(
            [
                count(minute, "his", 60, gender="male"),
                count(minute, "hers", 1, gender="male"),
                count(minute, "his", 500, gender="female"),
                count(minute, "hers", 3000, gender="female"),
            ]
        )
    found = reader.compare(HOUR, MALE, until=day + MINUTE)
    assert [(each.article_id, each.clicks, each.others) for each in found.more] == [("his", 120, 1000)]
    assert [(each.article_id, each.clicks, each.others) for each in found.less] == [("hers", 2, 6000)]
    assert found.searches == 2


@pytest.mark.parametrize(("looked_at", "flatness"), [(3, 1), (3, 9), (15, 1), (100, 1)])
def test_a_comparison_over_midnight_equals_the_same_clicks_within_a_day(
    *,
    reader: TrendingReader,
    add_counts: AddCounts,
    day: datetime,
    monkeypatch: pytest.MonkeyPatch,
    looked_at: int,
    flatness: int,
) -> None:
    monkeypatch.setattr(differences, "MAX_COMPARED", looked_at)
    monkeypatch.setattr(top_articles, "PICTURE_CANDIDATES", 1)
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", 0)
    rng = random.Random(looked_at)
    paths = set()
    for number in range(1, 7):
        noon, midnight = day + timedelta(days=2 * number, hours=12), day + timedelta(days=2 * number)
        clicked = [
            (at, article, clicks, gender)
            for at in (-1, 0)
            for article in (f"{number:02}" for number in range(40))
            for gender in ("female", "male")
            if (clicks := rng.randrange(1, 60) // (1 + number * flatness))
        ]
        for middle in (noon, midnight):
            add_counts(
                count(middle + at * MINUTE, article, clicks, gender=gender)
                for at, article, clicks, gender in clicked
            )
        within, over = (
            reader.compare(2 * MINUTE, MALE, limit=100, min_clicks=1, until=middle + MINUTE)
            for middle in (noon, midnight)
        )
        paths.add(over.searches)
        same = ("segment_clicks", "others_clicks", "more", "less", "found", "compared", "all_from")
        assert [getattr(over, name) for name in same] == [getattr(within, name) for name in same]
    assert within.searches == 1
    assert min(paths) >= 2


def test_clicks_are_told_where_no_article_has_enough_to_be_compared(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    for minute in (day - MINUTE, day):
        add_counts(count(minute, f"a-{number}", 3, gender="male") for number in range(2))
    for last in (MINUTE, HOUR):  # within a day, and over midnight
        found = reader.compare(last, MALE, until=day + MINUTE)
        assert (found.compared, found.segment_clicks, found.others_clicks) == (0, 6 * (last // HOUR + 1), 0)


def test_an_answer_says_which_articles_it_looked_at(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differences, "MAX_COMPARED", 3)
    add_counts(count(day, f"a-{number}", 20 - number, gender="male") for number in range(6))
    add_counts([count(day, "a-0", 5, gender="female")])
    found = reader.compare(MINUTE, MALE, until=day + MINUTE)
    assert (found.compared, found.all_from) == (3, 19)  # 25, 19, 18: others may have 18 too
    found = reader.compare(MINUTE, MALE, min_clicks=19, until=day + MINUTE)
    assert (found.compared, found.all_from) == (2, 19)


def test_there_is_nothing_to_compare_where_a_segment_is_everyone_or_no_one(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(count(day, f"a-{number}", 50, gender="male") for number in range(3))
    everyone = reader.compare(MINUTE, MALE, until=day + MINUTE)
    no_one = reader.compare(MINUTE, Segment(gender="female"), until=day + MINUTE)
    nothing = reader.compare(MINUTE, MALE, until=day - HOUR)
    assert [each.found for each in (everyone, no_one, nothing)] == [0, 0, 0]
    assert (everyone.segment_clicks, everyone.others_clicks) == (150, 0)
    assert (no_one.segment_clicks, no_one.others_clicks) == (0, 150)
    with pytest.raises(TrendsError, match="name a segment"):
        reader.compare(MINUTE, Segment())


def test_articles_that_grow_and_new_ones_rise_and_the_fastest_is_first(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    rng = numpy.random.default_rng(7)
    shares = _shares()
    now = shares.copy()
    now[10] *= 3
    now[40] *= 8
    before = day + 20 * MINUTE
    _add(add_counts, before, rng.multinomial(30_000, shares))
    _add(add_counts, day + HOUR, rng.multinomial(6000, now / now.sum()))
    add_counts([count(day + HOUR, "news", 80)])
    rising = reader.rising(10 * MINUTE, HOUR, until=day + HOUR + 10 * MINUTE)
    assert [article.article_id for article in rising.articles] == ["news", "article-040", "article-010"]
    news, eight, three = rising.articles
    assert (news.clicks, news.before, news.expected) == (80, 0, 0.0)
    whole = now.sum() * 6080 / 6000  # growth is that of the share of all clicks, which grew too
    assert eight.growth_low < 8 / whole < eight.growth_high
    assert three.growth_low < 3 / whole < three.growth_high
    assert eight.expected == pytest.approx(eight.before * 6080 / 30_000)
    assert rising.recent.length == 10 * MINUTE
    assert rising.minutes.length == 70 * MINUTE
    assert (rising.recent_clicks, rising.before_clicks) == (6080, 30_000)
    assert rising.searches == 1


def test_traffic_that_doubles_as_a_whole_lets_no_article_rise(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    rng = numpy.random.default_rng(9)
    _add(add_counts, day + 20 * MINUTE, rng.multinomial(20_000, _shares()))
    _add(add_counts, day + HOUR, rng.multinomial(40_000, _shares()))
    assert reader.rising(10 * MINUTE, HOUR, until=day + HOUR + MINUTE).articles == ()


def test_rising_is_asked_of_one_segment_alone(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    for gender, clicks in (("male", 90), ("female", 9)):
        add_counts(
            [
                count(day, "steady", 300, gender=gender),
                count(day, "risen", 10, gender=gender),
                count(day + HOUR, "steady", 300, gender=gender),
                count(day + HOUR, "risen", clicks, gender=gender),
            ]
        )

    def ask(gender: str) -> list[str]:
        segment, until = Segment(gender=gender), day + HOUR + MINUTE
        return [each.article_id for each in reader.rising(MINUTE, HOUR, segment, until=until).articles]

    assert ask("male") == ["risen"]
    assert ask("female") == []


@pytest.fixture(scope="module")
def wikiticker(shared_data: Path) -> list[dict[str, str]]:
    return list(wikiticker_clicks(shared_data))


def test_on_a_real_day_the_list_and_the_differences_are_those_that_the_edits_give(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, wikiticker: list[dict[str, str]]
) -> None:
    """An edit of an anonymous user (an IP address as name) stands for a click of that segment."""
    midnight = datetime(2015, 9, 12, tzinfo=UTC)
    counts: Counter[tuple[datetime, str, str]] = Counter()
    for click in wikiticker:
        at = datetime.fromisoformat(click["clicked_at"]) - midnight + day
        group = "anonymous" if click["user_id"].replace(".", "").isdigit() else "named"
        counts[at.replace(second=0, microsecond=0), click["article_id"], group] += 1
    add_counts(
        count(minute, article, clicks, gender=group) for (minute, article, group), clicks in counts.items()
    )
    until = day + timedelta(days=1)
    top = reader.top(timedelta(days=1), limit=10, until=until)
    assert [article.clicks for article in top.articles] == [33, 28, 27, 21, 20, 18, 18, 18, 17, 17]
    assert top.top.clicks == 39_244

    found = reader.compare(timedelta(days=1), Segment(gender="anonymous"), until=until)
    pages: Counter[str] = Counter()
    anonymous: Counter[str] = Counter()
    for (_, page, group), clicks in counts.items():
        pages[page] += clicks
        anonymous[page] += clicks if group == "anonymous" else 0
    share = sum(anonymous.values()) / sum(pages.values())
    looked_at = [page for page, clicks in pages.items() if clicks >= differences.MIN_CLICKS]
    sure = statistics.significant(
        [statistics.two_sided(anonymous[page], pages[page], share) for page in looked_at]
    )
    expected = {page for page, each in zip(looked_at, sure, strict=True) if each}
    assert expected, "the day has pages that anonymous users edit more"
    assert {article.article_id for article in (*found.more, *found.less)} == expected
    assert found.compared == len(looked_at)

    # In that hour she won the final of the US Open: https://en.wikipedia.org/wiki/Flavia_Pennetta
    rising = reader.rising(HOUR, 6 * HOUR, until=day + 22 * HOUR)
    assert [(each.article_id, each.clicks, each.before) for each in rising.articles] == [
        ("Flavia Pennetta", 11, 1)
    ]
