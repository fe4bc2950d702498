"""The S3 prefixes that Firehose writes, and what it does with a document that OpenSearch refuses."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from twin.delivery_stream import SearchDestination, object_prefix, retryable

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


class FakeSearch:
    """Answers each bulk request with the next of `answers`, a status a document; the last one for ever."""

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


def test_a_version_conflict_is_refused_for_good_at_once() -> None:
    search = FakeSearch([201, 409])
    made = destination(search, retry_seconds=60, conflicts_retried=False)
    made.deliver([b"{}", b"{}"])
    assert search.documents == [2]
    assert [(document["errorCode"], document["attemptsMade"]) for document in failed(made)] == [("409", 1)]


def test_a_version_conflict_is_retried_for_the_retry_duration_where_the_faults_say_so() -> None:
    search = FakeSearch([201, 409], [409])
    made = destination(search, retry_seconds=0.2, conflicts_retried=True)
    made.deliver([b"{}", b"{}"])
    assert search.documents[:3] == [2, 1, 1]
    [document] = failed(made)
    assert document["errorCode"] == "409"
    assert document["attemptsMade"] == len(search.documents)


def test_a_document_refused_for_now_is_retried_until_it_is_taken() -> None:
    search = FakeSearch([429, 503], [201, 503], [201])
    made = destination(search, retry_seconds=60, conflicts_retried=False)
    made.deliver([b"{}", b"{}"])
    assert search.documents == [2, 2, 1]
    assert failed(made) == []
