"""A fault of a part, its permissions or its input drives its alarms from OK to ALARM, and its end back to OK.

Clocks run faster than the wall's. Nothing is done to a metric, but where only AWS can cause the fault. What
passed is recorded: `make docs` makes docs/reference/alarm_faults.md from it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from clients.batch_server import TrendsError
from clients.batch_server.progress import ProgressWatch
from names import OREGON
from tests.alarm_faults.acts import flooded
from tests.alarm_faults.alarm_fault import AlarmFault
from tests.alarm_faults.faults import HOURLY_LANES, LANES
from tests.alarm_faults.inputs import IN_FORCE_FOR, READERS, SEED, early_click, write_readers
from tests.alarm_faults.watching import MACHINE_SECONDS, FaultRun
from twin.alarms.fault_table import record
from twin.delivery_faults import DeliveryFaults
from twin.processes import wait_for
from twin.traffic.send import TrafficTally, send
from twin.traffic.simulated import evenly, readers, simulated_clicks
from twin.twin import Twin, running_twin

TWIN_MINUTES_A_MINUTE = 10
TWIN_HOURS_AN_HOUR = 60
CLICKS_A_SECOND = 20.0
REJECTED_EVERY_SECONDS = 2.0
"""A click that the application rejects: several in a minute of the clock, and far from 5 % of the bytes."""
FAULTS = [fault for lane in LANES for fault in lane]
HOURLY_FAULTS = [fault for lane in HOURLY_LANES for fault in lane]
RUN_SECONDS = 7_200
COUNTED_WITHIN_SECONDS = 900


def _wait_for_counts(twin: Twin) -> None:
    """Faults of the counts need an index."""

    def counted() -> bool:
        twin.check()
        try:
            return twin.counted() > 0
        except TrendsError:
            return False

    wait_for(counted, what="the first clicks counted", timeout_seconds=COUNTED_WITHIN_SECONDS)


def _told(what: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {what}", flush=True)


def _wait_until_progress_is_told(twin: Twin) -> None:
    """No hour is final before, which takes some minutes of the wall's metrics on any clock."""
    progress = ProgressWatch(twin.emulator.client("cloudwatch", OREGON), twin.names)
    wait_for(
        lambda: progress().read_until is not None,
        what="CloudWatch telling how far the application has read",
        timeout_seconds=COUNTED_WITHIN_SECONDS,
        poll_seconds=1.0,
        seen=lambda: str(progress()),
    )


@contextmanager
def busy_twin(factor: float) -> Iterator[Twin]:
    """With segments and steady traffic from apps and web servers."""
    _told(f"a twin starts, on a clock {factor:g} times as fast as the wall's")
    with running_twin(DeliveryFaults(repeated=0, delayed=0), clock_factor=factor) as twin:
        twin.deploy()
        _told("it is deployed")
        now = datetime.now(UTC)
        segments = write_readers(twin.work / "segments.csv")
        twin.wait_for_segments(twin.publish_segments(segments, now - IN_FORCE_FOR))
        stop = threading.Event()
        people, rate = readers(READERS, SEED), evenly(CLICKS_A_SECOND)
        clicks = simulated_clicks(people, at=rate, started_at=now, seed=SEED)
        sending = threading.Thread(target=send, args=(clicks, twin.producers(), TrafficTally(), stop))
        sending.start()
        rejected = flooded(
            lambda names: names.source_stream,
            OREGON,
            early_click,
            a_call=1,
            pause_seconds=REJECTED_EVERY_SECONDS,
        )
        rejected.cause(twin)
        try:
            _wait_for_counts(twin)
            _told("clicks are counted")
            yield twin
        finally:
            stop.set()
            rejected.end(twin)
            sending.join()


def _asked_for(
    request: pytest.FixtureRequest, lanes: Sequence[Sequence[AlarmFault]]
) -> list[list[AlarmFault]]:
    """Of the lanes, the faults whose tests run."""
    asked = {
        item.callspec.params["fault"].name for item in request.session.items if hasattr(item, "callspec")
    }
    kept = [[fault for fault in lane if fault.name in asked] for lane in lanes]
    return [lane for lane in kept if lane]


@pytest.fixture(scope="module")
def caused(request: pytest.FixtureRequest) -> Iterator[FaultRun]:
    with busy_twin(TWIN_MINUTES_A_MINUTE) as twin:
        yield FaultRun(twin, _asked_for(request, LANES))


@pytest.fixture(scope="module")
def caused_hourly(request: pytest.FixtureRequest) -> Iterator[FaultRun]:
    with busy_twin(TWIN_HOURS_AN_HOUR) as twin:
        _wait_until_progress_is_told(twin)
        _told("it is known how far the application has read")
        yield FaultRun(twin, _asked_for(request, HOURLY_LANES))


def _holds(run: FaultRun, fault: AlarmFault, factor: float) -> None:
    rows = run.rows(fault)
    for row in rows:
        print(row.row())
        assert row.alarm_seconds <= row.promised_seconds + MACHINE_SECONDS * factor
    record(rows)


@pytest.mark.twin
@pytest.mark.alarm_faults
@pytest.mark.timeout(RUN_SECONDS)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_enters_alarm_and_its_end_is_ok_again(caused: FaultRun, fault: AlarmFault) -> None:
    _holds(caused, fault, TWIN_MINUTES_A_MINUTE)


@pytest.mark.twin
@pytest.mark.alarm_faults
@pytest.mark.timeout(RUN_SECONDS)
@pytest.mark.parametrize("fault", HOURLY_FAULTS, ids=str)
def test_a_fault_of_reconciliation_enters_alarm_and_ends(caused_hourly: FaultRun, fault: AlarmFault) -> None:
    _holds(caused_hourly, fault, TWIN_HOURS_AN_HOUR)
