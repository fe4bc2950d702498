"""What `make drills` writes down, and the page of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import PROJECT
from twin.drills import __main__ as command
from twin.drills.faults import FAULTS
from twin.drills.page import page
from twin.drills.record import DrillRecord, read_records, write_records
from twin.drills.rehearsal import Rehearsed

RECORD = DrillRecord(on="2026-01-31", passed=True, seconds=42, reconciled="every click is accounted for")
NAME, OTHER = list(FAULTS)[:2]


def test_the_page_of_the_drills_is_made_from_the_faults_and_their_record() -> None:
    made = (PROJECT / "docs" / "reference" / "drills.md").read_text(encoding="utf-8")
    assert made == page(), "run `make docs`"


def test_every_fault_has_a_row_and_what_was_not_recorded_says_so() -> None:
    rows = {line.split("`")[1]: line for line in page(records={NAME: RECORD}).splitlines() if "| `" in line}
    assert rows.keys() == FAULTS.keys()
    assert "| 42 |" in rows[NAME]
    assert "| nothing |" in rows[NAME]
    assert rows[OTHER].count("not recorded") == 2


def test_a_drill_that_failed_is_not_said_to_lose_nothing() -> None:
    failed = DrillRecord(on="2026-01-31", passed=False, seconds=600, reconciled="not within 600 s")
    [row] = [line for line in page(records={NAME: failed}).splitlines() if f"`{NAME}`" in line]
    assert row.endswith("| not known: it failed |")


# An outage that everyone must be able to practise, and its fault.
ASKED_FOR = {
    "OpenSearch away": "opensearch-away",
    "OpenSearch slow": "opensearch-slow",
    "OpenSearch full": "opensearch-full",
    "OpenSearch read-only": "opensearch-read-only",
    "its day's index deleted": "day-index-deleted",
    "Flink killed": "flink-killed",
    "Flink stopped": "flink-stopped",
    "Flink failing its checkpoints": "flink-checkpoints-failing",
    "Flink looping": "flink-looping",
    "the forwarder throttled": "forwarder-throttled",
    "its mapping off": "forwarder-off",
    "Oregon away for ten minutes": "oregon-away",
    "a shard split and merge in traffic": "shards-split-and-merge",
    "a broken segments version": "segments-broken",
    "an empty segments version": "segments-empty",
    "a late segments version": "segments-late",
    "a shrunken segments version": "segments-shrunken",
    "Firehose refusing": "firehose-refuses",
    "Firehose repeating": "firehose-repeats",
    "the rankings unreadable": "rankings-unreadable",
    "a poison flood": "poison",
    "a rollback in the middle of a deployment": "deployment-rolled-back",
    "the clock of a producer wrong": "clock-wrong",
}
TEN_MINUTES = 600


def test_every_drill_that_must_be_there_is_there() -> None:
    assert set(ASKED_FOR.values()) <= FAULTS.keys()
    assert FAULTS["oregon-away"].lasts_seconds == TEN_MINUTES


def test_every_drill_is_recorded_as_passed_for_as_long_as_its_fault_lasts() -> None:
    """After a change of a fault, record it: make drills FAULTS=its-name."""
    records = read_records()
    unproved = [
        fault.name
        for fault in FAULTS.values()
        if (record := records.get(fault.name)) is None
        or not record.passed
        or record.seconds < fault.lasts_seconds
        or not record.reconciled.startswith("every click is accounted for")
    ]
    assert unproved == []


def test_the_committed_record_knows_no_other_faults_than_there_are() -> None:
    assert read_records().keys() <= FAULTS.keys()


def test_a_record_replaces_its_own_and_leaves_those_of_other_drills(tmp_path: Path) -> None:
    file = tmp_path / "drills.json"
    file.write_text(json.dumps({"gone": RECORD.__dict__, NAME: {**RECORD.__dict__, "seconds": 1}}))
    write_records({OTHER: RECORD}, FAULTS, file)
    write_records({NAME: RECORD}, FAULTS, file)
    assert read_records(file) == {NAME: RECORD, OTHER: RECORD}


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_a_run_of_the_drills_is_recorded_also_if_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passed: bool, code: int
) -> None:
    file = tmp_path / "drills.json"

    def rehearse(faults: list[str], *, rate: float) -> Any:
        assert rate
        for fault in faults:
            yield Rehearsed(fault=fault, passed=passed, seconds=41.6, said=("it breaks", "the sum"))

    monkeypatch.setattr(command, "rehearse", rehearse)
    monkeypatch.setattr(command, "write_records", lambda records, known: write_records(records, known, file))
    assert CliRunner().invoke(command.app, ["all", NAME]).exit_code == code
    [record] = read_records(file).values()
    assert (record.passed, record.seconds, record.reconciled) == (passed, 42, "the sum")


def test_a_run_of_a_drill_that_there_is_not_names_those_that_there_are() -> None:
    done = CliRunner().invoke(command.app, ["all", "opensearch-awya"])
    assert (done.exit_code, f"there are {NAME}" in done.output) == (2, True)
