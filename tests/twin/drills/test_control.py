"""Requests from another terminal, over the real socket, to a run that a test makes up."""

import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import pytest
from typer.testing import CliRunner

from tests.conftest import PROJECT
from tests.twin.drills.made_up_run import SETTLED, MadeUpRun, NoRecovery, asked, picture
from twin.alarms.missing_data import State
from twin.alarms.states import AlarmState
from twin.drills.__main__ import app
from twin.drills.asking import SOCKET
from twin.drills.control import Control, controlled
from twin.drills.drill import PRACTISE_TIMEOUT_SECONDS
from twin.drills.faults import FAULTS
from twin.drills.repetition import repeated_clicks
from twin.drills.run import DrilledRun
from twin.ended import EndedPart
from twin.processes import TwinError
from twin.reader_environment import THIS_TWIN


def test_a_drill_tells_what_happens_and_ends_when_every_click_is_accounted_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = MadeUpRun(picture(sent=10, counted=6), picture(sent=10, counted=None), SETTLED)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    code, said = asked(run, folder, "drill", "a-fault")
    assert (code, run.events) == (0, ["caused", "undone"])
    assert "it breaks" in said
    assert "every click is accounted for: sent 10; counted 7, rejected 2, unparseable 1" in said


def test_a_drill_after_which_clicks_are_missing_fails_with_the_numbers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.drills.drill.WELL_TIMEOUT_SECONDS", 0)
    run = MadeUpRun(picture(sent=10, counted=6))
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    code, said = asked(run, folder, "drill", "a-fault")
    assert code == 1
    assert "not within 0 s; sent 10; counted 6" in said


def test_a_fault_that_cannot_be_undone_is_said_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError("Connection refused")

    run = MadeUpRun(SETTLED)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=lambda _: broken))
    code, said = asked(run, folder, "drill", "a-fault")
    assert (code, "a-fault is not undone and goes on: Connection refused" in said) == (1, True)


def test_a_part_that_is_away_ends_no_wait_for_the_end_of_a_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_before: list[object] = []

    def over(_: object) -> bool:
        asked_before.append(_)
        if len(asked_before) == 1:
            raise OSError("Connection refused")
        return len(asked_before) > 2

    run = MadeUpRun(SETTLED)
    stays = run.fault(cause=lambda _: None, command=lambda _: "aws mend", over=over)
    monkeypatch.setitem(FAULTS, "a-fault", stays)
    assert asked(run, folder, "drill", "a-fault")[0] == 0


def test_what_a_drill_waits_for_is_said_once_and_again_when_it_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.drills.drill.SAID_EVERY_SECONDS", 0)
    broken = replace(SETTLED, problems=("flink has ended",))
    others = (picture(sent=9, counted=5), picture(sent=9, counted=5))  # one for the wait, one for its sum
    run = MadeUpRun(broken, broken, broken, SETTLED, SETTLED, *others, *others, SETTLED)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    lines = asked(run, folder, "drill", "a-fault")[1].splitlines()
    assert lines[0] == "not well before the fault: flink has ended"
    assert lines.count("not yet: flink has ended") == 1
    assert lines.count("not yet: sent 9; counted 5, rejected 2, unparseable 1") == 1


def test_alarms_that_outlast_their_cause_are_said_at_the_end_of_a_drill(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = AlarmState(
        name="nodes",
        region="us-west-2",
        state=State.ALARM,
        since=datetime.now(UTC),
        reason="",
        shows="",
        runbook="runbook.md#nodes",
    )
    run = MadeUpRun(replace(SETTLED, alarms=(alarm,)))
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    assert "ALARM nodes: runbook.md#nodes" in asked(run, folder, "drill", "a-fault")[1]


def test_a_command_that_nobody_gives_ends_the_drill_and_says_that_the_fault_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.drills.drill.PRACTISE_TIMEOUT_SECONDS", 0)
    run = MadeUpRun(SETTLED)
    stays = run.fault(cause=lambda _: None, command=lambda _: "aws mend", over=lambda _: False)
    monkeypatch.setitem(FAULTS, "a-fault", stays)
    code, said = asked(run, folder, "drill", "a-fault")
    assert (code, "the fault goes on until it is" in said) == (1, True)


def test_a_fault_ends_once_the_part_that_undoes_it_has_been_started_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody ended OpenSearch in the middle of the drill."""
    refused = [URLError("refused"), URLError("refused")]

    def answers(_: Any = None) -> bool:
        if refused:
            raise refused.pop()
        return True

    run = MadeUpRun(SETTLED)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=lambda _: answers))
    code, said = asked(run, folder, "drill", "a-fault")
    assert (code, refused, said.count("not yet: the fault cannot be undone")) == (0, [], 1)
    refused.append(URLError("refused"))
    mended = run.fault(cause=lambda _: None, command=lambda _: "aws mend", over=answers)
    monkeypatch.setitem(FAULTS, "a-fault", mended)
    assert (asked(run, folder, "drill", "a-fault")[0], refused) == (0, [])


def test_a_fault_lasts_as_long_as_whoever_practises_wants(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = MadeUpRun(SETTLED)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault(lasts_seconds=1000))
    assert "undone after 0 s" in asked(run, folder, "drill", "a-fault", "--lasts", "0")[1]
    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=lambda _: None))
    assert "LASTS changes nothing" in asked(run, folder, "drill", "a-fault", "--lasts", "0")[1]


def test_whoever_practises_may_wait_for_the_slowest_alarm_of_what_a_command_ends() -> None:
    page = (PROJECT / "docs" / "reference" / "alarm_faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(?:[\w-]+-)?([\w.]+)` \|[^|]*\| ([\d,]+) s", page, re.MULTILINE)
    ended = {fault.runbook for fault in FAULTS.values() if fault.command is not None}
    seconds = [int(number.replace(",", "")) for alarm, number in rows if alarm in ended]
    assert 300 < max(seconds) < PRACTISE_TIMEOUT_SECONDS


def test_a_second_drill_is_told_which_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    run = MadeUpRun(SETTLED)
    control = Control(run.drilled, NoRecovery())  # type: ignore[arg-type]
    answers: list[tuple[int, str]] = []

    def another(_: DrilledRun) -> None:
        said: list[str] = []
        answers.append((control.answer(b'{"drill": "a-fault"}', said.append), said[0]))

    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=another))
    assert control.answer(b'{"drill": "a-fault"}', lambda _: None) == 0
    assert answers == [(1, "a drill is under way, wait for its end; it said last: a-fault: it breaks")]


def test_a_drill_that_has_said_nothing_yet_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    run, said = MadeUpRun(SETTLED), list[str]()
    control = Control(run.drilled, NoRecovery())  # type: ignore[arg-type]
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    monkeypatch.setattr(
        "twin.drills.control.drill", lambda *_, **__: control.answer(b'{"drill": "a-fault"}', said.append)
    )
    control.answer(b'{"drill": "a-fault"}', said.append)
    assert said == ["a drill is under way, wait for its end; it said last: a-fault begins"]


def test_of_two_running_twins_it_is_said_which_is_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = MadeUpRun(SETTLED)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    other = folder.with_name("click-trends-twin-0")
    other.mkdir()
    with controlled(Control(run.drilled, NoRecovery()), other):  # type: ignore[arg-type]
        os.utime(other / SOCKET, (0, 0))
        code, said = asked(run, folder, "drill", "a-fault")
    assert (code, said.splitlines()[0]) == (
        0,
        f"2 twins run, this is the newest; for another, source its file: {folder}",
    )


def test_the_twin_of_the_shells_environment_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THIS_TWIN, str(folder))
    assert asked(MadeUpRun(SETTLED), folder, "start") == (0, "flink ended with exit code 1\n")
    other = folder.with_name("click-trends-twin-0")
    monkeypatch.setenv(THIS_TWIN, str(other))
    code, said = asked(MadeUpRun(SETTLED), folder, "start")
    assert (code, said.startswith(f"the twin of this shell has ended, {other}: ")) == (2, True)


def test_a_run_that_ends_while_twins_are_sought_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Path("/nonexistent/click-trends-twin-1") / SOCKET
    monkeypatch.setattr(Path, "glob", lambda *_: iter([gone]))
    assert CliRunner().invoke(app, ["drill", "opensearch-away"]).exit_code == 2


def test_the_screen_is_told_which_drill_is_under_way_and_what_it_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, seen = MadeUpRun(SETTLED), list[str]()
    control = Control(run.drilled, NoRecovery())  # type: ignore[arg-type]
    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=lambda _: seen.append(control.under_way())))
    control.answer(b'{"drill": "a-fault"}', lambda _: None)
    [line] = seen
    assert re.fullmatch(r"drill a-fault since \d\d:\d\d:\d\d: a-fault: it breaks", line)
    assert control.under_way() == ""


def test_a_part_that_ends_again_at_once_is_not_said_to_run(folder: Path) -> None:
    class StillFull(NoRecovery):
        looks = 0

        def start(self, _: str) -> Any:
            return SimpleNamespace(result=lambda: None)

        def ended(self) -> list[EndedPart]:
            self.looks += 1
            full = EndedPart(name="transport", problem="the disk is full: free room", can_start=True)
            return [full] if self.looks > 1 else []

    with controlled(Control(MadeUpRun(SETTLED).drilled, StillFull()), folder):  # type: ignore[arg-type]
        done = CliRunner().invoke(app, ["start", "transport"])
    assert (done.exit_code, "transport runs" in done.output) == (1, False)
    assert "it did not stay: transport has ended; in another terminal: make start" in done.output


def test_without_a_part_to_start_those_that_ended_are_listed(folder: Path) -> None:
    assert asked(MadeUpRun(SETTLED), folder, "start") == (0, "flink ended with exit code 1\n")


@pytest.mark.parametrize(("arrived_twice", "code"), [(2, 0), (1, 1)])
def test_more_clicks_than_were_sent_are_fine_only_if_they_arrived_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arrived_twice: int, code: int
) -> None:
    monkeypatch.setattr("twin.drills.drill.WELL_TIMEOUT_SECONDS", 0)
    monkeypatch.setattr("twin.drills.drill.repeated_clicks", lambda _: arrived_twice)
    run = MadeUpRun(picture(sent=10, counted=9))
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    ended, said = asked(run, folder, "drill", "a-fault")
    assert (ended, "2 more than sent" in said) == (code, True)


def test_each_further_copy_of_a_click_in_the_source_stream_is_a_repetition(tmp_path: Path) -> None:
    journal = tmp_path / "raw.ndjson"
    click, other = '{"click_id": "a"}', '{"click_id": "b"}'
    journal.write_text(f'{click}\n{click}{other}\nno click\n{click}\n{{"click_id": []}}\n{{}}\n')
    names: Any = SimpleNamespace(raw_backup_delivery_stream="raw")
    twin: Any = SimpleNamespace(names=names, delivery_streams={"raw": SimpleNamespace(journal=journal)})
    assert repeated_clicks(twin) == 2


def test_a_fault_that_cannot_be_caused_is_said_and_another_drill_may_follow(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: DrilledRun) -> None:
        raise OSError("no such index")

    run = MadeUpRun(SETTLED)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault(cause=broken))
    code, said = asked(run, folder, "drill", "a-fault")
    assert (code, "a-fault is not caused, or in part: no such index" in said) == (1, True)
    monkeypatch.setitem(FAULTS, "a-fault", run.fault())
    assert asked(run, folder, "drill", "a-fault")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("drill", "opensearch-awya"), 2, "no fault 'opensearch-awya'; there are opensearch-away,"),
        (("start", "flnik"), 1, "no part 'flnik'"),
    ],
)
def test_an_unknown_name_is_answered_with_a_reason(
    folder: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    assert asked(MadeUpRun(SETTLED), folder, *words)[0] == code
    assert asked(MadeUpRun(SETTLED), folder, *words)[1].startswith(told)


def test_without_a_running_twin_a_drill_says_how_to_start_one(folder: Path) -> None:
    (folder / SOCKET).touch()  # of a run that was killed
    done = CliRunner().invoke(app, ["drill", "opensearch-away"])
    assert (done.exit_code, "make run" in done.output) == (2, True)


def test_without_a_name_the_faults_are_listed() -> None:
    listed = CliRunner().invoke(app, ["drill"]).output
    assert [line.split()[0] for line in listed.splitlines()] == list(FAULTS)


@pytest.mark.parametrize("line", [b"", b"[]", b"null", b"{}", b'{"drill": []}', b"\xff"])
def test_a_request_that_is_none_is_answered(line: bytes) -> None:
    said: list[str] = []
    control = Control(MadeUpRun(SETTLED).drilled, NoRecovery())  # type: ignore[arg-type]
    assert control.answer(line, said.append) == 2
    assert said


def test_a_folder_whose_path_is_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 150)
    deep.mkdir()
    control = Control(MadeUpRun(SETTLED).drilled, NoRecovery())  # type: ignore[arg-type]
    with pytest.raises(TwinError, match="TMPDIR"), controlled(control, deep):
        pytest.fail("it listens")


def test_every_fault_names_a_section_of_the_runbook_that_exists() -> None:
    runbook = (PROJECT / "docs" / "operate" / "runbook.md").read_text(encoding="utf-8")
    sections = {line.removeprefix("### ") for line in runbook.splitlines() if line.startswith("### ")}
    named = {fault.name: fault.runbook for fault in FAULTS.values() if fault.runbook is not None}
    assert {name: section for name, section in named.items() if section not in sections} == {}


def test_the_socket_is_gone_after_the_run(folder: Path) -> None:
    asked(MadeUpRun(SETTLED), folder, "drill", "unknown")
    assert list(folder.iterdir()) == []
