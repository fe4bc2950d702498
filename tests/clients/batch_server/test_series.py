"""Series, heat maps, totals and freshness, asked of a real OpenSearch server."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clients.batch_server import (
    ALL_READERS,
    CountTotals,
    Segment,
    TrendingReader,
    TrendsError,
    series,
    top_articles,
)
from clients.batch_server.minutes import Minutes
from contract.count import WINDOW
from tests.clients.batch_server.counts import AddCounts, Count, count

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_a_series_has_each_count_s_time_and_zeros_where_nothing_was_clicked(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(
        [
            count(day - WINDOW, "a", 4),
            count(day + WINDOW, "a", 3),
            count(day + WINDOW, "b", 2, gender="male"),
            count(day + 5 * WINDOW, "a", 100),
        ]
    )
    trend = reader.trend(5 * WINDOW, until=day + 3 * WINDOW)
    assert trend.starts == tuple(day + number * WINDOW for number in range(-2, 3))
    (series,) = trend.series
    assert (series.article_id, series.segment, series.clicks) == (None, ALL_READERS, (0, 4, 0, 5, 0))
    assert trend.searches == 1


def test_each_article_asked_for_has_a_series_in_that_order_though_nobody_clicked_it(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "b", 2), count(day + WINDOW, "a", 3), count(day, "other", 9)])
    trend = reader.trend(2 * WINDOW, articles=["nobody's", "b", "a", "b"], until=day + 2 * WINDOW)
    assert [(series.article_id, series.clicks) for series in trend.series] == [
        ("nobody's", (0, 0)),
        ("b", (2, 0)),
        ("a", (0, 3)),
    ]


def test_each_segment_has_a_series_of_its_own(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(
        [
            count(day, "a", 2, gender="male", region="osaka"),
            count(day, "a", 3, gender="male"),
            count(day, "b", 5, gender="female"),
            count(day, "a", 7, age_band="50s"),
        ]
    )
    asked = reader.trend(
        WINDOW, articles=["a"], by=("region", "gender"), segment=Segment(age_band="20s"), until=day + WINDOW
    )
    assert [(series.segment.as_dict(), series.clicks) for series in asked.series] == [
        ({"age_band": "20s", "gender": "male", "region": "osaka"}, (2,)),
        ({"age_band": "20s", "gender": "male", "region": "tokyo"}, (3,)),
    ]


def test_longer_steps_begin_at_whole_steps_of_the_day(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(count(day + number * MINUTE, "a", 1) for number in range(40))
    trend = reader.trend(20 * MINUTE, step=15 * MINUTE, until=day + 40 * MINUTE)
    assert trend.starts == (day + 15 * MINUTE, day + 30 * MINUTE)
    assert trend.series[0].clicks == (15, 10)
    assert trend.minutes.since == day + 15 * MINUTE


def test_a_day_begins_at_midnight_of_the_time_zone(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    midnight = day + timedelta(hours=15)  # of Tokyo
    add_counts(
        [
            count(midnight - WINDOW, "a", 1),
            count(midnight, "a", 2),
            count(midnight + timedelta(hours=23), "a", 4),
            count(midnight + timedelta(hours=24), "a", 8),
        ]
    )
    trend = reader.trend(
        timedelta(days=2),
        step=timedelta(days=1),
        time_zone=ZoneInfo("Asia/Tokyo"),
        until=midnight + timedelta(hours=25),
    )
    assert trend.starts[-2:] == (midnight, midnight + timedelta(days=1))
    assert trend.series[0].clicks[-3:] == (1, 6, 8)
    assert trend.minutes.since == trend.starts[0]


@pytest.mark.parametrize(
    ("zone", "change", "step", "lengths"),
    [
        ("Europe/Berlin", "2026-10-25T00:00+02:00", timedelta(days=1), {25: 1}),
        ("Europe/Berlin", "2026-03-29T00:00+01:00", timedelta(days=1), {23: 1}),
        ("Europe/Berlin", "2026-10-25T00:00+02:00", HOUR, {1: 25}),
        ("Europe/Berlin", "2026-03-29T00:00+01:00", HOUR, {1: 23}),
        ("Europe/Berlin", "2026-10-25T00:00+02:00", 6 * HOUR, {6: 3, 7: 1}),
        ("Asia/Kolkata", "2026-10-25T00:00+05:30", 12 * HOUR, {12: 2}),
    ],
)
def test_the_steps_of_a_day_on_which_clocks_are_changed_fill_it(
    zone: str, change: str, step: timedelta, lengths: dict[int, int]
) -> None:
    midnight = datetime.fromisoformat(change)
    following = (midnight.astimezone(ZoneInfo(zone)) + timedelta(days=1)).astimezone(UTC)
    whole = Minutes(midnight.astimezone(UTC), following)
    starts = series.starts_of_steps(whole, step, ZoneInfo(zone))
    ends = (*starts[1:], following)
    assert starts[0] == midnight
    assert Counter((end - start) // HOUR for start, end in zip(starts, ends, strict=True)) == lengths
    late = Minutes(following - MINUTE, following)
    assert series.starts_of_steps(late, step, ZoneInfo(zone)) == starts[-1:]


@pytest.mark.parametrize("step", [timedelta(0), -WINDOW, 1.5 * WINDOW, 7 * MINUTE, timedelta(days=2)])
def test_a_step_that_does_not_divide_a_day_is_refused(reader: TrendingReader, step: timedelta) -> None:
    with pytest.raises(TrendsError, match="divides a day and is a multiple of what a count spans"):
        reader.trend(HOUR, step=step)


def test_a_series_of_too_many_numbers_is_refused_before_it_is_asked_for(reader: TrendingReader) -> None:
    with pytest.raises(TrendsError, match="longer step"):
        reader.trend(10_000 * WINDOW, articles=["a", "b", "c", "d", "e", "f"])
    assert series.MAX_POINTS < 10_000 * 6


def test_a_heat_map_shows_the_top_articles_against_each_segment(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts(
        [
            count(day - MINUTE, "a", 4, region="tokyo"),
            count(day, "a", 3, region="osaka"),
            count(day, "b", 5, region="tokyo"),
            count(day, "c", 2, region="nara"),
            count(day, "d", 9, region="tokyo", gender="male"),
        ]
    )
    female = Segment(gender="female")
    heat_map = reader.heat_map(HOUR, ("region",), limit=2, segment=female, until=day + MINUTE)
    assert [(article.article_id, article.clicks) for article in heat_map.articles] == [("a", 7), ("b", 5)]
    assert [segment.as_dict()["region"] for segment in heat_map.segments] == ["nara", "osaka", "tokyo"]
    assert heat_map.cells == ((0, 3, 4), (0, 0, 5))
    assert heat_map.segment_clicks == (2, 3, 9)
    assert heat_map.cut


def test_a_heat_map_within_a_day_is_one_search_and_equals_the_one_over_midnight(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    def counts(minute: datetime) -> list[Count]:
        return [
            count(minute, f"article-{number:02}", 1 + number * 7 % 10, gender=gender, region=region)
            for number in range(30)
            for gender in ("female", "male")[: 1 + number % 2]
            for region in ("osaka", "tokyo", "nara")[: 1 + number % 3]
        ]

    add_counts(counts(day + HOUR))
    add_counts(counts(day + timedelta(days=4)))
    by = ("gender", "region")
    within = reader.heat_map(HOUR, by, limit=7, until=day + HOUR + MINUTE)
    over = reader.heat_map(2 * HOUR, by, limit=7, until=day + timedelta(days=4) + MINUTE)
    assert (within.searches, len(within.articles), len(within.segments)) == (1, 7, 6)
    assert over.searches == 2
    assert [row == again for row, again in zip(within.cells, over.cells, strict=True)] == [True] * 7
    assert (within.articles, within.segments) == (over.articles, over.segments)
    assert within.segment_clicks == over.segment_clicks
    assert (within.cut, over.cut) == (True, True)
    assert not reader.heat_map(HOUR, by, limit=30, until=day + HOUR + MINUTE).cut
    assert not reader.heat_map(2 * HOUR, by, limit=30, until=day + timedelta(days=4) + MINUTE).cut
    assert [sum(row) for row in within.cells] == [article.clicks for article in within.articles]


@pytest.mark.parametrize("flatness", [1, 3, 50])
def test_a_heat_map_over_midnight_shows_the_most_clicked_articles_of_both_days(
    reader: TrendingReader,
    add_counts: AddCounts,
    day: datetime,
    monkeypatch: pytest.MonkeyPatch,
    flatness: int,
) -> None:
    monkeypatch.setattr(top_articles, "PICTURE_CANDIDATES", 1)
    monkeypatch.setattr(top_articles, "SPARE_CANDIDATES", 0)  # 12 articles a day are listed, of 40
    rng = random.Random(flatness)
    searches = set()
    for number in range(1, 7):
        midnight = day + timedelta(days=number)
        counts = [
            count(midnight + at * MINUTE, f"{article:02}", 1 + rng.randrange(50) // flatness, region=region)
            for article in range(40)
            for at, region in ((-1, "osaka"), (-1, "tokyo"), (0, "tokyo"), (0, "nara"))
            if rng.random() < 0.7
        ]
        add_counts(counts)
        found = reader.heat_map(2 * MINUTE, ("region",), limit=3, until=midnight + MINUTE)
        searches.add(found.searches)
        sums: Counter[str] = Counter()
        cells: Counter[tuple[str, str]] = Counter()
        for each in counts:
            sums[each["article_id"]] += each["clicks"]
            cells[each["article_id"], each["region"]] += each["clicks"]
        expected = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:3]
        assert [(article.article_id, article.clicks) for article in found.articles] == expected
        assert found.cut
        assert [segment.as_dict()["region"] for segment in found.segments] == ["nara", "osaka", "tokyo"]
        assert found.cells == tuple(
            tuple(cells[article, region] for region in ("nara", "osaka", "tokyo")) for article, _ in expected
        )
    assert searches <= {2, 3, 4}
    assert (max(searches) > 2) == (flatness == 50)


def test_nothing_counted_gives_an_empty_heat_map_and_series_of_zeros(
    reader: TrendingReader, day: datetime
) -> None:
    heat_map = reader.heat_map(HOUR, ("region",), until=day)
    assert (heat_map.articles, heat_map.segments, heat_map.cells) == ((), (), ())
    assert [series.clicks for series in reader.trend(2 * WINDOW, until=day).series] == [(0, 0)]
    assert reader.trend(2 * WINDOW, by=("region",), until=day).series == ()


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
    assert totals == CountTotals(clicks=11, keys=2, newest_minute=day + MINUTE, newest_published_at=published)
    assert totals.age_of_newest_count(published + MINUTE) == MINUTE
    nothing = reader.totals(since=day + 2 * HOUR, until=day + 3 * HOUR)
    assert nothing == CountTotals(clicks=0, keys=0, newest_minute=None, newest_published_at=None)
    assert nothing.age_of_newest_count(day) is None


ReaderAt = Callable[[datetime], TrendingReader]


def test_an_answer_is_as_fresh_as_the_newest_count_of_any_reader(
    reader_at: ReaderAt, add_counts: AddCounts, day: datetime
) -> None:
    now = day + 10 * MINUTE
    add_counts(
        [
            count(now - 3 * MINUTE, "a", 1, gender="male", published_at=now - 100 * SECOND),
            count(now - MINUTE, "b", 1, published_at=now - 4 * SECOND),
            count(now - 16 * MINUTE, "b", 1, published_at=now - SECOND),
        ]
    )
    top = reader_at(now).top(5 * MINUTE, Segment(gender="male"))
    assert [article.article_id for article in top.articles] == ["a"]
    assert top.freshness.newest_published_at == now - 4 * SECOND
    assert top.freshness.newest_minute == now - MINUTE
    assert top.freshness.age == 4 * SECOND
    assert top.freshness.asked_at == now


def test_a_minute_is_complete_once_clicks_arrived_and_counts_were_delivered(
    reader_at: ReaderAt, add_counts: AddCounts, day: datetime
) -> None:
    published = day + 5 * WINDOW + 30 * SECOND
    add_counts([count(day + 4 * WINDOW, "a", 1, published_at=published)])
    after = published + 15 * SECOND  # to be delivered
    assert reader_at(after).freshness().complete_until == day + 5 * WINDOW
    # Other counts of that publication may still be on their way.
    assert reader_at(after - SECOND).freshness().complete_until is None
    add_counts([count(day + 4 * WINDOW, "b", 1, published_at=published - SECOND)])
    assert reader_at(after - SECOND).freshness().complete_until == day + 4 * WINDOW


def test_counts_that_stopped_an_hour_ago_are_shown_with_their_age(
    reader_at: ReaderAt, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "a", 1, published_at=day + MINUTE)])
    reader = reader_at(day + HOUR)
    assert reader.freshness().age == 59 * MINUTE
    assert reader.freshness().newest_minute == day
    top = reader.top(10 * MINUTE)
    assert (top.freshness.age, top.freshness.complete_until) == (None, None)
    assert top.freshness.since == day + 45 * MINUTE
    assert reader_at(day - 4 * HOUR).freshness().newest_published_at is None
