"""The function when it dies midway, when Firehose refuses, and in concurrent invocations."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.redelivery import handler as entry_point
from lambdas.redelivery import objects
from names import FAILED_DOCUMENTS_PREFIX
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
from tests.lambdas.redelivery.documents import failed, records


def test_records_that_firehose_refuses_one_by_one_are_retried_alone(deposit: Deposit) -> None:
    sent = records(1_200)
    deposit.fail("one", [failed(record) for record in sent])
    run(deposit)
    stream = ScriptedDeliveryStream("half", "all", "half")
    deposit.now = time.time() + 62
    assert with_stream(deposit, stream).run(ENOUGH_SECONDS).redelivered == 1_200
    assert Counter(stream.taken) == Counter(sent)
    assert deposit.listed() == []


def test_a_function_that_dies_while_putting_loses_nothing(deposit: Deposit) -> None:
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


def test_sorting_again_after_a_time_out_overwrites_the_parts(
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
def test_given_up_documents_are_published_though_the_invocation_dies(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], whole: bool
) -> None:
    """Its object is gone by then, so no later invocation would publish it, and no alarm would notify."""
    if whole:
        deposit.put(f"{FAILED_DOCUMENTS_PREFIX}counts/AmazonOpenSearchService_failed/0", b"\x1f\x8bdamaged")
    else:
        deposit.fail("a", [failed(*records(1), code="400")])
    deposit.fail("b", [failed(*records(1))])
    deposit.now = time.time()
    lines = objects.Bucket.lines

    def die_on_the_second(self: objects.Bucket, key: str) -> Iterator[bytes]:
        if "/AmazonOpenSearchService_failed/2026/01/01/00/b" in key:
            raise SystemExit  # like a timeout
        return lines(self, key)

    monkeypatch.setattr(objects.Bucket, "lines", die_on_the_second)
    monkeypatch.setattr(entry_point, "_redelivery", deposit.redelivery)
    with pytest.raises(SystemExit):
        entry_point.handler({}, OfAMinute())
    assert len(deposit.listed(GIVEN_UP)) == 1
    assert sum(one.get("GivenUp", [0.0])[0] for one in published(capsys)) == 1.0


def test_given_up_documents_are_published_before_their_object_goes(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deposit.fail("one", [failed(*records(1), code="400")])
    told: list[float] = []

    def look(*_: Any) -> None:
        told.extend(one["GivenUp"][0] for one in published(capsys))

    monkeypatch.setattr(objects.Bucket, "delete", look)
    run(deposit)
    assert told == [1.0]


def test_sinks_share_the_time_and_the_last_gets_the_rest(deposit: Deposit) -> None:
    now = time.monotonic()
    shares = dict(deposit.redelivery()._shares(now + 1_000))
    assert list(shares) == ["counts", "others"]
    assert shares["counts"] == pytest.approx(now + 500, abs=100)
    assert shares["others"] == pytest.approx(now + 1_000, abs=1)


def test_concurrent_invocations_lose_nothing(deposit: Deposit) -> None:
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
