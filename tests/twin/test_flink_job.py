"""Distinguishes a job that keeps restarting from one that progresses: the rule, and real Flink's answers."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from analytics_sql.local_flink import cause_of
from twin.flink_job import FlinkJob, JobState, RestartWatch
from twin.processes import ChildProcess, TwinError, free_port, wait_for

TOLD_WITHIN_SECONDS = 30
FAILING_PROGRAM = """\
import sys
from analytics_sql.local_flink import find_java
from analytics_sql.main import table_environment

find_java()
tables = table_environment({
    "rest.bind-address": "127.0.0.1",
    "rest.bind-port": sys.argv[1],
    "metrics.fetcher.update-interval": "1000",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "1000000",
    "restart-strategy.fixed-delay.delay": "1 s",
})
tables.execute_sql("CREATE TABLE texts (text STRING) WITH ('connector' = 'datagen')")
tables.execute_sql("CREATE TABLE numbers (number INT) WITH ('connector' = 'blackhole')")
tables.execute_sql("INSERT INTO numbers SELECT CAST('no number ' || text AS INT) FROM texts").wait()
"""


def _state(*, restarts: int, checkpoints: int = 0) -> JobState:
    return JobState(status="RUNNING", tasks_run=True, restarts=restarts, checkpoints=checkpoints)


def _watched(*seen: tuple[float, int, int]) -> RestartWatch:
    """seen: (second, restarts, checkpoints) at each look."""
    watch = RestartWatch()
    for second, restarts, checkpoints in seen:
        watch.see(_state(restarts=restarts, checkpoints=checkpoints), second)
    return watch


def test_three_restarts_in_half_a_minute_mean_it_keeps_restarting() -> None:
    seen = [(0.0, 0, 1), (5.0, 1, 4), (14.0, 2, 9), (25.0, 3, 12)]
    assert not _watched(*seen[:3]).again_and_again(25.0)
    assert _watched(*seen).again_and_again(25.0)


def test_three_restarts_without_a_checkpoint_mean_so_too() -> None:
    assert _watched((0, 0, 7), (60, 1, 7), (120, 2, 7), (180, 3, 7)).again_and_again(180)


def test_rare_restarts_of_a_progressing_job_are_fine() -> None:
    seen = [(0, 0, 1), (60, 1, 1), (61, 1, 2), (120, 2, 2), (121, 2, 3), (180, 3, 3), (181, 3, 4)]
    assert not _watched(*seen).again_and_again(181)


def test_a_job_that_progresses_after_restarts_is_fine_again() -> None:
    watch = _watched((0, 0, 0), (2, 1, 0), (4, 2, 0), (6, 3, 0))
    assert watch.again_and_again(6)
    watch.see(_state(restarts=3, checkpoints=1), 10)
    assert not watch.again_and_again(6 + 31)


def test_restarts_seen_at_once_each_count() -> None:
    assert _watched((0, 0, 0), (2, 3, 0)).again_and_again(2)


def test_the_cause_is_the_root_of_a_stack_trace() -> None:
    trace = (
        "JobException: restarting\n\tat x\nCaused by: IOException: a\n\tat y\nCaused by: BadError: the root\n"
    )
    assert cause_of(trace) == "BadError: the root"
    assert cause_of("OnlyException: this\n\tat x") == "OnlyException: this"
    assert cause_of("") == "no reason is given"


def test_a_restarted_or_stopped_job_is_shown_with_its_cause() -> None:
    assert _state(restarts=0, checkpoints=5).problem is None
    restarted = replace(_state(restarts=2), cause="IOException: 500")
    assert str(restarted.problem) == "RUNNING, 2 restarts, 0 checkpoints; last failure: IOException: 500"
    assert replace(restarted, recovered=True).problem is None
    assert "RESTARTING" in str(replace(_state(restarts=2), status="RESTARTING", recovered=True).problem)
    assert "not all of its tasks" in str(replace(_state(restarts=0), tasks_run=False).problem)


def test_a_tables_gauges_are_found_at_its_lookup_vertex(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With answers of Flink 2.3."""
    metrics = "/jobs/j/vertices/source/subtasks/metrics"
    gauge = "LookupJoin[9].KinesisAnalytics.segmentsUsers"
    answers: dict[str, object] = {
        "/jobs/overview": {"jobs": [{"jid": "j"}]},
        "/jobs/j": {"vertices": [{"id": "sink"}, {"id": "source"}]},
        "/jobs/j/vertices/sink/subtasks/metrics": [{"id": "numRecordsIn"}],
        metrics: [{"id": "numRecordsIn"}, {"id": gauge}],
        f"{metrics}?get={quote(gauge)}&agg=max": [{"id": gauge, "max": 2000.0}],
    }
    job = FlinkJob("http://127.0.0.1:1")
    monkeypatch.setattr(job, "_request", answers.__getitem__)
    assert job.gauges("segments") == {"segmentsUsers": 2000.0}
    assert job.gauges("others") == {}


def test_a_silent_cluster_has_no_gauges() -> None:
    assert FlinkJob(f"http://127.0.0.1:{free_port()}").gauges("segments") == {}


@pytest.fixture
def failing_job(tmp_path: Path) -> Iterator[FlinkJob]:
    program, port = tmp_path / "failing.py", free_port()
    program.write_text(FAILING_PROGRAM)
    project = Path(__file__).parent.parent.parent
    process = ChildProcess(
        "failing program",
        [sys.executable, str(program), str(port)],
        log=tmp_path / "log" / "program.log",
        env={
            **{name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ},
            "PYTHONPATH": str(project),
            "HOME": str(tmp_path),
            "FLINK_LOG_DIR": str(tmp_path / "log"),
            "JVM_ARGS": f"{os.environ['JVM_ARGS']} -Djava.io.tmpdir={tmp_path}",
        },
    )
    try:
        job = FlinkJob(f"http://127.0.0.1:{port}")
        process.wait_until(lambda: job.state() is not None, timeout_seconds=120)
        yield job
    finally:
        process.kill()


def test_a_savepoint_of_a_dead_cluster_fails_with_the_request(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="cannot take a savepoint"):
        FlinkJob(f"http://127.0.0.1:{free_port()}").savepoint(tmp_path, stop=True)


@pytest.mark.flink
def test_a_job_that_keeps_restarting_is_reported_within_30_seconds(
    failing_job: FlinkJob,
) -> None:
    watch, began = RestartWatch(), time.monotonic()

    def told() -> bool:
        """Flink's history of failures is some seconds older than its number of restarts."""
        if state := failing_job.state():
            watch.see(state)
        return watch.again_and_again() and state is not None and state.cause is not None

    wait_for(told, what="the restarts told", timeout_seconds=TOLD_WITHIN_SECONDS, poll_seconds=1)
    assert time.monotonic() - began < TOLD_WITHIN_SECONDS
    state = failing_job.state()
    assert state is not None
    assert state.restarts >= 3
    assert "NumberFormatException" in str(state)


def test_a_job_has_recovered_once_it_completes_a_checkpoint_after_a_restart() -> None:
    watch = RestartWatch()
    watch.see(_state(restarts=0, checkpoints=5))
    assert watch.recovered
    watch.see(_state(restarts=1, checkpoints=6))  # completed before the restart or after: nobody knows
    assert not watch.recovered
    watch.see(_state(restarts=1, checkpoints=6))
    assert not watch.recovered
    watch.see(_state(restarts=1, checkpoints=7))
    assert watch.recovered
    watch.see(_state(restarts=4, checkpoints=7))
    watch.see(_state(restarts=4, checkpoints=8))
    assert not watch.recovered  # three restarts within half a minute
