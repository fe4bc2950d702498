"""The function against emulated S3 and Firehose, with failures."""

import gzip
import json
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from lambdas.redelivery import handler as entry_point
from lambdas.redelivery import objects, redelivery
from lambdas.redelivery.configuration import RedeliveryConfiguration
from lambdas.redelivery.failed_documents import Fate, Patience
from lambdas.redelivery.metrics import Outcomes
from lambdas.redelivery.redelivery import RESERVE_SECONDS
from lambdas.shared.destinations import Outgoing
from names import FAILED_DOCUMENTS_PREFIX
from tests.faults import ScriptedEndpoint
from tests.lambdas.redelivery.conftest import (
    ENOUGH_SECONDS,
    GIVEN_UP,
    WAITING,
    Deposit,
    OfAMinute,
    ScriptedDeliveryStream,
    published,
    run,
    with_stream,
)
from tests.lambdas.redelivery.documents import as_object, failed, records

LATER = 4 * 3600.0


def test_a_count_is_redelivered_unchanged_after_its_pause_and_once(deposit: Deposit) -> None:
    sent = records(3)
    deposit.fail("one", [failed(record) for record in sent])
    assert run(deposit).waiting == 3
    assert deposit.listed(FAILED_DOCUMENTS_PREFIX) == []
    assert deposit.taken() == []
    assert run(deposit, after=30).redelivered == 0
    assert run(deposit, after=62).redelivered == 3
    assert deposit.taken() == sent
    assert run(deposit, after=LATER) == Outcomes()
    assert deposit.listed() == []


def test_an_objects_documents_are_sorted_by_fate(deposit: Deposit) -> None:
    fresh, old, stale, refused, ancient = records(5)
    deposit.fail(
        "mixed",
        [
            failed(fresh),
            failed(stale, code="409", message="version conflict"),
            b"poison",
            failed(old, age=3600),
            failed(refused, code="400", message="mapper_parsing_exception"),
            failed(ancient, age=25 * 3600),
        ],
    )
    outcomes = run(deposit)
    assert (outcomes.stale, outcomes.waiting) == (1, 2)
    assert outcomes.given_up == Counter(unreadable=1, refused=1) + Counter({"too-long": 1})
    assert run(deposit, after=62).redelivered == 1
    assert deposit.taken() == [fresh]
    assert run(deposit, after=1_000).redelivered == 1
    assert deposit.taken() == [old]
    folders = Counter(key.removeprefix(GIVEN_UP).split("/")[0] for key in deposit.listed())
    assert folders == Counter({"refused": 1, "too-long": 1, "unreadable": 1})


def test_a_given_up_document_is_kept_and_redelivered_by_a_move(deposit: Deposit) -> None:
    """docs/operate/redelivery.md tells the operator to do this once the cause is fixed."""
    [record] = records(1)
    document = failed(record, code="400", message="pipeline does not exist")
    deposit.fail("one", [document])
    run(deposit)
    [key] = deposit.listed(GIVEN_UP)
    body = deposit.s3.get_object(Bucket=deposit.name, Key=key)["Body"].read()
    assert json.loads(gzip.decompress(body)) == document
    deposit.put(WAITING + key.removeprefix(f"{GIVEN_UP}refused/"), body)
    assert run(deposit).redelivered == 1
    assert deposit.taken() == [record]


def test_moving_back_documents_of_all_reasons_overwrites_nothing(deposit: Deposit) -> None:
    refused, old = records(2)
    deposit.fail("mixed", [failed(refused, code="400"), failed(old, age=25 * 3600)])
    run(deposit)
    moved = [f"{WAITING}{key.rpartition('/')[2]}" for key in deposit.listed(GIVEN_UP)]
    assert len(set(moved)) == 2


def test_a_count_of_a_former_index_family_never_reaches_the_new_one(deposit: Deposit) -> None:
    """A generation with another window keeps the columns: a minute's count would win over that of its first
    ten seconds."""
    former = failed(*records(1), esIndexName="click-counts-0.undated")
    deposit.fail("before-the-deployment", [former])
    assert run(deposit).given_up == Counter({"former-index": 1})
    waited = f"{WAITING}20260101T000000Z-sorted-by-the-former-code.json.gz"
    deposit.put(waited, as_object([former]))
    assert run(deposit).given_up == Counter({"former-index": 1})
    assert deposit.taken() == []
    assert len(deposit.listed(f"{GIVEN_UP}former-index/")) == 2
    assert deposit.listed(WAITING) == []


def test_each_sink_gets_its_own_documents_back(deposit: Deposit) -> None:
    mine, other = records(1, article="mine"), records(1, article="other")
    deposit.fail("one", [failed(*mine)])
    deposit.fail("one", [failed(*other)], sink="others")
    run(deposit)
    run(deposit, after=62)
    assert deposit.taken("counts") == mine
    assert deposit.taken("others") == other


def test_an_uncompressed_object_is_read_too(deposit: Deposit) -> None:
    sent = records(2)
    lines = [json.dumps(failed(record)).encode() for record in sent]
    deposit.put(f"{FAILED_DOCUMENTS_PREFIX}counts/AmazonOpenSearchService_failed/plain", b"".join(lines))
    run(deposit)
    run(deposit, after=62)
    assert deposit.taken() == sent


@pytest.mark.parametrize("cut", [20, 0.5, -1])
def test_a_damaged_object_is_given_up_whole_and_alone(deposit: Deposit, cut: float) -> None:
    key = deposit.fail("damaged", [failed(record) for record in records(50)])
    whole = deposit.s3.get_object(Bucket=deposit.name, Key=key)["Body"].read()
    damaged = whole[: int(len(whole) * cut) if isinstance(cut, float) else cut]
    deposit.put(key, damaged)
    good = records(1, article="good")
    deposit.fail("good", [failed(*good)])
    outcomes = run(deposit)
    assert outcomes.given_up == Counter(unreadable=1)
    [kept] = deposit.listed(GIVEN_UP)
    assert kept.endswith("-whole.json.gz")
    assert deposit.s3.get_object(Bucket=deposit.name, Key=kept)["Body"].read() == damaged
    run(deposit, after=62)
    assert deposit.taken() == good


def test_an_empty_object_is_deleted(deposit: Deposit) -> None:
    deposit.put(f"{FAILED_DOCUMENTS_PREFIX}counts/AmazonOpenSearchService_failed/empty", b"")
    assert run(deposit) == Outcomes()
    assert deposit.listed() == []


def test_an_object_too_large_for_an_invocation_is_given_up_whole(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivery, "MAX_OBJECT_BYTES", 100)
    deposit.fail("large", [failed(record) for record in records(100)])
    assert run(deposit).given_up == Counter(unreadable=1)
    assert len(deposit.listed(GIVEN_UP)) == 1


@pytest.mark.parametrize(("more_bytes", "given_up"), [(0, 0), (1, 1)])
def test_an_object_of_up_to_64_mib_is_sorted(
    more_bytes: int, given_up: int, deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Larger than the largest one measured to be sorted in half an invocation: docs/operate/redelivery.md."""
    key = deposit.fail("large", [failed(*records(1))])
    deposit.now = time.time()
    function = deposit.redelivery()
    size = 64 * 1024 * 1024 + more_bytes
    listed = [objects.StoredObject(key, size, deposit.now)]
    monkeypatch.setattr(
        function._bucket, "objects", lambda prefix: iter(listed if key.startswith(prefix) else [])
    )
    outcomes = function.run(ENOUGH_SECONDS)
    assert (outcomes.waiting, outcomes.given_up.total()) == (1 - given_up, given_up)


def stumble_over(stones: set[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen bug that these documents trigger."""
    fate = Patience.fate

    def stumble(self: Patience, document: dict[str, Any], *, failed_at: float) -> Fate:
        if b64decode(document["rawData"]) in stones:
            raise OverflowError("int too large to convert to float")
        return fate(self, document, failed_at=failed_at)

    monkeypatch.setattr(Patience, "fate", stumble)


def test_an_unexpected_document_is_given_up_and_the_others_are_redelivered(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stone, *good = records(4)
    stumble_over({stone}, monkeypatch)
    deposit.fail("one", [failed(record) for record in (stone, *good)])
    outcomes = run(deposit)
    assert (outcomes.given_up, outcomes.problems) == (Counter(unexpected=1), [])
    run(deposit, after=62)
    assert deposit.taken() == good
    assert len(deposit.listed(f"{GIVEN_UP}unexpected/")) == 1


def test_an_object_of_mostly_unexpected_documents_waits_for_a_fix(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = records(20)
    deposit.fail("one", [failed(record) for record in sent])
    with monkeypatch.context() as broken:
        stumble_over({*sent[:10]}, broken)
        [problem] = run(deposit).problems
    assert "10 of 20 documents are unexpected" in problem
    assert deposit.listed(GIVEN_UP) == deposit.listed(WAITING) == []
    run(deposit)
    run(deposit, after=62)
    assert Counter(deposit.taken()) == Counter(sent)


GARBLED = [b"", b"[]", b'"x"', b"null", b"\xff\xfe\x00", b"<html>", b'{"RequestResponses": [null]}']


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("body", GARBLED)
def test_a_count_stays_after_an_unreadable_answer_of_firehose(
    body: bytes, status: int, deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = records(1)
    deposit.fail("one", [failed(record) for record in sent])
    run(deposit)
    with ScriptedEndpoint(otherwise=body) as garbled:
        garbled.status = status
        monkeypatch.setenv("AWS_ENDPOINT_URL_FIREHOSE", garbled.endpoint)
        deposit.now = time.time() + 62
        # On a busy machine the second may be over before the first attempt.
        runs = (deposit.redelivery().run(RESERVE_SECONDS + 1).problems for _ in range(30))
        [problem] = next(filter(None, runs))
        assert "Firehose did not take all" in problem
    monkeypatch.delenv("AWS_ENDPOINT_URL_FIREHOSE")
    assert run(deposit, after=62).redelivered == 1
    assert deposit.taken() == sent


@pytest.mark.parametrize("body", GARBLED)
def test_an_unreadable_list_of_objects_is_reported(
    body: bytes, deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)  # between its attempts
    with ScriptedEndpoint(otherwise=body) as garbled:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", garbled.endpoint)
        outcomes = deposit.redelivery().run(ENOUGH_SECONDS)
    assert outcomes.problems or not body.strip()


def test_many_documents_wait_in_parts_of_limited_size(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PART_DOCUMENTS", 400)
    sent = records(1_001)
    deposit.fail("many", [failed(record) for record in sent])
    run(deposit)
    assert len(deposit.listed(WAITING)) == 3
    run(deposit, after=62)
    assert Counter(deposit.taken()) == Counter(sent)


def test_large_lines_end_a_part_by_bytes(deposit: Deposit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 100_000)
    deposit.fail("large", [b"x" * 60_000] * 4)
    run(deposit)
    assert len(deposit.listed(GIVEN_UP)) == 2


def test_without_time_nothing_begins_and_nothing_is_a_problem(deposit: Deposit) -> None:
    deposit.fail("one", [failed(record) for record in records(3)])
    deposit.now = time.time()
    assert deposit.redelivery().run(RESERVE_SECONDS) == Outcomes()
    assert len(deposit.listed(FAILED_DOCUMENTS_PREFIX)) == 1


def test_counts_are_put_no_faster_than_configured(deposit: Deposit, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("lambdas.redelivery.redelivery.time.sleep", pauses.append)
    deposit.fail("one", [failed(record) for record in records(500)])
    run(deposit)
    fields = {**vars(deposit.configuration), "records_per_second": 100}
    deposit.now = time.time() + 62
    function = redelivery.Redeliverer(RedeliveryConfiguration(**fields), clock=lambda: deposit.now)
    assert function.run(ENOUGH_SECONDS).redelivered == 500
    assert max(pauses) == pytest.approx(5.0, abs=1.0)


def test_a_missing_delivery_stream_is_reported_and_holds_up_no_other_sink(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler raises, so that the invocation counts as an error and its alarm notifies."""
    other = records(1, article="other")
    deposit.fail("one", [failed(*records(1))])
    deposit.fail("one", [failed(*other)], sink="others")
    run(deposit)
    deposit.emulator.client("firehose", "us-west-2").delete_delivery_stream(
        DeliveryStreamName=f"{deposit.name}-counts"
    )
    deposit.now = time.time() + 62
    monkeypatch.setattr(entry_point, "_redelivery", deposit.redelivery)
    with pytest.raises(entry_point.RedeliveryError, match="Firehose did not take all of waiting-documents"):
        entry_point.handler({}, OfAMinute())
    assert deposit.taken("others") == other
    assert len(deposit.listed(WAITING)) == 1


def test_a_sink_with_much_to_redeliver_leaves_time_for_the_others(deposit: Deposit) -> None:
    for part in range(20):
        deposit.fail(f"part-{part}", [failed(record) for record in records(2)])
    other = records(1, article="other")
    deposit.fail("one", [failed(*other)], sink="others")
    run(deposit)

    class SlowStream(ScriptedDeliveryStream):
        def put(self, records: Sequence[Outgoing]) -> list[str | None]:
            time.sleep(0.5)
            return super().put(records)

    deposit.now = time.time() + 62
    outcomes = with_stream(deposit, SlowStream()).run(RESERVE_SECONDS + 3)
    assert 0 < outcomes.redelivered < 41
    assert deposit.taken("others") == other


def test_an_object_that_breaks_the_function_is_reported_and_alone(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposit.fail("a-bad-one", [failed(*records(1))])
    good = records(1, article="good")
    deposit.fail("good", [failed(*good)])
    add = objects.Parts.add

    def break_on_the_first(self: objects.Parts, prefix: str, at: float, document: bytes) -> None:
        if b"good" not in b64decode(json.loads(document)["rawData"]):
            raise RuntimeError("a mistake of ours")
        add(self, prefix, at, document)

    monkeypatch.setattr(objects.Parts, "add", break_on_the_first)
    [problem] = run(deposit).problems
    assert "a-bad-one" in problem
    assert "a mistake of ours" in problem
    run(deposit, after=62)
    assert deposit.taken() == good


def test_each_invocation_publishes_all_its_metrics(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deposit.fail("one", [failed(record, code="409") for record in records(4)])
    deposit.now = time.time()
    monkeypatch.setattr(entry_point, "_redelivery", deposit.redelivery)
    entry_point.handler({}, OfAMinute())
    [metrics] = published(capsys)
    assert {name: metrics[name] for name in ("Stale", "Waiting", "Redelivered")} == {
        "Stale": [4.0],
        "Waiting": [0.0],
        "Redelivered": [0.0],
    }
    assert metrics["service"] == "redelivery"
    assert "WaitingAge" not in metrics  # stale documents do not wait


def test_the_age_of_the_oldest_waiting_count_is_published(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its age at the failure, over all objects and sinks."""
    good, stale = records(2)
    deposit.fail("one", [failed(good, age=70), failed(good, age=900), failed(good, age=80)])
    deposit.fail("two", [failed(stale, code="409", age=5000)])
    deposit.fail("three", [failed(good, age=400)], sink="others")
    deposit.now = time.time()
    monkeypatch.setattr(entry_point, "_redelivery", deposit.redelivery)
    entry_point.handler({}, OfAMinute())
    [metrics] = published(capsys)
    assert metrics["WaitingAge"] == [900.0]
    assert metrics["Waiting"] == [4.0]
