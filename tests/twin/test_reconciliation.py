"""The fate of every record, during a run and afterwards."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from unittest import mock

from contract.count import start_of_count
from contract.event_time import format_time, parse_time
from names import TWIN_ACCOUNT, Names
from twin.click_outcomes import Key
from twin.delivery_stream import EmulatedDeliveryStream
from twin.reconciliation import LiveReconciliation, Reconciliation, Refused, _reasons_of_letters

NAMES = Names(environment="local", account=TWIN_ACCOUNT)
NOON = "2026-01-31T12:00:30.000Z"


def letter(sequence_number: str, *, shard: str = "shardId-000000000000") -> bytes:
    return json.dumps({"reason": "not_json", "shard": shard, "sequence_number": sequence_number}).encode()


def test_a_dead_letter_in_two_objects_counts_once() -> None:
    letters = [letter("1"), letter("2"), letter("2"), letter("2", shard="shardId-000000000001")]
    assert _reasons_of_letters(iter(letters)) == {"not_json": 3}


def test_every_record_is_counted_in_exactly_one_place() -> None:
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
    assert records.now() == Refused(rejected=3, unparseable=1)
    # After a restart: the same three, and two counted ones that are now too old.
    rejects.receive(*missing, *(click(number, reason="too_old") for number in (3, 4)))
    counted = 7
    minute = parse_time(NOON)
    assert minute is not None
    key = (format_time(start_of_count(minute)), "a")

    def clicks_of(asked: Key) -> int:
        assert asked == key
        return counted

    assert records.now().rejected == 8
    live = records.look_again(clicks_of)
    assert live == records.now() == Refused(rejected=3, unparseable=1)
    assert 11 - counted - live.rejected - live.unparseable == 0
    rejects.receive(click(11, reason="missing_field"))
    assert records.now().rejected == 4


def test_a_record_being_written_is_read_once_complete(tmp_path: Path) -> None:
    records, raw, _ = live_reconciliation(tmp_path)
    begin, end = json.dumps(click(1)).encode()[:20], json.dumps(click(1)).encode()[20:]
    for written in (b"no json\n" + begin, end + b"\n"):
        raw.receive(written)
        assert records.now().unparseable == 1
