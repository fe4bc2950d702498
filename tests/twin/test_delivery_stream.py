"""The S3 prefixes that Firehose writes."""

from datetime import UTC, datetime

from twin.delivery_stream import object_prefix

AT = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)


def test_timestamp_expressions_become_the_hour_of_delivery() -> None:
    assert object_prefix("raw/!{timestamp:yyyy}/!{timestamp:MM/dd/HH}/", AT) == "raw/2026/01/31/09/"


def test_the_error_type_becomes_part_of_an_error_prefix() -> None:
    prefix = object_prefix("e/!{firehose:error-output-type}/!{timestamp:yyyy}/", AT, error_type="refused")
    assert prefix == "e/refused/2026/"


def test_refused_documents_stand_under_their_error_type_and_hour() -> None:
    assert object_prefix("failed/", AT, error_type="refused") == "failed/refused/2026/01/31/09/"


def test_a_prefix_without_a_time_gets_the_hour() -> None:
    assert object_prefix("raw/", AT) == "raw/2026/01/31/09/"
