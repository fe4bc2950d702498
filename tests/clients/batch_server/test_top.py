"""The most clicked articles, asked of a real OpenSearch server and held against sums made in Python."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from clients.batch_server import (
    ALL_READERS,
    EACH_COMBINATION,
    EACH_VALUE,
    EVERY_SEGMENT,
    Segment,
    TrendingArticle,
    TrendingReader,
    TrendsError,
    top_articles,
)
from contract.count import SEGMENT_COLUMNS, WINDOW
from tests.clients.batch_server.counts import AddCounts, Count, count

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Ranking = list[tuple[str, int]]


def _pairs(articles: Iterable[TrendingArticle]) -> Ranking:
    return [(article.article_id, article.clicks) for article in articles]


def _largest(counts: Iterable[Count], limit: int, min_clicks: int = 1) -> Ranking:
    sums: Counter[str] = Counter()
    for each in counts:
        sums[each["article_id"]] += each["clicks"]
    enough = [pair for pair in sums.items() if pair[1] >= min_clicks]
    return sorted(enough, key=lambda pair: (-pair[1], pair[0]))[:limit]


def test_the_most_clicked_articles_come_first_and_equal_ones_in_order_of_their_id(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(
        [
            count(day, "b", 5),
            count(day, "c", 2, gender="male"),
            count(day + MINUTE, "c", 3),
            count(day, "a", 5, region="osaka"),
            count(day, "d", 9),
            count(day, "e", 1),
        ]
    )
    top = reader.top(HOUR, limit=4, until=day + 2 * MINUTE)
    assert _pairs(top.articles) == [("d", 9), ("a", 5), ("b", 5), ("c", 5)]
    assert (top.top.clicks, top.top.cut) == (25, True)


def test_a_list_that_holds_every_article_is_not_called_cut(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "a", 5), count(day, "b", 5)])
    assert not reader.top(HOUR, limit=2, until=day + MINUTE).top.cut


def test_articles_below_the_minimum_of_clicks_are_not_listed(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "a", 5), count(day, "b", 2), count(day + MINUTE, "b", 2), count(day, "c", 3)])
    top = reader.top(HOUR, min_clicks=4, until=day + 2 * MINUTE)
    assert _pairs(top.articles) == [("a", 5), ("b", 4)]
    assert (top.top.clicks, top.top.cut) == (12, False)


def test_a_segment_narrows_the_readers_by_all_its_fields(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(
        [
            count(day, "both", 3, gender="male", age_band="30s"),
            count(day, "male", 5, gender="male", age_band="40s"),
            count(day, "30s", 7, gender="female", age_band="30s"),
        ]
    )
    segment = Segment(gender="male", age_band="30s")
    assert _pairs(reader.top(HOUR, segment, until=day + MINUTE).articles) == [("both", 3)]


def test_the_time_asked_for_is_widened_to_whole_counts_and_ends_with_the_running_one(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(count(day + number * WINDOW, f"minute-{number:02}", 1) for number in range(15))
    top = reader.top(10 * WINDOW, until=day + 12.5 * WINDOW)
    assert [article.article_id for article in top.articles] == [f"minute-{n:02}" for n in range(2, 13)]
    assert (top.minutes.since, top.minutes.until) == (day + 2 * WINDOW, day + 13 * WINDOW)


def test_a_time_that_ends_with_a_whole_count_does_not_include_the_next(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(count(day + number * WINDOW, f"minute-{number}", 1) for number in range(5))
    top = reader.top(2 * WINDOW, until=day + 3 * WINDOW)
    assert [article.article_id for article in top.articles] == ["minute-1", "minute-2"]


def test_a_list_across_midnight_adds_the_counts_of_both_days(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day - MINUTE, "night", 4), count(day, "night", 6), count(day, "morning", 7)])
    top = reader.top(HOUR, until=day + MINUTE)
    assert _pairs(top.articles) == [("night", 10), ("morning", 7)]
    assert top.top.clicks == 17


def test_an_article_that_leads_on_no_single_day_still_leads_over_both(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    evening = [count(day - MINUTE, f"evening-{number:03}", 10) for number in range(200)]
    morning = [count(day, f"morning-{number:03}", 10) for number in range(200)]
    add_counts([*evening, *morning, count(day - MINUTE, "steady", 9), count(day, "steady", 9)])
    assert _pairs(reader.top(HOUR, limit=1, until=day + MINUTE).articles) == [("steady", 18)]
    lists = reader.top_of_segments(HOUR, limit=1, until=day + MINUTE).lists
    assert _pairs(lists[Segment(gender="female")].articles) == [("steady", 18)]


def test_two_searches_are_enough_across_midnight_where_few_articles_lead(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    counts = [
        count(time, f"article-{number:03}", 1000 // (number + 1))
        for time in (day - MINUTE, day)
        for number in range(400)
    ]
    add_counts(counts)
    top = reader.top(HOUR, limit=5, until=day + MINUTE)
    assert _pairs(top.articles) == _largest(counts, 5)
    assert (top.searches, top.top.cut) == (2, True)


def _flat_days(day: datetime, days: int, rng: random.Random) -> list[Count]:
    """Counts in which the lists of the single days tell little of the list over all of them."""
    counts: dict[tuple[object, ...], Count] = {}
    for _ in range(1500):
        minute = day + rng.randrange(days) * DAY + rng.randrange(3) * MINUTE
        segment = {
            "gender": rng.choice(["female", "male"]),
            "age_band": rng.choice(["20s", "30s", "unknown"]),
            "region": rng.choice(["osaka", "tokyo"]),
        }
        article = f"article-{int(rng.triangular(0, 300, 20)):03}"
        key = (minute, article, *segment.values())
        counts[key] = count(minute, article, rng.choice([1, 1, 1, 2, 3]), **segment)
    return list(counts.values())


@pytest.mark.parametrize("seed", range(6))
def test_every_list_over_several_days_is_exact_whatever_each_day_lists(
    reader: TrendingReader,
    add_counts: AddCounts,
    day: datetime,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    rng = random.Random(seed)
    # Small limits, so that a few hundred articles go every way that hundred thousands would.
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", rng.choice([0, 5, 30]))
    monkeypatch.setattr(top_articles, "MAX_MERGED", rng.choice([100, 400, 2000]))
    monkeypatch.setattr(top_articles, "MAX_CLAUSES", rng.choice([4, 1000]))
    monkeypatch.setattr(top_articles, "MAX_PLACES", rng.choice([100, 2000, 5_000_000]))
    monkeypatch.setattr(top_articles, "MAX_CANDIDATES", rng.choice([0, 60_000]))
    days = rng.choice([2, 3])
    counts = _flat_days(day, days, rng)
    add_counts(counts)
    limit, min_clicks = rng.choice([1, 5, 40]), rng.choice([1, 1, 4])
    until = day + (days - 1) * DAY + 3 * MINUTE
    answer = reader.top_of_segments(days * DAY, EVERY_SEGMENT, limit, min_clicks=min_clicks, until=until)
    by_segment: dict[Segment, list[Count]] = defaultdict(list)
    for each in counts:
        for grouping in EVERY_SEGMENT:
            by_segment[Segment(**{column: each[column] for column in grouping})].append(each)
    assert answer.lists.keys() == by_segment.keys()
    for segment, some in by_segment.items():
        assert _pairs(answer.lists[segment].articles) == _largest(some, limit, min_clicks), segment
        more = len(_largest(some, 1000, min_clicks)) > limit
        assert answer.lists[segment].cut == more
        assert answer.lists[segment].clicks == sum(each["clicks"] for each in some)
    assert answer.searches > days


def test_an_article_below_the_lists_of_both_days_is_found_where_it_leads_over_both(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", 10)
    evening = [count(day - MINUTE, f"evening-{number:03}", 10) for number in range(50)]
    morning = [count(day, f"morning-{number:03}", 10) for number in range(50)]
    add_counts([*evening, *morning, count(day - MINUTE, "steady", 9), count(day, "steady", 9)])
    top = reader.top(HOUR, limit=2, until=day + MINUTE)
    assert _pairs(top.articles) == [("steady", 18), ("evening-000", 10)]
    assert top.searches == 2


def test_clicks_that_a_day_did_not_list_can_make_an_article_lead(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", 10)
    add_counts(
        [
            *(count(day - MINUTE, article, clicks) for article, clicks in (("x", 9), ("y", 6), ("z", 6))),
            *(count(day - MINUTE, f"evening-{number:02}", 1) for number in range(30)),
            *(count(day, article, clicks) for article, clicks in (("x", 5), ("y", 7), ("z", 7))),
            *(count(day, f"morning-{number:02}", 6) for number in range(30)),
        ]
    )
    top = reader.top(HOUR, limit=1, until=day + MINUTE)
    assert (_pairs(top.articles), top.searches) == ([("x", 14)], 2)


def test_a_search_of_many_segments_reserves_a_bounded_number_of_places() -> None:
    """OpenSearch reserves shard_size places for each segment: 500 small ones beside a large one must not have
    the room of the large one each."""
    sizes: dict[top_articles.Key, int] = {
        ((), Segment(gender=f"g-{number}", region="r")): 20 for number in range(900)
    }
    large: top_articles.Key = ((), Segment(gender="large", region="r"))
    huge: top_articles.Key = ((), Segment(gender="huge", region="r"))
    sizes |= {large: 150_000, huge: 700_000}
    batches = list(top_articles._batches(sizes))
    assert {key for batch in batches for key in batch} == sizes.keys()
    assert [huge] in batches
    assert [large] in batches
    for batch in batches:
        if batch != [huge]:  # which is cut into slices
            most = max(sizes[key] for key in batch)
            assert len(batch) * top_articles._room(most) <= top_articles.MAX_PLACES
            assert sum(sizes[key] for key in batch) <= top_articles.MAX_MERGED
            assert sum(len(key[1].fields) for key in batch) <= top_articles.MAX_CLAUSES


def test_flat_counts_that_no_bounded_number_of_searches_can_order_are_an_error(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", 0)
    monkeypatch.setattr(top_articles, "MAX_MERGED", 10)
    monkeypatch.setattr(top_articles, "MAX_SLICES", 4)
    add_counts(count(time, f"a-{number:03}", 1) for time in (day - MINUTE, day) for number in range(50))
    with pytest.raises(TrendsError, match="higher minimum of clicks"):
        reader.top(HOUR, limit=1, until=day + MINUTE)


def test_clicks_of_a_day_in_which_an_article_is_far_from_the_top_are_in_its_sum(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    others = [count(day, f"other-{number:03}", 1) for number in range(300)]
    add_counts(
        [
            count(day - MINUTE, "rival", 17),
            count(day - MINUTE, "steady", 17),
            count(day, "steady", 1),
            *others,
        ]
    )
    expected = [("steady", 18), ("rival", 17)]
    assert _pairs(reader.top(HOUR, limit=2, until=day + MINUTE).articles) == expected
    lists = reader.top_of_segments(HOUR, [("gender",)], limit=2, until=day + MINUTE).lists
    assert _pairs(lists[Segment(gender="female")].articles) == expected


def test_each_segment_of_the_columns_gets_its_own_list_in_one_search(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(
        [
            count(day, "economy", 5, age_band="40s"),
            count(day, "music", 4, age_band="20s"),
            count(day, "economy", 1, age_band="20s"),
            count(day, "travel", 1, age_band="20s", gender="male"),
        ]
    )
    female = Segment(gender="female")
    groupings = [("age_band",), ("age_band", "region")]
    answer = reader.top_of_segments(MINUTE, groupings, limit=1, segment=female, until=day + MINUTE)
    assert [(segment.as_dict(), _pairs(top.articles)) for segment, top in answer.lists.items()] == [
        ({"gender": "female", "age_band": "20s"}, [("music", 4)]),
        ({"gender": "female", "age_band": "40s"}, [("economy", 5)]),
        ({"gender": "female", "age_band": "20s", "region": "tokyo"}, [("music", 4)]),
        ({"gender": "female", "age_band": "40s", "region": "tokyo"}, [("economy", 5)]),
    ]
    assert answer.searches == 1


def test_700_segments_are_answered_by_one_search(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    counts = [
        count(
            day,
            f"{gender}-{age}-{region % 7}",
            1 + region % 5,
            gender=gender,
            age_band=age,
            region=f"r{region}",
        )
        for gender in ("female", "male", "unknown")
        for age in ("10s", "20s", "30s", "40s", "50s")
        for region in range(47)
    ]
    add_counts(counts)
    answer = reader.top_of_segments(MINUTE, EACH_VALUE + EACH_COMBINATION, until=day + MINUTE)
    assert answer.searches == 1
    values = {Segment(**{column: each[column]}) for each in counts for column in SEGMENT_COLUMNS}
    combinations = {Segment(**{column: each[column] for column in SEGMENT_COLUMNS}) for each in counts}
    assert answer.lists.keys() == values | combinations
    assert len(combinations) == 705
    in_r3 = [each for each in counts if each["region"] == "r3"]
    assert _pairs(answer.lists[Segment(region="r3")].articles) == _largest(in_r3, 20)


def test_nothing_counted_gives_empty_lists(reader: TrendingReader, day: datetime) -> None:
    top = reader.top(HOUR, until=day)
    assert (top.articles, top.top.clicks, top.top.cut) == ((), 0, False)
    assert reader.top(2 * DAY, until=day).articles == ()
    assert reader.top_of_segments(HOUR, EVERY_SEGMENT, until=day).lists == {}
    assert reader.top_of_segments(2 * DAY, EVERY_SEGMENT, until=day).lists == {}


def test_multi_byte_and_long_article_ids_come_back_unchanged(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    ids = ["記事/東京 «été»?#" * 20, "a" * 512, "\x1b[2J\x00\u202e", '<script>"', ".*[a-z]+|~#@&"]
    add_counts([count(day, article_id, 1) for article_id in ids])
    add_counts([count(day - MINUTE, article_id, 1) for article_id in ids])
    assert _pairs(reader.top(MINUTE, until=day + MINUTE).articles) == sorted((each, 1) for each in ids)
    across = reader.top(HOUR, limit=2, until=day + MINUTE)
    assert _pairs(across.articles) == sorted((each, 2) for each in ids)[:2]


def test_a_segment_takes_the_columns_of_the_contract_and_no_other() -> None:
    assert Segment(**dict.fromkeys(SEGMENT_COLUMNS, "x")).columns == SEGMENT_COLUMNS
    assert Segment(region="tokyo", gender="female") == Segment(gender="female", region="tokyo", age_band=None)
    assert ALL_READERS.label == "all readers"
    with pytest.raises(TypeError, match=r"no shoe_size: its columns are gender"):
        Segment(shoe_size="42")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"limit": 0}, "1 to 5000"),
        ({"limit": 5001}, "1 to 5000"),
        ({"min_clicks": 0}, "1 or more"),
        ({"last": timedelta(0)}, "must end after it begins"),
        ({"last": -HOUR}, "must end after it begins"),
        ({"last": timedelta(days=367)}, "longer than 366 days"),
        ({"last": timedelta(days=999_999_999)}, "ask for less"),
        ({"until": datetime(2026, 1, 1)}, "no time zone"),
        ({"until": datetime.max.replace(tzinfo=UTC)}, "year 9999"),
        ({"until": datetime.min.replace(tzinfo=UTC) + DAY}, "year 1"),
        ({"until": datetime.min.replace(tzinfo=timezone(HOUR))}, "ask for less"),
    ],
)
def test_a_question_that_has_no_answer_is_told_what_to_ask_instead(
    reader: TrendingReader, question: dict[str, object], told: str
) -> None:
    with pytest.raises(TrendsError, match=told):
        reader.top(**{"last": HOUR, **question})  # type: ignore[arg-type]


@pytest.mark.parametrize("groupings", [[], [("shoe_size",)], ["gender"]])
def test_columns_that_readers_do_not_have_are_refused(
    reader: TrendingReader, groupings: list[tuple[str, ...]]
) -> None:
    with pytest.raises(TrendsError, match="group"):
        reader.top_of_segments(HOUR, groupings)
