"""The forwarder against emulated AWS over HTTP, with and without refused records, a click in each."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zlib import crc32

import boto3
import pytest

from contract.click import Click
from contract.limits import FORWARDER_ATTEMPT_RESERVE_SECONDS, REQUEST_BYTES
from lambdas.forwarder.configuration import ForwarderConfiguration
from lambdas.forwarder.dead_letters import DeadLetter, DeadLetters
from lambdas.forwarder.forwarding import BatchForwarder
from lambdas.forwarder.handler import _forwarder, handler
from lambdas.forwarder.kinesis_event import ReceivedRecord, read_event
from lambdas.forwarder.routing import Routed
from lambdas.shared import delivery
from tests.faults import Faults, RefusingGate
from tests.lambdas.forwarder.events import (
    ARRIVED_AT,
    SHARD,
    as_bytes,
    click,
    clicks,
    event,
    packed,
    sequence_number,
)
from tests.lambdas.forwarder.oregon import Site, carry


class OfThirtySeconds:
    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def is_every_third(line: bytes) -> bool:
    return crc32(line) % 3 == 0


def total(tallies: list[dict[str, Any]], *names: str) -> int:
    return int(sum(sum(tally[name]) for tally in tallies for name in names))


def test_the_handler_carries_a_batch_and_counts_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, tallies: Callable[[], list[dict[str, Any]]]
) -> None:
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    _forwarder.cache_clear()
    good, bad = clicks(1_201), [b"no json", as_bytes(click(tag="heartbeat"))]
    assert handler(event([*good[:600], *bad, *good[600:]]), OfThirtySeconds()) == {"batchItemFailures": []}
    assert site.arrived() == Counter(good)
    (tally,) = tallies()
    assert {name: tally[name] for name in ("Received", "Forwarded", "Rejected", "Dropped", "Failed")} == {
        "Received": [1_203.0],
        "Forwarded": [1_201.0],
        "Rejected": [2.0],
        "Dropped": [0.0],
        "Failed": [0.0],
    }
    assert tally["ForwardedBytes"] == [float(sum(map(len, good)))]
    assert tally["ReceivedBytes"] == [float(sum(map(len, [*good, *bad])))]
    assert tally["RejectedBytes"] == [float(sum(len(each.strip()) for each in bad))]
    assert tally["ReceivedRecords"] == [1_203.0]
    assert len(tally["RequestLatency"]) == 1 + sum(map(len, good)) // REQUEST_BYTES


def test_what_is_rejected_as_one_weighs_all_its_bytes(
    site: Site, tallies: Callable[[], list[dict[str, Any]]]
) -> None:
    good, too_many = clicks(10), b"{}" * 50_000
    damaged = b"x" + b"".join(each.strip() for each in clicks(20))
    assert carry(site.forwarder(), [*good, too_many, good[0] + damaged]) == 1
    (tally,) = tallies()
    assert (tally["Received"], tally["Rejected"]) == ([13.0], [2.0])
    assert tally["RejectedBytes"] == [float(len(too_many) + len(damaged))]
    assert tally["ReceivedBytes"] == [float(sum(map(len, [*good, too_many, good[0], damaged])))]


def test_clicks_are_packed_under_random_keys(site: Site) -> None:
    good = clicks(300)
    carry(site.forwarder(record_bytes=2_000), packed(good, 4))
    shards = site.records_by_shard()
    records = [record for each in shards.values() for record in each]
    assert all(shards.values())
    assert len({record["PartitionKey"] for record in records}) == len(records)
    sizes = [len(record["Data"]) + len(record["PartitionKey"]) for record in records]
    assert max(sizes) <= 2_000
    assert sum(size > 1_500 for size in sizes) >= len(records) - 1
    assert all(record["Data"].endswith(b"\n") for record in records)
    assert site.arrived() == Counter(good)


def test_an_invalid_record_is_kept_with_reason_tag_origin_and_bytes(site: Site) -> None:
    bad = as_bytes(click(tag="heartbeat")).strip()
    good = clicks(6)
    assert carry(site.forwarder(), [*good[:4], b"".join([*good[4:], bad])]) == 1
    key = f"rejected-records/2026/01/01/{SHARD}-{sequence_number(0)}.ndjson"
    assert list(site.dead_letters()) == [key]
    (letter,) = site.dead_letters()[key]
    assert site.rejected() == Counter([bad])
    del letter["data"]
    assert letter == {
        "reason": "unknown_tag",
        "tag": "heartbeat",
        "partition_key": "user-4",
        "sequence_number": sequence_number(4),
        "shard": SHARD,
        "place": 2,
        "arrived_at": "2026-01-01T00:00:00.123Z",
    }
    assert ARRIVED_AT == 1767225600.123


def test_a_record_beyond_the_streams_limit_is_rejected_alone(site: Site) -> None:
    big = as_bytes(click(text="x" * 1024 * 1024))
    good = clicks(10)
    assert carry(site.forwarder(), [big, *good]) == 1
    assert site.arrived() == Counter(good)
    ((letter,),) = site.dead_letters().values()
    assert (letter["reason"], letter["tag"]) == ("too_big", "click")


def forwarder_that_stumbles(site: Site, over: Callable[[bytes], bool]) -> BatchForwarder:
    """A forwarder with an unforeseen bug that these clicks trigger."""
    forwarder = site.forwarder()
    route = forwarder._sorter._route

    def stumble(click: Click) -> Routed:
        if over(click.json + b"\n"):
            raise OverflowError("int too large to convert to float")
        return route(click)

    forwarder._sorter._route = stumble
    return forwarder


@pytest.mark.parametrize("others", [0, 4, 600])
def test_an_unexpected_record_is_rejected_alone(
    others: int, site: Site, tallies: Callable[[], list[dict[str, Any]]]
) -> None:
    [stone, *good] = clicks(others + 1)
    forwarder = forwarder_that_stumbles(site, stone.__eq__)
    assert carry(forwarder, [*good[:1], stone, *good[1:]]) == 1
    assert site.arrived() == Counter(good)
    ((letter,),) = site.dead_letters().values()
    assert (letter["reason"], letter["tag"]) == ("unexpected", None)
    assert site.rejected() == Counter([stone.strip()])
    (tally,) = tallies()
    assert (tally["Unexpected"], tally["Rejected"], tally["Failed"]) == ([1.0], [1.0], [0.0])


def test_a_batch_of_mostly_unexpected_records_waits_for_a_fixed_function(
    site: Site, tallies: Callable[[], list[dict[str, Any]]]
) -> None:
    """One bad deployment must not reject all clicks."""
    records = [*clicks(12), b"bad", *clicks(30)[12:]]
    stones = {*records[10:12], *records[15:]}
    batch = read_event(event(records))
    repeat_from = forwarder_that_stumbles(site, stones.__contains__).forward(batch, 20.0)
    assert repeat_from == batch[10]
    assert site.arrived() == Counter(records[:10])
    assert site.dead_letters() == {}
    (tally,) = tallies()
    assert (tally["Unexpected"], tally["Rejected"], tally["Failed"]) == ([18.0], [0.0], [21.0])

    assert site.forwarder().forward(batch[10:], 20.0) is None
    assert site.arrived() == Counter(clicks(30))
    assert site.rejected() == Counter([b"bad"])


@pytest.mark.parametrize(("unexpected", "others"), [(9, 0), (10, 11)])
def test_a_minority_of_unexpected_records_is_rejected(unexpected: int, others: int, site: Site) -> None:
    records = clicks(unexpected + others)
    stones = records[:unexpected]
    assert carry(forwarder_that_stumbles(site, stones.__contains__), records) == 1
    assert site.rejected() == Counter(stone.strip() for stone in stones)
    assert site.arrived() == Counter(records[unexpected:])


def test_a_retried_batch_leaves_its_dead_letters_once(site: Site) -> None:
    forwarder = site.forwarder()
    for _ in range(2):
        carry(forwarder, [b"bad", *clicks(2)])
    assert site.rejected() == Counter([b"bad"])


def test_the_lowest_undelivered_record_is_reported(
    site: Site, gate: RefusingGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    good = clicks(1_500)
    refused: set[bytes] = set()

    def refuse_two_packs(pack: bytes) -> bool:
        stuck = good[1_200] in pack or good[700] in pack
        if stuck:
            refused.update(pack.splitlines(keepends=True))
        return stuck

    gate.refuses = refuse_two_packs
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    _forwarder.cache_clear()

    class OfOneAttempt:
        def get_remaining_time_in_millis(self) -> int:
            return int(FORWARDER_ATTEMPT_RESERVE_SECONDS * 1000) + 1_500

    answer = handler(event(good), OfOneAttempt())
    first = min(map(good.index, refused))
    assert 500 < first <= 700
    assert answer == {"batchItemFailures": [{"itemIdentifier": sequence_number(first)}]}
    assert site.arrived() == Counter(set(good) - refused)


def test_individually_refused_records_arrive_once_within_the_invocation(
    site: Site,
    gate: RefusingGate,
    monkeypatch: pytest.MonkeyPatch,
    tallies: Callable[[], list[dict[str, Any]]],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    monkeypatch.setattr(delivery, "FIRST_BACKOFF_SECONDS", 0.01)
    refusals: Counter[bytes] = Counter()

    def refuse_a_third_of_records_twice(pack: bytes) -> bool:
        refusals[pack] += 1
        return is_every_third(pack) and refusals[pack] <= 2

    gate.refuses = refuse_a_third_of_records_twice
    good = clicks(2_000)
    assert carry(site.forwarder(record_bytes=1_000), packed(good, 3)) == 1
    assert site.arrived() == Counter(good)
    clicks_refused = sum(pack.count(b"\n") for pack in refusals if is_every_third(pack))
    assert clicks_refused > 100
    assert total(tallies(), "Retried") == 2 * clicks_refused


@pytest.mark.parametrize("clicks_per_record", [1, 8])
def test_a_retry_resends_only_records_after_the_lowest_failure(
    clicks_per_record: int,
    site: Site,
    gate: RefusingGate,
    monkeypatch: pytest.MonkeyPatch,
    tallies: Callable[[], list[dict[str, Any]]],
) -> None:
    """That limits duplicates, and their metric is exact."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    good = clicks(1_000)
    records = packed(good, clicks_per_record)
    halfway = len(records) // 2
    records[halfway - 1] += b"bad 1"
    records[-1] += b"bad 2"
    refused: list[bytes] = []

    def refuse_until_the_next_invocation(pack: bytes) -> bool:
        stuck = good[600] in pack and len(site.dead_letters()) < 2
        if stuck:
            refused[:] = pack.splitlines(keepends=True)
        return stuck

    gate.refuses = refuse_until_the_next_invocation
    forwarder = site.forwarder(record_bytes=4_000)
    assert carry(forwarder, records, seconds=FORWARDER_ATTEMPT_RESERVE_SECONDS + 1.5) == 2

    arrived = site.arrived()
    assert set(arrived) == set(good)
    first = (
        good.index(refused[0]) // clicks_per_record * clicks_per_record
    )  # of the refused pack's first record
    assert 560 <= first <= 600
    twice = {line for line, times in arrived.items() if times > 1}
    assert twice == set(good[first:]) - set(refused)
    assert max(arrived.values()) == 2
    assert site.rejected() == Counter([b"bad 1", b"bad 2"])
    published = tallies()
    assert total(published, "Duplicates") == len(twice)
    assert total(published, "Received") - total(published, "Failed") == len(good) + 2
    assert total(published, "Forwarded", "Rejected", "Dropped", "Failed") == total(published, "Received")


def test_nothing_is_duplicated_or_lost_while_s3_refuses(
    site: Site, faults: Faults, monkeypatch: pytest.MonkeyPatch, tallies: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", faults.endpoint)
    good = clicks(20)
    faults.set({"service": "s3", "error": {"code": "AccessDenied", "status": 403}, "times": 2})
    assert carry(site.forwarder(), [*good[:10], b"bad", *good[10:]]) == 3
    assert site.arrived() == Counter(good)
    assert site.rejected() == Counter([b"bad"])
    assert [tally["Failed"] for tally in tallies()] == [[11.0], [11.0], [0.0]]


def test_a_dead_letter_is_in_one_object_though_s3_first_refuses_the_rewrite(
    site: Site, gate: RefusingGate, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", faults.endpoint)
    good = clicks(20)
    attempts: Counter[bytes] = Counter()

    def refuse_until_the_next_invocation_and_then_let_s3_refuse(pack: bytes) -> bool:
        attempts[pack] += 1
        if good[10] in pack and attempts[pack] == 1:  # the letters are written, the rewrite follows
            faults.set({"service": "s3", "error": {"code": "SlowDown", "status": 503}, "times": 7})
        return good[10] in pack and len(site.dead_letters()) < 2

    gate.refuses = refuse_until_the_next_invocation_and_then_let_s3_refuse
    records = [*good[:5], b"bad 1", *good[5:15], b"bad 2", *good[15:]]
    forwarder = site.forwarder(record_bytes=400)
    assert carry(forwarder, records, seconds=FORWARDER_ATTEMPT_RESERVE_SECONDS + 1.5) == 2
    faults.set()
    assert set(site.arrived()) == set(good)
    assert site.rejected() == Counter([b"bad 1", b"bad 2"])


def test_a_late_rewrite_leaves_the_retrys_dead_letters(
    site: Site, gate: RefusingGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry from the first record writes the same object; the rewrite would empty it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    good = clicks(20)
    written: list[int] = []
    write = DeadLetters.write

    def slow_when_nothing_is_left(
        self: DeadLetters, letters: Sequence[DeadLetter], *, batch: Sequence[ReceivedRecord]
    ) -> None:
        written.append(len(letters))
        if not letters:
            time.sleep(3)
        write(self, letters, batch=batch)

    monkeypatch.setattr(DeadLetters, "write", slow_when_nothing_is_left)
    gate.refuses = lambda pack: good[0] in pack and len(written) < 2
    assert carry(site.forwarder(), [*good, b"bad"], seconds=FORWARDER_ATTEMPT_RESERVE_SECONDS + 1.5) == 2
    assert written == [1, 1]
    assert set(site.arrived()) == set(good)
    assert site.rejected() == Counter([b"bad"])


def test_a_batch_begins_after_the_former_batchs_rewrite(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    forwarder = site.forwarder()
    over = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        forwarder._corrections = [executor.submit(over.wait, 10)]
        write = DeadLetters.write

        def written_after_it(
            self: DeadLetters, letters: Sequence[DeadLetter], *, batch: Sequence[ReceivedRecord]
        ) -> None:
            assert over.is_set()
            write(self, letters, batch=batch)

        monkeypatch.setattr(DeadLetters, "write", written_after_it)
        threading.Timer(0.5, over.set).start()
        assert carry(forwarder, [b"bad"]) == 1


def test_a_tag_can_go_to_a_delivery_stream_or_be_dropped(
    site: Site, tallies: Callable[[], list[dict[str, Any]]], tmp_path: Path
) -> None:
    firehose = boto3.client("firehose", region_name="us-west-2")
    firehose.create_delivery_stream(
        DeliveryStreamName=site.name,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/any",
            "BucketARN": f"arn:aws:s3:::{site.name}",
            "Prefix": "views/",
        },
    )
    rules = tmp_path / "rules.toml"
    rules.write_text(
        "[tags.click]\ndestination = 'source-stream'\n"
        "[tags.view]\ndestination = 'views'\n"
        "[tags.heartbeat]\ndrop = true\n"
    )
    environment = {
        **site.environment,
        "DESTINATION_VIEWS": f"arn:aws:firehose:us-west-2:000000000000:deliverystream/{site.name}",
    }
    forwarder = BatchForwarder(ForwarderConfiguration.read(environment, rules))
    view = b'{"tag": "view"}'
    carry(forwarder, [*clicks(2), view, b'{"tag": "heartbeat"}'])
    assert site.arrived() == Counter(clicks(2))
    assert [letters for key, letters in site.dead_letters().items() if key.startswith("views/")] == [
        [{"tag": "view"}]
    ]
    assert total(tallies(), "Dropped") == 1
