"""Which rankings may be written, and when."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.batch_server import EACH_COMBINATION, EACH_VALUE, ReadProgress, Segment
from clients.batch_server.answers import DELIVERY
from clients.batch_server.minutes import last_minutes
from clients.batch_server.progress import HANGING_READ, KEPT_SECONDS, PERIOD, SETTLING
from contract.click import MAX_ID_BYTES
from contract.count import SEGMENT_COLUMNS, WINDOW
from contract.ranking import ALL_READERS_KEY, MAX_ARTICLES, ServedRanking, segment_key
from lambdas.feedback.rankings import (
    due,
    groupings,
    is_from_the_future,
    kept_longer,
    newest_counted_until,
    rankings,
    unfit,
)
from settings.consistency import DELIVERED_AFTER, READ_KNOWN_AFTER, problems
from settings.feedback import FeedbackSettings
from settings.latency import CHECKPOINT_SECONDS
from tests.lambdas.feedback.conftest import FEMALE, NOON, SETTINGS, configuration_of, counted

SOME = {FEMALE: {"news-1": 9}}
MAX_ITEM_BYTES = 400 * 1024
"""DynamoDB developer guide, "Constraints in Amazon DynamoDB": an item with the names of its attributes."""


def before(**time: float) -> Any:
    return NOON - timedelta(**time)


def read(until: datetime, *, behind: float) -> ReadProgress:
    return ReadProgress(read_until=until, behind=timedelta(seconds=behind))


def test_current_counts_are_fit() -> None:
    assert unfit(counted(SOME), configuration_of()) is None


@pytest.mark.parametrize(
    ("freshness", "why"),
    [
        ({"newest_minute": None, "newest_published_at": None, "delivered_until": None}, "empty"),
        ({"newest_published_at": before(seconds=-61)}, "clock"),
        ({"newest_published_at": before(seconds=181)}, "stale"),
        ({"newest_minute": before(seconds=181) - WINDOW}, "behind"),
        ({"progress": ReadProgress(problem="CloudWatch is away")}, "unread"),
        ({"progress": read(before(minutes=10), behind=181)}, "behind"),
        ({"progress": read(before(minutes=10), behind=180)}, "incomplete"),
        ({"delivered_until": None}, "incomplete"),
        ({"delivered_until": before(minutes=10)}, "incomplete"),
    ],
)
def test_counts_that_may_lack_clicks_are_unfit(freshness: dict[str, Any], why: str) -> None:
    assert unfit(counted(SOME, **freshness), configuration_of()) == why


def test_slightly_late_counts_and_clocks_ahead_are_fit() -> None:
    ahead = {"newest_published_at": before(seconds=-60)}
    late = {"newest_published_at": before(seconds=180), "delivered_until": before(seconds=180)}
    catching_up = {"newest_minute": before(seconds=180) - WINDOW}
    for freshness in (ahead, late, catching_up):
        assert unfit(counted(SOME, **freshness), configuration_of()) is None


def test_an_answer_without_lists_is_unfit() -> None:
    assert unfit(counted({}), configuration_of()) == "empty"
    assert unfit(counted({FEMALE: {}}), configuration_of()) == "empty"


def test_a_segment_with_too_few_clicks_gets_no_ranking() -> None:
    found = rankings(counted({**SOME, Segment(gender="male"): {}}), configuration_of())
    assert [ranking.segment for ranking in found] == ["gender=female"]


def test_the_setting_chooses_the_segments() -> None:
    assert groupings(configuration_of()) == ((), *EACH_VALUE, *EACH_COMBINATION)
    assert groupings(configuration_of(segments=["each value"])) == EACH_VALUE


def test_a_ranking_is_fresh_until_three_runs_after_its_refresh() -> None:
    [ranking] = rankings(counted(SOME), configuration_of(refresh_minutes=5, period_minutes=2))
    assert ranking.fresh_until == int(NOON.timestamp()) + (5 + 3 * 2) * 60


def served(**changed: Any) -> ServedRanking:
    [ranking] = rankings(counted(SOME), configuration_of())
    return replace(ranking, **changed)


def test_a_wrong_clocks_ranking_hides_no_age_and_lets_none_expire() -> None:
    """Its segment has no more clicks, so nothing overwrites it."""
    later = NOON + timedelta(hours=40)
    year = timedelta(days=365)
    wrong = served(
        segment="gender=male", counted_until=NOON + year, fresh_until=int((NOON + year).timestamp())
    )
    good = served()
    assert newest_counted_until([wrong, good], now=later) == good.counted_until
    assert newest_counted_until([wrong], now=later) is None
    kept = kept_longer([wrong, good], configuration_of(), now=later)
    assert good.segment in {ranking.segment for ranking in kept}


def test_new_rankings_are_written_first_then_the_longest_unwritten() -> None:
    """Otherwise a table that does not take all of a run would never get the last ones."""
    regions = [f"region-{number}" for number in range(5)]
    found = rankings(counted({Segment(region=region): {"a": 9} for region in regions}), configuration_of())
    written_minutes_ago = {"region-0": 2, "region-1": 9, "region-3": 30, "region-4": 5}
    stored = {
        f"region={region}": served(
            segment=f"region={region}", articles=("b",), computed_at=before(minutes=ago)
        )
        for region, ago in written_minutes_ago.items()
    }
    for seen in (found, found[::-1]):
        order = [ranking.segment.removeprefix("region=") for ranking in due(seen, stored, configuration_of())]
        assert order == ["region-2", "region-3", "region-1", "region-4", "region-0"]


@pytest.mark.parametrize(("seconds_ahead", "written"), [(119, False), (120, False), (121, True)])
def test_an_unchanged_ranking_replaces_a_wrong_clocks_one(seconds_ahead: float, written: bool) -> None:
    [ranking] = rankings(counted(SOME), configuration_of())
    marked = served(counted_until=NOON + timedelta(seconds=seconds_ahead))
    assert due([ranking], {ranking.segment: marked}, configuration_of()) == ([ranking] if written else [])
    assert is_from_the_future(marked.counted_until, now=NOON) == written


@pytest.mark.parametrize(("refresh", "period", "keep", "enough"), [(60, 60, 2, 6), (60, 30, 3, 4)])
def test_a_ranking_must_be_out_of_date_before_it_expires(
    refresh: int, period: int, keep: int, enough: int
) -> None:
    def found(keep_hours: int) -> list[str]:
        feedback = SETTINGS.feedback.model_copy(
            update={"refresh_minutes": refresh, "period_minutes": period, "keep_hours": keep_hours}
        )
        changed = SETTINGS.model_copy(update={"feedback": feedback})
        return [problem for problem in problems(changed) if problem.startswith("feedback.keep_hours")]

    [problem] = found(keep)
    assert f"set it to {enough} or more" in problem
    assert found(enough) == []


@pytest.mark.parametrize(
    ("minutes", "publish_every", "enough"), [(1, 5, 6), (5, 5, 10), (1, 228, 6), (1, 229, 6), (1, 300, 7)]
)
def test_the_window_must_be_longer_than_completeness_takes(
    monkeypatch: pytest.MonkeyPatch, minutes: int, publish_every: int, enough: int
) -> None:
    monkeypatch.setattr("settings.consistency.WINDOW", timedelta(minutes=minutes))
    analytics = SETTINGS.analytics.model_copy(update={"publish_every_seconds": publish_every})

    def found(window: int) -> list[str]:
        feedback = SETTINGS.feedback.model_copy(update={"window_minutes": window})
        changed = SETTINGS.model_copy(update={"feedback": feedback, "analytics": analytics})
        return [problem for problem in problems(changed) if problem.startswith("feedback.window_minutes")]

    for window in (1, enough - 1):
        [problem] = found(window)
        assert f"set it to {enough} or more" in problem
    assert found(enough) == []


def test_counts_published_once_a_run_give_a_ranking_at_each_run() -> None:
    """Both every five minutes: each run sees counts of the same age."""
    oldest = timedelta(seconds=300 + CHECKPOINT_SECONDS[1]) + DELIVERY
    for second in range(60):
        asked_at = NOON + timedelta(seconds=second)
        published = asked_at - oldest
        answer = counted(SOME, newest_published_at=published, delivered_until=published)
        freshness = replace(answer.freshness, asked_at=asked_at, progress=read(asked_at, behind=0))
        complete = freshness.complete_until
        assert complete is not None
        assert complete > last_minutes(timedelta(minutes=7), asked_at).since


def test_the_settings_know_how_late_read_progress_is_known() -> None:
    """Two minutes: the newest whole one may have ended just under SETTLING ago, and its start counts."""
    late = SETTLING + 2 * PERIOD + timedelta(seconds=KEPT_SECONDS) + HANGING_READ
    assert late == READ_KNOWN_AFTER
    assert DELIVERY == DELIVERED_AFTER


def test_the_longest_ranking_with_the_longest_ids_fits_an_item() -> None:
    limit = FeedbackSettings.model_json_schema()["properties"]["articles"]["maximum"]
    assert limit == MAX_ARTICLES
    articles = {f"{number:0{MAX_ID_BYTES}}": 10**15 - number for number in range(MAX_ARTICLES)}
    longest = Segment(**dict.fromkeys(SEGMENT_COLUMNS, "v" * 500))
    [ranking] = rankings(counted({longest: articles}), configuration_of())
    assert item_bytes(ranking.as_item()) < MAX_ITEM_BYTES


def item_bytes(value: Any) -> int:
    """At least what DynamoDB counts: developer guide, "DynamoDB item sizes and formats"."""
    if isinstance(value, dict):
        return sum(len(name) + item_bytes(part) for name, part in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + item_bytes(part) for part in value)
    return len(value.encode()) if isinstance(value, str) else 21


def test_a_key_has_the_contracts_column_order_and_unchanged_values() -> None:
    assert segment_key({}) == ALL_READERS_KEY
    assert segment_key({"region": "東京", "gender": "female"}) == "gender=female&region=東京"
    assert segment_key({"region": "a&b=50%"}) == "region=a%26b%3D50%25"
    with pytest.raises(ValueError, match="a segment has no sex: its columns are"):
        segment_key({"sex": "female"})


VALUES = st.dictionaries(st.sampled_from(SEGMENT_COLUMNS), st.text(alphabet="ab%&=26D3all\n", max_size=6))


@given(VALUES, VALUES)
def test_two_segments_never_share_a_key(one: dict[str, str], other: dict[str, str]) -> None:
    assert (segment_key(one) == segment_key(other)) == (one == other)
