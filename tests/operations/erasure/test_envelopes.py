"""Records in base64 lose the reader's clicks, and what carries them stays readable."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.aggregation import user_records
from contract.click import read
from operations.erasure.cutting import Taken
from operations.erasure.envelopes import UnreadableEnvelopeError, cut_batch, cut_documents, cut_letters
from operations.erasure.reader import ErasedReader
from tests.aggregated import aggregated
from tests.analytics_sql.record_forms import Forms
from tests.operations.erasure.test_cutting import A, B, a_reader, written

HANAKO = ErasedReader("hanako")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def event_record(data: bytes, key: str = "k") -> dict[str, Any]:
    return {
        "kinesis": {"partitionKey": key, "data": encoded(data), "approximateArrivalTimestamp": 1770000000.25},
        "eventID": "0:1",
    }


def batch(records: list[bytes], *, as_text: bool = True, key: str = "k") -> bytes:
    event = {"Records": [event_record(record, key) for record in records]}
    payload = json.dumps(event, separators=(",", ":")) if as_text else event
    return json.dumps({"version": "1.0", "KinesisBatchInfo": {"batchSize": 9}, "payload": payload}).encode()


def records_of(invocation: bytes) -> list[bytes]:
    payload = json.loads(invocation)["payload"]
    event = json.loads(payload) if isinstance(payload, str) else payload
    return [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), chosen=st.integers(0, 2**16), as_text=st.booleans())
def test_the_rest_of_a_batch_that_was_given_up_reads_as_before(seed: int, chosen: int, as_text: bool) -> None:
    records = list(Forms(seed).records(4))
    before = [unit for record in records for unit in read(record)]
    reader = a_reader(before, chosen)
    taken = Taken()
    given_up = batch(records, as_text=as_text)
    left = cut_batch(given_up, reader, taken)
    kept = [unit for unit in before if not reader.has_clicked(unit)]
    assert written([unit for record in records_of(left) for unit in read(record)]) == written(kept)
    assert taken.units == len(before) - len(kept)
    if not taken.units:
        assert left == given_up


def test_a_batch_keeps_everything_beside_its_records_as_it_is() -> None:
    left = json.loads(cut_batch(batch([A, A + B, aggregated([A, B])]), HANAKO, Taken()))
    assert left["KinesisBatchInfo"] == {"batchSize": 9}
    first, second = records_of(json.dumps(left).encode())
    assert first == B
    assert user_records(second) == [B]
    [record, _] = json.loads(left["payload"])["Records"]
    assert record == event_record(B)


def test_a_record_under_the_readers_key_goes_unless_it_shows_another_reader() -> None:
    taken = Taken()
    left = cut_batch(batch([b"no click", b'{"click_id":"1"}', B], key="hanako"), HANAKO, taken)
    assert records_of(left) == [B]
    assert b"hanako" not in left


@pytest.mark.parametrize(
    "content", [b"no JSON", b"[]", b"{}", b'{"payload":"x"}', b'{"payload":{"Records":[1]}}']
)
def test_what_is_no_batch_is_said_and_not_passed_over(content: bytes) -> None:
    with pytest.raises(UnreadableEnvelopeError):
        cut_batch(content, HANAKO, Taken())


def document(data: bytes, **more: Any) -> bytes:
    return json.dumps({"attemptsMade": 4, "rawData": encoded(data), **more}).encode()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), chosen=st.integers(0, 2**16), glued=st.booleans())
def test_the_rest_of_documents_reads_as_before(seed: int, chosen: int, glued: bool) -> None:
    records = list(Forms(seed).records(4))
    before = [unit for record in records for unit in read(record)]
    reader = a_reader(before, chosen)
    content = (b"" if glued else b"\n").join(document(record) for record in records)
    left = cut_documents(content, reader, Taken(), reader.has_clicked)
    decoder, at, found = json.JSONDecoder(), 0, []
    text = left.decode().strip()
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        found += read(base64.b64decode(value["rawData"]))
        at += len(text[at:]) - len(text[at:].lstrip())
    kept = [unit for unit in before if not reader.has_clicked(unit)]
    assert written(found) == written(kept)
    if len(kept) == len(before):
        assert left == content


def test_a_damaged_document_or_letter_goes_if_it_holds_the_id() -> None:
    content = b'{"rawData": "hanako\n{"other": 1\n'
    assert cut_documents(content, HANAKO, Taken(), HANAKO.has_clicked) == b'{"other": 1\n'
    assert cut_letters(content, HANAKO, Taken()) == b'{"other": 1\n'


def letter(data: bytes, *, reason: str = "too_big", place: int | None = 0, key: str = "k") -> bytes:
    fields = {"reason": reason, "tag": None, "data": encoded(data), "partition_key": key, "place": place}
    return json.dumps(fields).encode() + b"\n"


@pytest.mark.parametrize(
    ("before", "left"),
    [
        (letter(A), b""),
        (letter(B), letter(B)),
        (letter(B, key="hanako"), letter(B, key="-")),
        (letter(b"{}", key="hanako"), b""),
        (letter(b'{"user_id":"hanako"', reason="unparseable"), b""),
        (letter(b'\xef\xbb\xbf{"user_id":"hanako"}', reason="unparseable", place=1), b""),
        (letter(b"{} rest", reason="unparseable"), letter(b"{} rest", reason="unparseable")),
        (letter(A + B, place=None), letter(B, place=None)),
        (letter(aggregated([A]), place=None), b""),
    ],
)
def test_a_dead_letter_goes_with_what_it_holds(before: bytes, left: bytes) -> None:
    content = letter(B) + before + letter(B)
    assert cut_letters(content, HANAKO, Taken()) == letter(B) + left + letter(B)
