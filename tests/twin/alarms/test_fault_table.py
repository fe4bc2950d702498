"""The table of alarms and the faults that drove them: kept from run to run, written as the page has it."""

from dataclasses import replace
from pathlib import Path

from twin.alarms.fault_table import CausedAlarm, page, record, recorded

ROW = CausedAlarm(
    alarm="Nodes",
    fault="node lost",
    injected=True,
    alarm_seconds=3_650,
    promised_seconds=3_720,
    ok_seconds=60,
    factor=10.0,
)


def test_a_row_says_how_long_the_alarm_took_and_on_which_clock() -> None:
    assert ROW.row() == "| `Nodes` | node lost (injected) | 3,650 s | 3,720 s | 60 s | 10 |"
    assert f"\n{ROW.row()}\n" in page([ROW])


def test_a_run_replaces_its_own_rows_and_keeps_others(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    other = replace(ROW, fault="node away")
    record([ROW, other], file)
    record([replace(ROW, ok_seconds=90)], file)
    assert recorded(file) == [other, replace(ROW, ok_seconds=90)]
