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
def test_a_time_in_the_contracts_form_is_returned_as_is(at: datetime) -> None:
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
def test_common_formats_are_accepted(value: object, expected: str) -> None:
    assert to_contract_time(value) == expected


NOON = "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    ("writer", "text", "expected"),
    [
        ("Java Instant.toString", "2026-01-31T12:00:00Z", NOON),
        ("Java Instant.toString", "2026-01-31T12:00:00.120Z", "2026-01-31T12:00:00.120Z"),
        ("Java Instant.toString", "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123Z"),
        ("Java Instant.toString", "2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123Z"),
        ("Java OffsetDateTime.toString, full minute", "2026-01-31T12:00Z", NOON),
        ("Java OffsetDateTime.toString, full minute", "2026-01-31T21:00+09:00", NOON),
        ("Java OffsetDateTime.toString", "2026-01-31T21:00:00.000000001+09:00", NOON),
        (
            "Java OffsetDateTime.toString, offset of seconds",
            "1887-12-31T21:18:59+09:18:59",
            "1887-12-31T12:00:00.000Z",
        ),
        ("Java ZonedDateTime.toString", "2026-01-31T21:00+09:00[Asia/Tokyo]", NOON),
        ("Java ZonedDateTime.toString", "2026-01-31T12:00Z[UTC]", NOON),
        ("Java SimpleDateFormat with Z", "2026-01-31T21:00:00.000+0900", NOON),
        ("Kotlin Instant.toString", "2026-01-31T12:00:00.100Z", "2026-01-31T12:00:00.100Z"),
        ("JavaScript Date.toISOString", "2026-01-31T12:00:00.000Z", NOON),
        ("JavaScript Temporal.Instant.toString", "2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.100Z"),
        ("JavaScript Temporal.ZonedDateTime.toString", "2026-01-31T21:00:00+09:00[Asia/Tokyo]", NOON),
        ("Swift ISO8601DateFormatter", "2026-01-31T12:00:00Z", NOON),
        ("Swift ISO8601DateFormatter in a zone", "2026-01-31T21:00:00+09:00", NOON),
        ("Swift ISO8601DateFormatter without colons", "2026-01-31T210000+0900", NOON),
        ("Swift ISO8601DateFormatter, all options off", "20260131T120000Z", NOON),
        ("Swift ISO8601DateFormatter, space between", "2026-01-31 12:00:00Z", NOON),
        ("Dart DateTime.toIso8601String", "2026-01-31T12:00:00.000001Z", NOON),
        ("Dart DateTime.toString", "2026-01-31 12:00:00.000Z", NOON),
        ("Python datetime.isoformat", "2026-01-31T12:00:00+00:00", NOON),
        ("Python datetime.isoformat", "2026-01-31T12:00:00.000001+00:00", NOON),
        ("Python datetime.isoformat in minutes", "2026-01-31T12:00+00:00", NOON),
        ("Python datetime.isoformat in hours", "2026-01-31T21+09:00", NOON),
        ("Python datetime.isoformat, offset of seconds", "2026-01-31T21:18:59+09:18:59", NOON),
        ("Python str(datetime)", "2026-01-31 12:00:00+00:00", NOON),
        ("Go time.RFC3339Nano", "2026-01-31T12:00:00.12Z", "2026-01-31T12:00:00.120Z"),
        ("Go time.RFC3339", "2026-01-31T03:00:00-09:00", NOON),
        ("C# DateTime, round-trip", "2026-01-31T12:00:00.1234567Z", "2026-01-31T12:00:00.123Z"),
        ("C# DateTimeOffset, round-trip", "2026-01-31T21:00:00.0000000+09:00", NOON),
        ("C# universal sortable", "2026-01-31 12:00:00Z", NOON),
        ("Ruby Time.iso8601", "2026-01-31T21:00:00+09:00", NOON),
        ("Ruby Time.to_s", "2026-01-31 21:00:00 +0900", NOON),
        ("PHP DATE_ISO8601", "2026-01-31T21:00:00+0900", NOON),
        ("Rust chrono to_rfc3339", "2026-01-31T12:00:00.000000001+00:00", NOON),
        ("PostgreSQL timestamptz", "2026-01-31 21:00:00.5+09", "2026-01-31T12:00:00.500Z"),
    ],
)
def test_formats_of_platforms_standard_libraries_are_accepted(writer: str, text: str, expected: str) -> None:
    assert to_contract_time(text) == expected, writer


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "2026-01-31T12:34:56",  # whose midnight?
        "2026-01-31",
        "2026-01-31Z",
        "2026-01-31T12:00",
        "2026-01-31T12:00[Asia/Tokyo]",  # no offset: twice a year an hour comes twice
        "2026-0131T12:00:00Z",
        "2026-01-31T12:0000Z",
        "2026-01-31T12:00:Z",
        "2026-01-31T12:00.5Z",
        "+12026-01-31T12:00:00Z",
        10**400,
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
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        to_contract_time(value)
