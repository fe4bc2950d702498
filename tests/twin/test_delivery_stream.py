"""Firehose's S3 prefixes, and its handling of documents that OpenSearch refuses."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from twin.delivery_faults import DeliveryFaults
from twin.delivery_stream import (
    EmulatedDeliveryStream,
    S3Destination,
    SearchDestination,
    object_prefix,
    retryable,
)

AT = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)


def test_timestamp_expressions_become_the_hour_of_delivery() -> None:
    assert object_prefix("raw/!{timestamp:yyyy}/!{timestamp:MM/dd/HH}/", AT) == "raw/2026/01/31/09/"


def test_the_error_type_becomes_part_of_an_error_prefix() -> None:
    prefix = object_prefix("e/!{firehose:error-output-type}/!{timestamp:yyyy}/", AT, error_type="refused")
    assert prefix == "e/refused/2026/"


def test_refused_documents_are_under_their_error_type_and_hour() -> None:
    assert object_prefix("failed/", AT, error_type="refused") == "failed/refused/2026/01/31/09/"


def test_a_prefix_without_a_time_gets_the_hour() -> None:
    assert object_prefix("raw/", AT) == "raw/2026/01/31/09/"


class FakeSearch:
    """Answers each bulk request with the next of `answers`, a status for each document; the last one
    repeats."""

    def __init__(self, *answers: list[int]) -> None:
        self._answers = list(answers)
        self.documents: list[int] = []

    def bulk(self, *, body: bytes) -> dict[str, Any]:
        self.documents.append(body.count(b"\n") // 2)
        statuses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return {"items": [{"index": {"status": status}} for status in statuses]}


class FakeFailedPrefix:
    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []

    def deliver(self, records: list[bytes], _error_type: str) -> None:
        self.documents += [json.loads(record) for record in records]


def destination(search: FakeSearch, *, retry_seconds: float, conflicts_retried: bool) -> SearchDestination:
    made = SearchDestination.__new__(SearchDestination)
    made._index, made._own_document_ids, made._retry_seconds = "index", False, retry_seconds
    made._retryable = retryable(conflicts_retried=conflicts_retried)
    made._search, made._failed = search, FakeFailedPrefix()  # type: ignore[assignment]
    return made


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.delivery_stream._RETRY_PAUSE_SECONDS", 0.01)


def failed(made: SearchDestination) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = made._failed.documents  # type: ignore[attr-defined]
    return documents


def test_a_version_conflict_is_refused_at_once() -> None:
    search = FakeSearch([201, 409])
    made = destination(search, retry_seconds=60, conflicts_retried=False)
    made.deliver([b"{}", b"{}"])
    assert search.documents == [2]
    assert [(document["errorCode"], document["attemptsMade"]) for document in failed(made)] == [("409", 1)]


def test_a_version_conflict_is_retried_if_the_faults_say_so() -> None:
    search = FakeSearch([201, 409], [409])
    made = destination(search, retry_seconds=0.2, conflicts_retried=True)
    made.deliver([b"{}", b"{}"])
    assert search.documents[:3] == [2, 1, 1]
    [document] = failed(made)
    assert document["errorCode"] == "409"
    assert document["attemptsMade"] == len(search.documents)


def test_a_retryable_document_is_retried_until_it_is_taken() -> None:
    search = FakeSearch([429, 503], [201, 503], [201])
    made = destination(search, retry_seconds=60, conflicts_retried=False)
    made.deliver([b"{}", b"{}"])
    assert search.documents == [2, 2, 1]
    assert failed(made) == []


TO_S3 = {"BucketARN": "arn:aws:s3:::bucket", "RoleARN": "arn:aws:iam::000000000000:role/delivery"}
DELIMITER = {"ProcessingConfiguration": {"Processors": [{"Type": "AppendDelimiterToRecord"}]}}


@pytest.mark.parametrize(("configured", "body"), [({}, b"ab"), (DELIMITER, b"a\nb\n")])
def test_records_are_joined_unless_a_delimiter_is_configured(configured: dict[str, Any], body: bytes) -> None:
    emulator = mock.MagicMock()
    S3Destination(emulator, "raw-backup", {**TO_S3, **configured}).deliver([b"a", b"b"])
    assert emulator.client_as.return_value.put_object.call_args.kwargs["Body"] == body


@pytest.mark.parametrize(
    ("configured", "has_id"),
    [({}, True), ({"DocumentIdOptions": {"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"}}, False)],
)
def test_a_document_gets_the_delivery_streams_id_by_default(configured: dict[str, Any], has_id: bool) -> None:
    described = {"IndexName": "counts", "RoleARN": TO_S3["RoleARN"], "S3DestinationDescription": TO_S3}
    emulator = mock.MagicMock(search_endpoint="http://127.0.0.1:1")
    made = SearchDestination(emulator, "counts", {**described, **configured}, conflicts_retried=False)
    with mock.patch.object(made, "_search") as search:
        search.bulk.return_value = {"items": [{"index": {"status": 201}}]}
        made.deliver([b"{}"])
    action = json.loads(search.bulk.call_args.kwargs["body"].split(b"\n")[0])["index"]
    assert ("_id" in action) is has_id


def test_a_full_buffer_is_delivered_before_its_interval_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [[b"a" * 600_000], [b"b" * 600_000]]
    monkeypatch.setattr(EmulatedDeliveryStream, "_fetch", lambda _: waiting.pop(0) if waiting else [])
    hints = {"IntervalInSeconds": 3600, "SizeInMBs": 1}
    destination = {"ExtendedS3DestinationDescription": {**TO_S3, "BufferingHints": hints}}
    emulator, delivered = mock.MagicMock(), threading.Event()
    emulator.client.return_value.describe_delivery_stream.return_value = {
        "DeliveryStreamDescription": {"Destinations": [destination]}
    }
    put = emulator.client_as.return_value.put_object
    put.side_effect = lambda **_: delivered.set()
    stream = EmulatedDeliveryStream(emulator, "raw-backup", tmp_path, DeliveryFaults())
    try:
        assert delivered.wait(60)
        assert len(put.call_args.kwargs["Body"]) == 1_200_000
    finally:
        stream.stop()
