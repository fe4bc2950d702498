"""The reader against a real OpenSearch server."""

from datetime import datetime, timedelta

import pytest

from batch_server import Segment, Totals, TrendingArticle, TrendingReader, TrendsError, queries
from tests.batch_server.counts import AddCounts, count

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


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
    top = reader.top(HOUR, limit=4, now=day + 2 * MINUTE)
    assert top == [
        TrendingArticle("d", 9),
        TrendingArticle("a", 5),
        TrendingArticle("b", 5),
        TrendingArticle("c", 5),
    ]


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
    assert reader.top(HOUR, segment=segment, now=day + MINUTE) == [TrendingArticle("both", 3)]


def test_the_time_asked_for_is_widened_to_whole_minutes_and_ends_with_the_running_one(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(count(day + number * MINUTE, f"minute-{number:02}", 1) for number in range(15))
    top = reader.top(timedelta(minutes=10), now=day + timedelta(minutes=12, seconds=30))
    assert [article.article_id for article in top] == [f"minute-{number:02}" for number in range(2, 13)]


def test_a_list_across_midnight_adds_the_counts_of_both_days(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day - MINUTE, "night", 4), count(day, "night", 6), count(day, "morning", 7)])
    top = reader.top(HOUR, now=day + MINUTE)
    assert top == [TrendingArticle("night", 10), TrendingArticle("morning", 7)]


def test_an_article_that_leads_on_no_single_day_still_leads_over_both(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    evening = [count(day - MINUTE, f"evening-{number:02}", 10) for number in range(40)]
    morning = [count(day, f"morning-{number:02}", 10) for number in range(40)]
    add_counts([*evening, *morning, count(day - MINUTE, "steady", 9), count(day, "steady", 9)])
    assert reader.top(HOUR, limit=1, now=day) == [TrendingArticle("steady", 18)]
    assert reader.top_by_segment("gender", HOUR, limit=1, now=day) == {
        "female": [TrendingArticle("steady", 18)]
    }


def test_clicks_of_a_day_in_which_an_article_is_far_from_the_top_are_in_its_sum(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "ARTICLES_PER_SHARD", 50)
    others = [count(day, f"other-{number:03}", 1) for number in range(50 + 2 * queries.SPARE_CANDIDATES)]
    add_counts(
        [
            count(day - MINUTE, "rival", 17),
            count(day - MINUTE, "steady", 17),
            count(day, "steady", 1),
            *others,
        ]
    )
    expected = [TrendingArticle("steady", 18), TrendingArticle("rival", 17)]
    assert reader.top(HOUR, limit=2, now=day) == expected
    assert reader.top_by_segment("gender", HOUR, limit=2, now=day) == {"female": expected}


def test_each_value_of_a_segment_field_gets_its_own_list_in_one_answer(
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
    top = reader.top_by_segment("age_band", HOUR, segment=Segment(gender="female"), limit=1, now=day + MINUTE)
    assert top == {"20s": [TrendingArticle("music", 4)], "40s": [TrendingArticle("economy", 5)]}


def test_the_totals_sum_all_counts_and_tell_how_new_they_are(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    published = day + timedelta(seconds=75, milliseconds=250)
    add_counts(
        [
            count(day, "a", 5, published_at=published),
            count(day + MINUTE, "a", 6, published_at=day),
            count(day + HOUR, "a", 100),
        ]
    )
    totals = reader.totals(since=day, until=day + HOUR)
    assert totals == Totals(clicks=11, keys=2, newest_minute=day + MINUTE, newest_published_at=published)
    assert totals.age_of_newest_count(published + MINUTE) == MINUTE


def test_nothing_counted_gives_empty_lists_and_totals_of_zero(reader: TrendingReader, day: datetime) -> None:
    totals = reader.totals(since=day, until=day + HOUR)
    assert totals == Totals(clicks=0, keys=0, newest_minute=None, newest_published_at=None)
    assert totals.age_of_newest_count(day) is None
    assert reader.top(HOUR, now=day) == []
    assert reader.top_by_segment("gender", HOUR, now=day) == {}


def test_multi_byte_and_long_article_ids_come_back_unchanged(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    article_id = "記事/東京 «été»?#" * 20
    add_counts([count(day, article_id, 1)])
    assert reader.top(HOUR, now=day) == [TrendingArticle(article_id, 1)]


def test_a_question_that_opensearch_cannot_answer_is_told_with_its_reason(
    reader: TrendingReader, day: datetime
) -> None:
    with pytest.raises(TrendsError, match=r"answered 400: .*size"):
        reader.top(HOUR, limit=-1, now=day + 2 * HOUR)
