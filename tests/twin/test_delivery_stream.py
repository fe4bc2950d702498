"""Firehose's S3 prefixes, and its handling of documents that OpenSearch refuses."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from contract.click import Click, Unread, read, read_line
from tests.aggregated import aggregated
from twin.delivery_faults import DeliveryFaults
from twin.delivery_stream import (
    EmulatedDeliveryStream,
    S3Destination,
    SearchDestination,
    delivered_parts,
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


CLICK = b'{"click_id": "1"}'


@pytest.mark.parametrize(
    ("record", "parts"),
    [
        (aggregated([CLICK, CLICK + b"\n", b""]), [CLICK, CLICK + b"\n", b""]),
        (aggregated([]), []),
        (aggregated([aggregated([CLICK])]), [aggregated([CLICK])]),
        (aggregated([CLICK])[:-1] + b"?", [aggregated([CLICK])[:-1] + b"?"]),
        (CLICK + b"\n" + CLICK, [CLICK + b"\n" + CLICK]),
        (b"", [b""]),
    ],
)
def test_an_aggregated_record_is_delivered_as_its_user_records(record: bytes, parts: list[bytes]) -> None:
    assert delivered_parts(record) == parts


def raw_backup(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *reads: list[bytes],
    repeated: float = 0,
    size_mib: int = 64,
) -> tuple[EmulatedDeliveryStream, mock.Mock]:
    """A delivery stream without its worker, whose source gives the records of one read after another, and its
    put_object."""
    waiting = [[mock.Mock(data=record) for record in records] for records in reads]
    reader = mock.Mock(read_all=lambda: waiting.pop(0) if waiting else [])
    monkeypatch.setattr("twin.delivery_stream.ShardReader", lambda *_: reader)
    monkeypatch.setattr("twin.delivery_stream.Worker", mock.Mock())
    hints = {"IntervalInSeconds": 3600, "SizeInMBs": size_mib}
    destination = {"ExtendedS3DestinationDescription": {**TO_S3, **DELIMITER, "BufferingHints": hints}}
    source = {"KinesisStreamSourceDescription": {"RoleARN": TO_S3["RoleARN"], "KinesisStreamARN": "stream"}}
    emulator = mock.MagicMock()
    emulator.client.return_value.describe_delivery_stream.return_value = {
        "DeliveryStreamDescription": {"Destinations": [destination], "Source": source}
    }
    faults = DeliveryFaults(repeated=repeated, delayed=0)
    stream = EmulatedDeliveryStream(emulator, "raw-backup", folder, faults, publisher=mock.Mock())
    return stream, emulator.client_as.return_value.put_object


def test_nothing_tells_the_object_of_a_repeated_delivery_from_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, put = raw_backup(tmp_path, monkeypatch, [CLICK], repeated=1)
    stream.flush()
    first, again = (dict(call.kwargs) for call in put.call_args_list)
    assert first.pop("Key") != again.pop("Key")
    assert first == again


def test_a_streams_records_are_backed_up_in_the_lines_that_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        CLICK,
        CLICK + b"\n",
        CLICK * 2 + b"\n" + CLICK,
        CLICK + b"\r" + CLICK + b"\r\n",
        aggregated([CLICK, b"\xef\xbb\xbf" + CLICK + b" cut", aggregated([CLICK])]),
        aggregated([CLICK])[:-1] + b"?",
        b"\n\n",
        b'{"click_id": "2',
    ]
    stream, put = raw_backup(tmp_path, monkeypatch, records)
    stream.flush()
    expected = [unit for record in records for unit in read(record)]

    def units(content: bytes) -> list[Click | Unread]:
        return [unit for line in content.split(b"\n") for unit in read_line(line)]

    [call] = put.call_args_list
    assert units(call.kwargs["Body"]) == units(stream.journal.read_bytes()) == expected
    assert stream.received == len(records) + 2  # one had three user records


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
    stream, put = raw_backup(tmp_path, monkeypatch, [b"a" * 600_000], [b"b" * 600_000], size_mib=1)
    stream._step()
    assert put.call_args_list == []
    stream._step()
    [call] = put.call_args_list
    assert call.kwargs["Body"] == b"a" * 600_000 + b"\n" + b"b" * 600_000 + b"\n"
