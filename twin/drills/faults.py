"""The faults that a drill can cause in a running twin, and how each ends.

Each is done to the part that fails, never to a metric or a count.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from contract.event_time import format_time
from names import OREGON, TOKYO
from twin.drills.fault import Fault
from twin.drills.firehose_faults import FIREHOSE_FAULTS
from twin.drills.flink_faults import FLINK_FAULTS
from twin.drills.rankings_faults import RANKINGS_FAULTS
from twin.drills.run import DrilledRun
from twin.drills.search_faults import SEARCH_FAULTS
from twin.drills.segments_faults import SEGMENTS_FAULTS
from twin.drills.stream_faults import STREAM_FAULTS
from twin.processes import wait_for
from twin.traffic.record import EntryPoint, Record
from twin.twin import Twin

CLICKS_OF_A_WRONG_CLOCK = 200
POISON_LINES = 2_000
AHEAD = timedelta(days=2)
THROTTLED_SECONDS = 60.0


def _flink_is_killed(run: DrilledRun) -> None:
    application = run.twin.application
    assert application is not None, "a drill needs a deployed twin"
    application.kill()


def _flink_is_stopped(run: DrilledRun) -> None:
    service = run.twin.emulator.client("kinesisanalyticsv2", OREGON)
    service.stop_application(ApplicationName=run.twin.names.application)
    wait_for(
        lambda: _status(run.twin) == "READY",
        what=f"application {run.twin.names.application} stopped",
        timeout_seconds=120,
        seen=lambda: f"it is {_status(run.twin)}",
    )


def _status(twin: Twin) -> str:
    assert twin.application is not None, "a drill needs a deployed twin"
    return str(twin.application.detail()["ApplicationStatus"])


def _start_command(twin: Twin) -> str:
    restore = {"ApplicationRestoreConfiguration": {"ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"}}
    return (
        f"aws kinesisanalyticsv2 start-application --application-name {twin.names.application} "
        f"--run-configuration '{json.dumps(restore, separators=(',', ':'))}' --region {OREGON}"
    )


def _forwarder_is_off(run: DrilledRun) -> None:
    _lambda(run.twin).update_event_source_mapping(UUID=_mapping(run.twin)["UUID"], Enabled=False)


def _forwarder_is_throttled(run: DrilledRun) -> Callable[[], None]:
    function = {"FunctionName": run.twin.names.forwarder}
    _lambda(run.twin).put_function_concurrency(**function, ReservedConcurrentExecutions=0)
    return lambda: _lambda(run.twin).delete_function_concurrency(**function)


def _lambda(twin: Twin) -> Any:
    return twin.emulator.client("lambda", TOKYO)


def _mapping(twin: Twin) -> dict[str, Any]:
    [mapping] = _lambda(twin).list_event_source_mappings(FunctionName=twin.names.forwarder)[
        "EventSourceMappings"
    ]
    found: dict[str, Any] = mapping
    return found


def _enable_command(twin: Twin) -> str:
    uuid = _mapping(twin)["UUID"]
    return f"aws lambda update-event-source-mapping --uuid {uuid} --enabled --region {TOKYO}"


def _a_clock_is_wrong(run: DrilledRun) -> None:
    at, prefix = datetime.now(UTC) + AHEAD, uuid4().hex[:8]
    run.send(
        [
            _record(
                {
                    "click_id": f"drill-{prefix}-{number}",
                    "clicked_at": format_time(at),
                    "user_id": f"drill-{number}",
                    "article_id": "drill",
                }
            )
            for number in range(CLICKS_OF_A_WRONG_CLOCK)
        ]
    )


def _poison(run: DrilledRun) -> None:
    prefix = uuid4().hex[:8]
    run.send(
        [
            Record(f"drill {prefix} {number}\n".encode(), str(number), EntryPoint.WEB, 0.0, "drill")
            for number in range(POISON_LINES)
        ]
    )


def _record(click: dict[str, str]) -> Record:
    return Record(json.dumps(click).encode() + b"\n", click["click_id"], EntryPoint.WEB, 0.0, "drill")


FAULTS = {
    fault.name: fault
    for fault in (
        *SEARCH_FAULTS,
        Fault(
            name="flink-killed",
            what="Flink's process is killed; the service starts it from its last checkpoint",
            seen="no new counts for as long as the start takes",
            runbook="numRestarts",
            cause=_flink_is_killed,
        ),
        Fault(
            name="flink-stopped",
            what="somebody stops the application",
            seen="no new counts; the screen says that it is stopped",
            runbook="runningTime",
            cause=_flink_is_stopped,
            command=_start_command,
            operation="aws kinesisanalyticsv2 start-application",
            over=lambda twin: _status(twin) == "RUNNING",
        ),
        Fault(
            name="forwarder-off",
            what="somebody disables the forwarder's event source mapping",
            seen="clicks of mobile apps are missing in the counts; those of web servers go on",
            runbook="NothingRead",
            cause=_forwarder_is_off,
            command=_enable_command,
            operation="aws lambda update-event-source-mapping",
            over=lambda twin: _mapping(twin)["State"] == "Enabled",
        ),
        Fault(
            name="forwarder-throttled",
            what=f"no concurrent execution is left for the forwarder for {THROTTLED_SECONDS:.0f} s",
            seen="clicks of mobile apps are missing in the counts; those of web servers go on",
            runbook="Throttles",
            cause=_forwarder_is_throttled,
            lasts_seconds=THROTTLED_SECONDS,
        ),
        *FLINK_FAULTS,
        *STREAM_FAULTS,
        *FIREHOSE_FAULTS,
        *RANKINGS_FAULTS,
        *SEGMENTS_FAULTS,
        Fault(
            name="clock-wrong",
            what=f"a producer whose clock is two days ahead sends {CLICKS_OF_A_WRONG_CLOCK} clicks",
            seen="they are rejected as too new",
            runbook="RejectedShare",
            cause=_a_clock_is_wrong,
        ),
        Fault(
            name="poison",
            what=f"{POISON_LINES:,} lines that are no clicks arrive at once",
            seen="they are rejected as unparseable",
            runbook="clicksUnparseablePercent",
            cause=_poison,
        ),
    )
}
"""By name, in the order of the list that is shown."""
