"""What a run says about its application, and how long it stays."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from twin.demonstration import application_problem, stay_for_questions, what_goes_on
from twin.ended import EndedPart
from twin.flink_job import JobState
from twin.processes import TwinError

RUNNING = JobState(status="RUNNING", tasks_run=True, restarts=0, checkpoints=3)


def test_a_stopped_application_is_named_and_a_running_one_is_not() -> None:
    assert "is stopped: clicks wait in the source stream" in str(application_problem(None))
    assert application_problem(RUNNING) is None


def test_traffic_that_a_drill_holds_is_said_beside_the_parts() -> None:
    search = EndedPart(name="opensearch", problem="killed", can_start=True)
    assert what_goes_on([search], ["flink"], flows=True) == [search.told, "flink is started again"]
    [held] = what_goes_on([], [], flows=False)
    assert "a drill waits" in held


def _console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=200)


def _checks(*outcomes: BaseException | None) -> Iterator[None]:
    for outcome in outcomes:
        if outcome is not None:
            raise outcome
        yield None


def test_a_replay_in_a_terminal_stays_until_ctrl_c() -> None:
    checks = _checks(None, KeyboardInterrupt())
    console = _console(terminal=True)
    stay_for_questions(lambda: next(checks), console, "http://127.0.0.1:8642")
    assert isinstance(console.file, io.StringIO)
    assert "http://127.0.0.1:8642" in console.file.getvalue()
    with pytest.raises(StopIteration):
        next(checks)  # both were made


def test_a_part_that_dies_ends_a_staying_replay() -> None:
    checks = _checks(TwinError("MiniStack ended"))
    with pytest.raises(TwinError, match="MiniStack ended"):
        stay_for_questions(lambda: next(checks), _console(terminal=True), "")


def test_a_replay_into_a_file_ends_by_itself() -> None:
    stay_for_questions(lambda: pytest.fail("it stays"), _console(terminal=False), "")
