"""The fate of every click, during a run and afterwards."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from unittest import mock

from names import TWIN_ACCOUNT, Names
from tests.lambdas.reconciliation.world import Counted, key_of
from twin.delivery_stream import EmulatedDeliveryStream
from twin.reconciliation import LiveReconciliation, Reconciliation, Refused, _reasons_of_letters

NAMES = Names(environment="local", account=TWIN_ACCOUNT)
NOON = "2026-01-31T12:00:30.000Z"


def letter(sequence_number: str, *, shard: str = "shardId-000000000000", **place: int) -> bytes:
    fields = {"reason": "not_json", "shard": shard, "sequence_number": sequence_number, **place}
    return json.dumps(fields).encode()


def test_a_dead_letter_in_two_objects_counts_once() -> None:
    letters = [letter("1"), letter("2"), letter("2"), letter("2", shard="shardId-000000000001")]
    assert _reasons_of_letters(iter(letters)) == {"not_json": 3}


def test_the_dead_letters_of_a_record_are_told_apart_by_their_place() -> None:
    letters = [letter("1", place=0), letter("1", place=7), letter("1", place=7), letter("2")]
    assert _reasons_of_letters(iter(letters)) == {"not_json": 3}


def test_every_click_is_counted_in_exactly_one_place() -> None:
    found = Reconciliation(
        counted=10_000,
        unparseable=2_000,
        rejected=Counter(too_old=100, clock_ahead=200),
        rejected_by_forwarder=Counter(not_json=10, unknown_tag=20),
        rejected_again=1,
        counted_and_rejected=2,
        stale_documents=3,
        failed_documents=4,
    )
    assert found.accounted_for == 12_330


@dataclass
class Delivered:
    """Stands in for a delivery stream."""

    journal: Path
    received: int = 0

    def receive(self, *records: dict[str, str] | bytes) -> None:
        with self.journal.open("ab") as journal:
            for record in records:
                journal.write(record if isinstance(record, bytes) else json.dumps(record).encode() + b"\n")
        self.received += len(records)


def click(number: int, **changes: str) -> dict[str, str]:
    fields = {"click_id": f"click-{number}", "clicked_at": NOON, "user_id": "hanako", "article_id": "a"}
    return fields | changes


def live_reconciliation(folder: Path) -> tuple[LiveReconciliation, Delivered, Delivered]:
    """With a raw backup and rejects."""
    raw, rejects = Delivered(folder / "raw"), Delivered(folder / "rejects")
    streams = {NAMES.raw_backup_delivery_stream: raw, NAMES.rejects_delivery_stream: rejects}
    emulator = mock.MagicMock()
    emulator.client.return_value.get_paginator.return_value.paginate.return_value = [{}]
    records = LiveReconciliation(emulator, NAMES, cast(dict[str, EmulatedDeliveryStream], streams))
    return records, raw, rejects


def test_a_start_without_state_adds_no_live_rejects(tmp_path: Path) -> None:
    records, raw, rejects = live_reconciliation(tmp_path)
    raw.receive(*(click(number) for number in range(10)), b"no json\n")
    missing = [click(number, reason="missing_field") for number in range(3)]
    rejects.receive(*missing)
    rejects.receive(unparseable("no json"))
    assert records.now() == Refused(rejected=3, unparseable=1)
    # After a restart: the same three, and two counted ones that are now too old.
    rejects.receive(unparseable("no json"), *missing, *(click(number, reason="too_old") for number in (3, 4)))
    counted = 7
    counts = Counted()
    counts.put(key_of(click(0)), counted)
    assert records.now().rejected == 8
    live = records.look_again(counts)
    assert live == records.now() == Refused(rejected=3, unparseable=1)
    assert 11 - counted - live.rejected - live.unparseable == 0
    rejects.receive(click(11, reason="missing_field"))
    assert records.now().rejected == 4


def unparseable(text: str) -> dict[str, str]:
    return {"reason": "unparseable", "unparseable": text}


def test_the_clicks_and_unread_rests_of_a_line_are_counted_live(tmp_path: Path) -> None:
    records, raw, rejects = live_reconciliation(tmp_path)
    packed = b"".join(json.dumps(click(number)).encode() for number in range(3))
    raw.receive(packed + b" cut\n", b"[" + packed[:-1] + b"\n")
    assert records.now() == Refused(rejected=0, unparseable=0), "nobody has rejected them yet"
    rejects.receive(unparseable("cut"), click(2, reason="missing_field"))
    assert records.now() == Refused(rejected=1, unparseable=1)
    rejects.receive(unparseable("cut"), unparseable("[" + packed[:-1].decode()))
    assert records.now() == Refused(rejected=1, unparseable=2)


def test_a_start_without_state_that_repeats_unread_rests_hides_no_lost_one(tmp_path: Path) -> None:
    records, raw, rejects = live_reconciliation(tmp_path)
    raw.receive(b"first\n", b"lost\n")
    for _ in range(3):
        rejects.receive(unparseable("first"), click(1, reason="missing_field"))
        assert records.now().unparseable == 1
    assert records.look_again(Counted()) == Refused(rejected=3, unparseable=1)
    rejects.receive(unparseable("lost"))
    assert records.now() == Refused(rejected=3, unparseable=2)


def test_a_record_being_written_is_read_once_complete(tmp_path: Path) -> None:
    records, raw, rejects = live_reconciliation(tmp_path)
    rejects.receive(unparseable("no json"))
    begin, end = json.dumps(click(1)).encode()[:20], json.dumps(click(1)).encode()[20:]
    for written in (b"no json\n" + begin, end + b"\n"):
        raw.receive(written)
        assert records.now().unparseable == 1
