"""The function against emulated S3 and Firehose, with what can go wrong on the way."""

import gzip
import json
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from lambdas.forwarder.destinations import DeliveryStream, Outgoing
from lambdas.redelivery import handler as entry_point
from lambdas.redelivery import objects, redelivery
from lambdas.redelivery.configuration import RedeliveryConfiguration
from lambdas.redelivery.metrics import Outcomes
from lambdas.redelivery.redelivery import RESERVE_SECONDS
from names import FAILED_DOCUMENTS_PREFIX, GIVEN_UP_DOCUMENTS_PREFIX, WAITING_DOCUMENTS_PREFIX
from tests.redelivery.conftest import ENOUGH_SECONDS, Deposit
from tests.redelivery.documents import as_object, as_record, count, failed

LATER = 4 * 3600.0
GIVEN_UP = f"{GIVEN_UP_DOCUMENTS_PREFIX}counts/"
WAITING = f"{WAITING_DOCUMENTS_PREFIX}counts/"


def records(number: int, *, article: str = "a") -> list[bytes]:
    return [as_record(count(clicks, article=article)) for clicks in range(1, number + 1)]


def run(deposit: Deposit, *, after: float = 0.0) -> Outcomes:
    """One invocation, `after` seconds from now."""
    deposit.now = time.time() + after
    return deposit.redelivery().run(ENOUGH_SECONDS)


class OfAMinute:
    def get_remaining_time_in_millis(self) -> int:
        return 55_000


def published(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines in CloudWatch's embedded format."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


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


def test_documents_of_one_object_part_by_their_fate(deposit: Deposit) -> None:
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


def test_a_given_up_document_is_kept_as_it_was_and_a_move_puts_it_again(deposit: Deposit) -> None:
    """docs/redelivery.md tells the operator to do this once the cause is mended."""
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


def test_moving_back_what_was_given_up_for_different_reasons_overwrites_nothing(deposit: Deposit) -> None:
    refused, old = records(2)
    deposit.fail("mixed", [failed(refused, code="400"), failed(old, age=25 * 3600)])
    run(deposit)
    moved = [f"{WAITING}{key.rpartition('/')[2]}" for key in deposit.listed(GIVEN_UP)]
    assert len(set(moved)) == 2


def test_a_count_of_a_former_index_family_never_reaches_the_present_one(deposit: Deposit) -> None:
    """A generation that changes the grain keeps the columns: a count of a minute would win over the one of
    its first ten seconds."""
    former = failed(*records(1), esIndexName="click-counts-0.undated")
    deposit.fail("before-the-deployment", [former])
    assert run(deposit).given_up == Counter({"former-index": 1})
    waited = f"{WAITING}20260101T000000Z-sorted-by-the-former-code.json.gz"
    deposit.put(waited, as_object([former]))
    assert run(deposit).given_up == Counter({"former-index": 1})
    assert deposit.taken() == []
    assert len(deposit.listed(f"{GIVEN_UP}former-index/")) == 2
    assert deposit.listed(WAITING) == []


def test_each_sink_gets_its_own_back(deposit: Deposit) -> None:
    mine, other = records(1, article="mine"), records(1, article="other")
    deposit.fail("one", [failed(*mine)])
    deposit.fail("one", [failed(*other)], sink="others")
    run(deposit)
    run(deposit, after=62)
    assert deposit.taken("counts") == mine
    assert deposit.taken("others") == other


def test_an_object_that_is_not_compressed_is_read_too(deposit: Deposit) -> None:
    sent = records(2)
    lines = [json.dumps(failed(record)).encode() for record in sent]
    deposit.put(f"{FAILED_DOCUMENTS_PREFIX}counts/AmazonOpenSearchService_failed/plain", b"".join(lines))
    run(deposit)
    run(deposit, after=62)
    assert deposit.taken() == sent


@pytest.mark.parametrize("cut", [20, 0.5, -1])
def test_a_damaged_object_is_given_up_whole_and_holds_up_no_other(deposit: Deposit, cut: float) -> None:
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


def test_an_empty_object_is_taken_away(deposit: Deposit) -> None:
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


def test_many_documents_wait_in_parts_of_bounded_size(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PART_DOCUMENTS", 400)
    sent = records(1_001)
    deposit.fail("many", [failed(record) for record in sent])
    run(deposit)
    assert len(deposit.listed(WAITING)) == 3
    run(deposit, after=62)
    assert Counter(deposit.taken()) == Counter(sent)


def test_large_lines_end_a_part_by_their_bytes(deposit: Deposit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 100_000)
    deposit.fail("large", [b"x" * 60_000] * 4)
    run(deposit)
    assert len(deposit.listed(GIVEN_UP)) == 2


class ScriptedDeliveryStream(DeliveryStream):
    """A delivery stream that refuses by a script, then takes everything."""

    def __init__(self, *answers: str) -> None:
        super().__init__("arn:aws:firehose:us-west-2:000000000000:deliverystream/scripted", client=None)
        self._answers = list(answers)
        self.taken: list[bytes] = []

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        answer = self._answers.pop(0) if self._answers else "all"
        codes: list[str | None] = [None] * len(records)
        if answer == "half":
            codes[::2] = ["ServiceUnavailableException"] * len(codes[::2])
        if answer == "die":
            raise SystemExit  # as a time-out ends a function in the middle
        self.taken += [record.line for record, code in zip(records, codes, strict=True) if code is None]
        return codes


def with_stream(deposit: Deposit, stream: ScriptedDeliveryStream) -> redelivery.Redeliverer:
    function = deposit.redelivery()
    function._destinations["counts"] = stream
    return function


def test_records_that_firehose_refuses_one_by_one_are_retried_alone(deposit: Deposit) -> None:
    sent = records(1_200)
    deposit.fail("one", [failed(record) for record in sent])
    run(deposit)
    stream = ScriptedDeliveryStream("half", "all", "half")
    deposit.now = time.time() + 62
    assert with_stream(deposit, stream).run(ENOUGH_SECONDS).redelivered == 1_200
    assert Counter(stream.taken) == Counter(sent)
    assert deposit.listed() == []


def test_what_was_put_when_the_function_died_is_redelivered_and_nothing_is_lost(deposit: Deposit) -> None:
    sent = records(1_200)
    deposit.fail("one", [failed(record) for record in sent])
    run(deposit)
    stream = ScriptedDeliveryStream("all", "die")
    deposit.now = time.time() + 62
    with pytest.raises(SystemExit):
        with_stream(deposit, stream).run(ENOUGH_SECONDS)
    assert len(stream.taken) < 1_200
    assert run(deposit, after=62).redelivered == 1_200
    assert Counter(deposit.taken()) == Counter(sent)


def test_an_object_sorted_again_after_a_time_out_overwrites_its_parts(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = records(50)
    deposit.fail("one", [failed(record) for record in sent])

    def die(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(objects.Bucket, "delete", die)
        with pytest.raises(SystemExit):
            run(deposit)
    parts = deposit.listed(WAITING)
    assert parts
    run(deposit)
    assert deposit.listed(WAITING) == parts
    run(deposit, after=62)
    assert deposit.taken() == sent


@pytest.mark.parametrize("whole", [False, True], ids=["document", "whole object"])
def test_what_was_given_up_is_told_though_the_invocation_dies_on_the_next_object(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], whole: bool
) -> None:
    """Its object is gone by then, so no later invocation would tell, and the alarm would never ring."""
    if whole:
        deposit.put(f"{FAILED_DOCUMENTS_PREFIX}counts/AmazonOpenSearchService_failed/0", b"\x1f\x8bdamaged")
    else:
        deposit.fail("a", [failed(*records(1), code="400")])
    deposit.fail("b", [failed(*records(1))])
    deposit.now = time.time()
    lines = objects.Bucket.lines

    def die_on_the_second(self: objects.Bucket, key: str) -> Iterator[bytes]:
        if "/AmazonOpenSearchService_failed/2026/01/01/00/b" in key:
            raise SystemExit  # as a time-out ends a function in the middle
        return lines(self, key)

    monkeypatch.setattr(objects.Bucket, "lines", die_on_the_second)
    monkeypatch.setattr(entry_point, "_redelivery", deposit.redelivery)
    with pytest.raises(SystemExit):
        entry_point.handler({}, OfAMinute())
    assert len(deposit.listed(GIVEN_UP)) == 1
    assert sum(one.get("GivenUp", [0.0])[0] for one in published(capsys)) == 1.0


def test_two_invocations_at_once_lose_nothing(deposit: Deposit) -> None:
    sent = records(3_000)
    for part in range(6):
        deposit.fail(f"part-{part}", [failed(record) for record in sent[part::6]])
    deposit.now = time.time() + 62
    problems: list[str] = []

    def invoke() -> None:
        for _ in range(2):
            problems.extend(deposit.redelivery().run(ENOUGH_SECONDS).problems)

    both = [threading.Thread(target=invoke) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert problems == []
    run(deposit, after=62)
    assert set(deposit.taken()) == set(sent)
    assert deposit.listed() == []


def test_without_time_nothing_is_begun_and_nothing_is_a_problem(deposit: Deposit) -> None:
    deposit.fail("one", [failed(record) for record in records(3)])
    deposit.now = time.time()
    assert deposit.redelivery().run(RESERVE_SECONDS) == Outcomes()
    assert len(deposit.listed(FAILED_DOCUMENTS_PREFIX)) == 1


def test_counts_are_put_no_faster_than_configured(deposit: Deposit, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("lambdas.redelivery.redelivery.time.sleep", pauses.append)
    deposit.fail("one", [failed(record) for record in records(500)])
    run(deposit)
    function = Redelivering(deposit).at(records_per_second=100)
    deposit.now = time.time() + 62
    assert function.run(ENOUGH_SECONDS).redelivered == 500
    assert max(pauses) == pytest.approx(5.0, abs=1.0)


class Redelivering:
    def __init__(self, deposit: Deposit) -> None:
        self._deposit = deposit

    def at(self, *, records_per_second: int) -> redelivery.Redeliverer:
        fields = {**vars(self._deposit.configuration), "records_per_second": records_per_second}
        return redelivery.Redeliverer(RedeliveryConfiguration(**fields), clock=lambda: self._deposit.now)


def test_a_delivery_stream_that_is_gone_holds_up_no_other_sink_and_is_told(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler raises, so that the invocation counts as failed and its alarm rings."""
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


def test_an_object_that_breaks_the_function_holds_up_no_other_and_is_told(
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
