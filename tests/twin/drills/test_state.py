"""What a running twin tells whoever watches it for hours."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from twin.drills import drill
from twin.drills.run import DrilledRun
from twin.drills.state import StateOfRun
from twin.ended import TwinPart
from twin.processes import TwinError
from twin.reconciliation import Reconciliation
from twin.screen import Picture

PICTURE = Picture(
    uptime_seconds=0,
    rate_in=5.0,
    sent=10,
    counted=7,
    rejected=2,
    unparseable=1,
    age_of_newest_count=3.0,
    window="",
)
FOUND = Reconciliation(
    counted=7, unparseable=1, rejected=Counter(too_old=1), rejected_by_forwarder=Counter(not_json=1)
)


class WatchedRun:
    """Its reader's newest complete minute ended two minutes ago; OpenSearch does not answer."""

    def __init__(self, picture: Picture = PICTURE, found: Reconciliation = FOUND) -> None:
        self.held = False
        self.readers = 0
        self.reader_answers: Callable[[], None] = lambda: None
        self.held_at_reconciliation: bool | None = None
        self._found = found
        twin: Any = SimpleNamespace(
            parts=self._parts,
            application=SimpleNamespace(seconds_behind=1.5, heap_percent=30.0),
            event_sources=[SimpleNamespace(seconds_behind=0.5), SimpleNamespace(seconds_behind=2.5)],
            opensearch_endpoint="http://127.0.0.1:9",
            work="/made",
            reader=self._reader,
            reconciliation=self._reconciliation,
        )
        self.state = StateOfRun(
            DrilledRun(twin=twin, send=lambda _: None, hold_traffic=self._hold, picture=lambda: picture)
        )

    def _hold(self) -> AbstractContextManager[None]:
        @contextmanager
        def held() -> Any:
            self.held = True
            yield
            self.held = False

        return held()

    def _parts(self) -> list[TwinPart]:
        def has_ended() -> None:
            raise TwinError("a lane ended")

        return [TwinPart(name="lane", check=has_ended, start=lambda: None)]

    def _reader(self, **_: int) -> Any:
        self.readers += 1
        self.reader_answers()
        until = datetime.now(UTC) - timedelta(minutes=2)
        return SimpleNamespace(freshness=lambda: SimpleNamespace(complete_until=until))

    def _reconciliation(self) -> Reconciliation:
        self.held_at_reconciliation = self.held
        return self._found


def test_the_state_tells_clicks_lags_heaps_and_ended_parts() -> None:
    state = WatchedRun().state.now()
    assert [state[name] for name in ("sent", "counted", "rejected", "unparseable")] == [10, 7, 2, 1]
    assert (state["application_behind_seconds"], state["forwarder_behind_seconds"]) == (1.5, 2.5)
    assert state["complete_minute_seconds"] == pytest.approx(120, abs=30)
    assert (state["flink_heap_percent"], state["opensearch_heap_percent"]) == (30.0, None)
    assert state["ended"] == ["lane has ended; in another terminal: make start PART=lane (a lane ended)"]


def test_counts_that_cannot_be_read_now_are_not_told_as_read() -> None:
    assert WatchedRun(replace(PICTURE, read_seconds_ago=20.0)).state.now()["counted"] is None


def test_watching_for_hours_takes_one_reader() -> None:
    run = WatchedRun()
    for _ in range(3):
        run.state.now()
    assert run.readers == 1


def test_the_state_is_told_also_when_the_emulated_aws_has_ended() -> None:
    run = WatchedRun()

    def gone() -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    run.reader_answers = gone
    state = run.state.now()
    assert (state["complete_minute_seconds"], state["sent"]) == (None, 10)
    run.reader_answers = lambda: None
    assert run.state.now()["complete_minute_seconds"] is not None, "it is asked again"


def test_clicks_are_summed_while_no_traffic_flows() -> None:
    run = WatchedRun()
    closed = run.state.closed()
    assert (closed["sent"], closed["counted"], closed["rejected"], closed["missing"]) == (10, 7, 2, 0)
    assert (run.held_at_reconciliation, run.held) == (True, False)


def test_clicks_that_what_was_delivered_lacks_are_missing() -> None:
    assert WatchedRun(found=replace(FOUND, counted=5)).state.closed()["missing"] == 2


def test_a_run_that_does_not_settle_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "WELL_TIMEOUT_SECONDS", 0)
    with pytest.raises(TwinError, match="not within 0 s; sent 10; counted 6"):
        WatchedRun(replace(PICTURE, counted=6)).state.closed()
