from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.forwarder.timestamps import to_contract_time

EARLIEST_IN_MILLISECONDS = datetime(1973, 3, 4)  # before, epoch milliseconds are as small as epoch seconds

offsets = st.integers(min_value=-23 * 60 - 59, max_value=23 * 60 + 59).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
times = st.datetimes(
    min_value=EARLIEST_IN_MILLISECONDS, max_value=datetime(5000, 1, 1), timezones=offsets
).map(lambda at: at.replace(fold=0))


def contract_form(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


@given(times)
def test_a_time_with_any_offset_becomes_utc_with_milliseconds(at: datetime) -> None:
    expected = contract_form(at)
    assert to_contract_time(at.isoformat(timespec="microseconds")) == expected
    assert to_contract_time(at.strftime("%Y-%m-%d %H:%M:%S,%f000%z")) == expected


@given(times)
def test_epoch_seconds_and_milliseconds_mean_the_same_time(at: datetime) -> None:
    seconds = int(at.astimezone(UTC).replace(microsecond=0).timestamp())
    milliseconds = seconds * 1000 + at.microsecond // 1000
    expected = contract_form(at)
    for form in (milliseconds, str(milliseconds), float(milliseconds), f"{seconds}.{at.microsecond:06}"):
        assert to_contract_time(form) == expected
    whole_second = contract_form(at.replace(microsecond=0))
    assert to_contract_time(seconds) == to_contract_time(str(seconds)) == whole_second


@given(times)
def test_the_contracts_form_stays_the_very_same_object(at: datetime) -> None:
    text = contract_form(at)
    assert to_contract_time(text) is text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31T12:34:56Z", "2026-01-31T12:34:56.000Z"),
        ("2026-01-31T21:34:56.7+09:00", "2026-01-31T12:34:56.700Z"),
        ("2026-01-31T21:34:56+0900", "2026-01-31T12:34:56.000Z"),
        ("2026-01-31T21:34:56+09", "2026-01-31T12:34:56.000Z"),
        ("2026-01-01 00:30:00.5 +09:00", "2025-12-31T15:30:00.500Z"),
        ("2026-01-31t12:34:56.999999999z", "2026-01-31T12:34:56.999Z"),
        (1767225600, "2026-01-01T00:00:00.000Z"),
        (1767225600.123, "2026-01-01T00:00:00.123Z"),
        ("1767225600123", "2026-01-01T00:00:00.123Z"),
        (0, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_the_usual_forms_are_understood(value: object, expected: str) -> None:
    assert to_contract_time(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "2026-01-31T12:34:56",  # whose midnight?
        "2026-01-31",
        "2026-02-31T12:34:56.000Z",
        "2026-01-31T24:00:00.000Z",
        "2026-01-31T12:34:60.000Z",
        "2026-01-31T12:34:56+24:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "\uff12026-01-31T12:34:56.000Z",  # a digit, but no ASCII one
        "2026-01-31T12:34:56.000Z\n2026",
        True,
        None,
        [],
        {"epoch": 1},
        -1,
        1767225600123456,  # microseconds
        float("inf"),
        float("nan"),
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        to_contract_time(value)
