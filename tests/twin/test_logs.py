"""What a log says about a part that failed a wait."""

from pathlib import Path

import pytest

from twin.logs import MAX_ERRORS, last_errors, what_to_do

FLINK = """\
2026-01-31 09:15:00,000 INFO  org.apache.flink.runtime.Something [] - Starting
2026-01-31 09:15:01,000 WARN  org.apache.flink.runtime.taskmanager.Task [] - Source (1/2) switched to FAILED
org.apache.flink.util.FlinkException: Global failure
\tat org.apache.flink.Somewhere.run(Somewhere.java:1)
Caused by: java.io.IOException: Could not read records
\tat org.apache.flink.Elsewhere.run(Elsewhere.java:2)
Caused by: software.amazon.awssdk.KinesisException: 500 (Service: Kinesis)
\tat software.amazon.awssdk.Deep.run(Deep.java:3)
2026-01-31 09:15:02,000 INFO  org.apache.flink.runtime.Something [] - Restarting
"""


def _log(folder: Path, text: str, name: str = "log") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_last_error_is_shown_with_causes_but_no_stack(tmp_path: Path) -> None:
    log = _log(tmp_path, FLINK)
    told = last_errors([log])
    assert str(log) in told
    assert "Source (1/2) switched to FAILED" in told
    assert told.splitlines()[-1].strip() == (
        "Caused by: software.amazon.awssdk.KinesisException: 500 (Service: Kinesis)"
    )
    assert "Somewhere.java" not in told
    assert "Starting" not in told


def test_a_repeated_error_is_shown_once_beside_others(tmp_path: Path) -> None:
    other = "2026-01-31 09:00:00,000 ERROR org.apache.flink.Other [] - no space is left\n"
    told = last_errors([_log(tmp_path, other + FLINK * 100)])
    assert told.count("Global failure") == 1
    assert "no space is left" in told


def test_only_the_newest_errors_are_shown(tmp_path: Path) -> None:
    words = ["one", "two", "three", "four", "five"]
    text = "".join(f"2026-01-31 09:15:00,000 ERROR x - {word}\n" for word in words)
    told = last_errors([_log(tmp_path, text)])
    assert [word for word in words if f"- {word}" in told] == words[-MAX_ERRORS:]


def test_a_programs_traceback_is_shown_with_its_last_line(tmp_path: Path) -> None:
    text = (
        'started\nTraceback (most recent call last):\n  File "x.py", line 1\nSystemExit: no\nOSError: taken\n'
    )
    assert "OSError: taken" in last_errors([_log(tmp_path, text)])


def test_without_an_error_the_end_of_the_log_is_shown(tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(100)]
    told = last_errors([_log(tmp_path, "\n".join(lines))])
    assert "line 99" in told
    assert "line 79" not in told


def test_empty_or_missing_files_are_omitted_or_named(tmp_path: Path) -> None:
    empty, missing = _log(tmp_path, "", "empty"), tmp_path / "missing"
    assert last_errors([empty, missing]) == f"the log is empty: {empty}, {missing}"
    assert str(missing) not in last_errors([missing, _log(tmp_path, FLINK)])


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        (
            "OSError: [Errno 98] error while attempting to bind on address: address already in use",
            "run it again",
        ),
        (
            "java.net.BindException: Could not start rest endpoint on any port in port range 4321",
            "run it again",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "memory is short"),
        ("There is insufficient memory for the Java Runtime Environment to continue.", "memory is short"),
        ("os::commit_memory failed; error='Not enough space' (errno=12)", "memory is short"),
    ],
)
def test_a_known_error_has_a_remedy(line: str, advice: str) -> None:
    assert advice in str(what_to_do(line))


def test_an_unknown_error_has_no_remedy() -> None:
    assert what_to_do("ValueError: no") is None
