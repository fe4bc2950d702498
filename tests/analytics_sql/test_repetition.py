"""Repeated click ids on real Flink: dropped with a reason if wanted, and turning that on or off keeps the
counts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics_sql.repetition import OVER, remembered
from contract.event_time import format_time
from tests.analytics_sql.bounded_run import read_rows
from tests.analytics_sql.streaming_run import CLICKS_A_FILE, Streaming, clicks_of_file, streaming

HOUR = 3600
LEAVING_BEHIND = {"execution.state-recovery.ignore-unclaimed-state": "true"}
"""On the service a start with AllowNonRestoredState does."""


class Files:
    """Files of one application's clicks, all clicked now."""

    def __init__(self, application: Streaming) -> None:
        self._application = application
        self._clicked_at = format_time(datetime.now(UTC))
        self._names = 0

    def put(self, number: int, *, times: int = 1, other_reader: bool = False) -> None:
        """The clicks of a file, also again. times: each so often in this file; other_reader: with the same
        click ids and nothing else."""
        clicks = [click for click in clicks_of_file(number, self._clicked_at) for _ in range(times)]
        if other_reader:
            clicks = [click | {"user_id": "another", "article_id": "other"} for click in clicks]
        self._names += 1
        self._application.put(f"{self._names}.json", clicks)

    def wait_for(self, *, counted: int, repeated: int) -> None:
        """Numbers of files, of all so far."""
        application, expected = self._application, (counted * CLICKS_A_FILE, repeated * CLICKS_A_FILE)
        rejects = application.folder / "rejected_clicks"

        def outcome() -> tuple[int, int]:
            return sum(application.largest().values()), len(read_rows(rejects))

        application.wait_until(lambda: outcome() >= expected and outcome()[1] >= expected[1], f"{expected}")
        assert outcome() == expected
        assert {row["reason"] for row in read_rows(rejects)} <= {"repeated_click_id"}


def goes_on(application: Streaming, **start: object) -> None:
    """Killed, and started from its last checkpoint."""
    application.kill()
    application.start(restore=application.last_checkpoint(), **start)  # type: ignore[arg-type]


@pytest.mark.flink
def test_turning_it_on_off_and_on_keeps_the_counts(tmp_path: Path) -> None:
    with streaming(tmp_path) as application:
        files = Files(application)
        files.put(0)
        application.start(remember=HOUR)
        files.wait_for(counted=1, repeated=0)
        files.put(0)
        files.put(0, other_reader=True)
        files.wait_for(counted=1, repeated=2)

        goes_on(application, flink=LEAVING_BEHIND)
        files.put(1)
        files.put(1)
        files.wait_for(counted=3, repeated=2)

        goes_on(application, remember=HOUR)
        files.put(2, times=2)
        files.wait_for(counted=4, repeated=3)


@pytest.mark.flink
def test_a_click_id_is_remembered_over_a_crash_and_only_as_long_as_asked(tmp_path: Path) -> None:
    with streaming(tmp_path) as application:
        files = Files(application)
        files.put(0)
        application.start(remember=HOUR)
        files.wait_for(counted=1, repeated=0)

        goes_on(application, remember=HOUR)
        files.put(0)
        files.wait_for(counted=1, repeated=1)

        goes_on(application, remember=1)  # starting takes longer
        files.put(0)
        files.wait_for(counted=2, repeated=1)


def test_the_lifetime_is_that_of_the_click_ids_alone() -> None:
    nodes = [
        {"id": 1, "type": f"{OVER}1", "configuration": {"kept": "1"}},
        {"id": 2, "type": f"{OVER}1"},
        {"id": 3, "type": "stream-exec-global-group-aggregate_1"},
    ]
    lifetime = {"table.exec.state.ttl": "7200 s"}
    assert remembered({"nodes": nodes}, 7200)["nodes"] == [
        {**nodes[0], "configuration": {"kept": "1", **lifetime}},
        {**nodes[1], "configuration": lifetime},
        nodes[2],
    ]
