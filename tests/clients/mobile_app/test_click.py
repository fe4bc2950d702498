"""A click as a record, held against the contract for any ids and times."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.mobile_app.click import MAX_PARTITION_KEY_CHARACTERS, click_line, partition_key

CONTRACT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
AT = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=zones)


@given(click_id=ids, user_id=ids, article_id=ids, clicked_at=times)
def test_a_click_is_one_line_that_says_what_it_was_given(
    click_id: str, user_id: str, article_id: str, clicked_at: datetime
) -> None:
    line = click_line(click_id=click_id, user_id=user_id, article_id=article_id, clicked_at=clicked_at)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    click = json.loads(line)
    at = click.pop("clicked_at")
    assert click == {"click_id": click_id, "user_id": user_id, "article_id": article_id}
    assert CONTRACT_TIME.fullmatch(at)
    assert timedelta() <= clicked_at - datetime.fromisoformat(at) < timedelta(milliseconds=1)


def test_optional_fields_are_there_when_given() -> None:
    line = click_line(click_id="1", user_id="u", article_id="a", clicked_at=AT, platform="ios", position=0)
    assert json.loads(line) == {
        "click_id": "1",
        "clicked_at": "2026-01-31T09:15:00.000Z",
        "user_id": "u",
        "article_id": "a",
        "platform": "ios",
        "position": 0,
    }


@pytest.mark.parametrize("user_id", ["", "x" * 513, "ユ" * 171])
def test_an_id_that_the_system_would_reject_is_refused_at_once(user_id: str) -> None:
    with pytest.raises(ValueError, match="give 1 to 512"):
        click_line(click_id="1", user_id=user_id, article_id="a", clicked_at=AT)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        click_line(click_id="1", user_id="u", article_id="a", clicked_at=AT.replace(tzinfo=None))


@given(user_id=st.text(max_size=400), data=st.binary(min_size=1))
def test_a_partition_key_is_the_users_id_or_else_one_that_kinesis_takes(user_id: str, data: bytes) -> None:
    key = partition_key(user_id, data)
    assert 1 <= len(key) <= MAX_PARTITION_KEY_CHARACTERS
    assert key == partition_key(user_id, data)
    if user_id.isprintable() and 1 <= len(user_id) <= MAX_PARTITION_KEY_CHARACTERS:
        assert key == user_id
