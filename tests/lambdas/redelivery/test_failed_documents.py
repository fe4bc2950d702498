"""The fate of a document that OpenSearch did not take."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.redelivery.failed_documents import (
    MAX_PAUSE_SECONDS,
    REFUSED,
    TOO_LONG,
    UNREADABLE,
    Fate,
    GivenUp,
    Patience,
    Retry,
    Stale,
)
from lambdas.shared.failed_documents import documents, raw_data
from tests.lambdas.redelivery.documents import PUBLISHED_AT, as_record, count, failed

DAY = 24 * 3600
PATIENCE = Patience(first_pause_seconds=60, give_up_after_seconds=DAY)


def fate(document: dict[str, Any], *, written_at: float = PUBLISHED_AT + 360) -> Fate:
    return PATIENCE.fate(document, failed_at=written_at)


@pytest.mark.parametrize("code", ["503", "429", "403", "404", "500", "413", "ES.ServiceException", None, 503])
def test_a_retryable_document_waits(code: Any) -> None:
    assert fate(failed(as_record(count(5)), code=code)) == Retry(60, 60)


@pytest.mark.parametrize("code", ["409", 409])
def test_a_version_conflict_is_stale(code: Any) -> None:
    assert fate(failed(as_record(count(5)), code=code)) == Stale()


@pytest.mark.parametrize("code", ["400", 400])
def test_a_mapping_error_is_given_up_at_once(code: Any) -> None:
    assert fate(failed(as_record(count(5)), code=code)) == GivenUp(REFUSED)


def test_a_count_that_fails_a_day_after_its_publication_is_given_up() -> None:
    assert fate(failed(as_record(count(5)), age=DAY)) == Retry(1920, DAY)
    assert fate(failed(as_record(count(5)), age=DAY + 1)) == GivenUp(TOO_LONG)


def test_a_count_published_long_after_its_failure_is_unreadable() -> None:
    """It would be redelivered until its year, 9999 at most."""
    an_hour_ahead = datetime.fromtimestamp(PUBLISHED_AT + 3600, UTC).isoformat()
    assert fate(failed(as_record(count(5, published_at=an_hour_ahead)), age=0)) == Retry(60, -3600)
    for far in ("9999-12-31T23:59:59.999Z", "2026-01-02T00:00:01Z"):
        assert fate(failed(as_record(count(5, published_at=far)), age=0)) == GivenUp(UNREADABLE)


def test_age_is_at_the_failure_so_a_late_function_still_retries_once() -> None:
    a_month_later = PUBLISHED_AT + 30 * DAY
    assert fate(failed(as_record(count(5)), age=60), written_at=a_month_later) == Retry(60, 60)


def test_the_pause_grows_with_each_failure_to_an_hour() -> None:
    """Each failure follows the last by a pause, a minute of Firehose's retries and five of its buffer."""
    age, pauses = 360.0, []
    while age <= DAY:
        pauses.append(PATIENCE.pause_after(age))
        age += pauses[-1] + 360
    assert pauses[:6] == [120, 240, 480, 960, 960, 1920]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 1920  # the largest doubling of 60 s within an hour
    assert len(pauses) < 45


@given(st.floats(min_value=-DAY, max_value=10 * DAY), st.integers(min_value=1, max_value=3600))
def test_a_pause_is_within_its_bounds_for_any_age(age: float, first: int) -> None:
    pause = Patience(first_pause_seconds=first, give_up_after_seconds=DAY).pause_after(age)
    assert first <= pause <= MAX_PAUSE_SECONDS


@pytest.mark.parametrize("value", [None, "soon", [], {}])
def test_a_document_without_a_failure_time_takes_its_objects(value: Any) -> None:
    document = failed(as_record(count(5)), attemptEndingTimestamp=value)
    assert fate(document, written_at=PUBLISHED_AT + 600) == Retry(240, 600)


def test_the_failure_time_may_be_a_number_or_text() -> None:
    at = int((PUBLISHED_AT + 600) * 1000)
    for form in (at, str(at)):
        assert fate(failed(as_record(count(5)), attemptEndingTimestamp=form)) == Retry(240, 600)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"rawData": None},
        {"rawData": "no base64!"},
        {"rawData": 7},
        failed(b""),
        failed(b"not json"),
        failed(b"[]"),
        failed(b"7"),
        failed(as_record(count(5, published_at="yesterday"))),
        failed(json.dumps({"clicks": 5}).encode()),
        failed(json.dumps({"published_at": 1}).encode()),
        failed(b"[" * 100_000),
    ],
)
def test_a_document_without_a_count_is_given_up_as_unreadable(document: dict[str, Any]) -> None:
    assert fate(document) == GivenUp(UNREADABLE)


@pytest.mark.parametrize("field", [*failed(b"")])
def test_a_value_without_a_text_form_is_handled(field: str) -> None:
    """Some depths of nesting can be read but not shown, depending on Python's version."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    fate({**failed(as_record(count(5))), field: deep})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from([*failed(b"")]), json_values)
def test_no_value_in_a_documents_field_breaks_it(field: str, value: Any) -> None:
    fate({**failed(as_record(count(5))), field: value})


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    for _, document in documents(data.splitlines(keepends=True)):
        if document is not None:
            fate(document)


def test_documents_are_read_with_or_without_line_breaks_between_them() -> None:
    whole = [
        json.dumps(failed(as_record(count(clicks))), ensure_ascii=False).encode() for clicks in (1, 2, 3)
    ]
    together = whole[0] + whole[1] + b" " + whole[2]
    for lines in ([one + b"\n" for one in whole], [b"\n", together + b"\r\n", b"  \n"]):
        found = list(documents(lines))
        assert [line for line, _ in found] == whole
        assert [json.loads(raw_data(document) or b"")["clicks"] for _, document in found if document] == [
            1,
            2,
            3,
        ]


@pytest.mark.parametrize("line", [b"{", b"nonsense", b"\xff\xfe", b'"text"', b"[]", b"7", b"[" * 100_000])
def test_a_poison_line_leaves_the_next_one_readable(line: bytes) -> None:
    good = json.dumps(failed(as_record(count(5)))).encode()
    found = list(documents([line + b"\n", good + b"\n"]))
    assert (line, None) == found[0]
    assert found[1][0] == good


def test_a_line_cut_off_after_a_good_document_leaves_both() -> None:
    good = json.dumps(failed(as_record(count(5)))).encode()
    found = list(documents([good + good[:39]]))
    assert [(line, document is None) for line, document in found] == [(good, False), (good[:39], True)]
