"""Adds to MiniStack's Managed Service for Apache Flink: operations, their failures, and the job's metric.

- Each start, stop and update is an operation that can be listed and described, with the reason of a failure.
- A failed update of a running application ends in a system rollback: the former version runs.
- A start or update fails if the snapshot holds an operator that the program lacks, unless the start allows it
  (twin/snapshot_state.py).
- A running application reports `runningTime`, unless the twin runs its job (twin/flink_metrics.py); with
  JOB_MINUTES=ahead, for the next minute at once, so that tests of many deployments need not wait for it.

A test asks for failures with `POST /_twin/applications/<region>/<name>/faults` and a JSON object:
  "start": MESSAGE, "update": MESSAGE   the next one fails with this reason; the update of a
                                        stopped application is refused with it
  "every_start": MESSAGE                each start fails with it, until other faults are asked for
  "job": "missing"                      the application is RUNNING without a job and reports nothing
"""

import copy
import json
import os
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    json_response,
    new_uuid,
    set_request_account_id,
    set_request_region,
)
from ministack.services import cloudwatch
from ministack.services import kinesisanalyticsv2 as flink

from names import TWIN_ACCOUNT
from twin import snapshot_state

FAULTS_PATH = "/_twin/applications/"
NEEDED_OF_FLINK = (
    "_HANDLERS",
    "_applications",
    "_settle",
    "_status_callback",
    "replace_from_template",
    *snapshot_state.NEEDED_OF_FLINK,
)
NEEDED_OF_CLOUDWATCH = ("record_metric", "_metric_bucket", "_dims_key")
_AHEAD = os.environ.get("JOB_MINUTES") == "ahead"

Request = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[Request], Answer]

_operations = AccountRegionScopedDict()  # application name -> its operations, the oldest first
_faults = AccountRegionScopedDict()  # application name -> the next faults


def set_faults(path: str, body: bytes) -> None:
    """path: of the request, as above. Raises ValueError for an unknown fault."""
    region, name, _ = path.removeprefix(FAULTS_PATH).split("/")
    faults: dict[str, str] = json.loads(body)
    if unknown := faults.keys() - {"start", "every_start", "update", "job"}:
        raise ValueError(f"unknown fault: {', '.join(sorted(unknown))}")
    set_request_account_id(TWIN_ACCOUNT)
    set_request_region(region)
    _faults[name] = faults


def add_operations() -> None:
    """Wrap MiniStack's own operations."""
    describe: Handler = flink._HANDLERS["DescribeApplication"]
    start: Handler = flink._HANDLERS["StartApplication"]
    stop: Handler = flink._HANDLERS["StopApplication"]
    replace: Callable[[str, dict[str, Any]], None] = flink.replace_from_template
    settle: Callable[[dict[str, Any]], None] = flink._settle
    status_callback: Callable[[dict[str, Any]], Callable[..., None]] = flink._status_callback

    def described(request: Request) -> Answer:
        answer = describe(request)
        name = request.get("ApplicationName", "")
        record = flink._applications.get(name)
        if record is not None and record["ApplicationStatus"] == "RUNNING" and not record.get("_driven"):
            _report_job(name, record)
        return answer

    def started(request: Request) -> Answer:
        _forget_the_minute_ahead(request.get("ApplicationName", ""))
        return _recorded("StartApplication", start, request)

    def stopped(request: Request) -> Answer:
        return _recorded("StopApplication", stop, request)

    def settled(record: dict[str, Any]) -> None:
        if record["ApplicationStatus"] == "STARTING" and record.pop("_start_fails", False):
            record["ApplicationStatus"] = "READY"
        settle(record)

    def replaced(name: str, properties: dict[str, Any]) -> None:
        _forget_the_minute_ahead(name)
        record = flink._applications[name]
        error = _next_fault(name, "update")
        running = record["ApplicationStatus"] == "RUNNING"
        if error is not None and not running:
            raise ValueError(error)
        if running and error is None:
            error = snapshot_state.unmapped_by_update(record, properties["ApplicationConfiguration"])
        # "If you update your application without specifying this parameter, AllowNonRestoredState will be set
        # to false, even if it was previously set to true" (API reference, FlinkRunConfiguration).
        record.get("_RunConfiguration", {}).pop("FlinkRunConfiguration", None)
        if error is None:
            replace(name, properties)
            if running:
                snapshot_state.runs(record)
            _record(name, "UpdateApplication", None)
            return
        _take_back(name, lambda: replace(name, properties), error)

    def told(record: dict[str, Any]) -> Callable[..., None]:
        on_status = status_callback(record)

        def of_job(status: str, message: str | None = None) -> None:
            on_status(status, message)
            if operation := record.pop("_start_operation", None):
                _end(operation, None if status == "RUNNING" else message or "no reason is given")

        return of_job

    snapshot_state.remember_operators()
    flink._status_callback = told
    flink._settle = settled
    flink.replace_from_template = replaced
    flink._HANDLERS.update(
        {
            "DescribeApplication": described,
            "StartApplication": started,
            "StopApplication": stopped,
            "ListApplicationOperations": _list_operations,
            "DescribeApplicationOperation": _describe_operation,
        }
    )


def _take_back(name: str, update: Callable[[], None], error: str) -> None:
    """The update, and its system rollback once the service has given it up."""
    record = flink._applications[name]
    former = copy.deepcopy(record)
    update()
    failed_version = record["ApplicationVersionId"]
    record.clear()
    record.update(former)
    record["ApplicationVersionId"] = failed_version + 1
    record["ApplicationVersionRolledBackFrom"] = failed_version
    record["ApplicationVersionRolledBackTo"] = former["ApplicationVersionId"]
    _record(name, "UpdateApplication", error)
    _record(name, "RollbackApplication", None)


def _next_fault(name: str, kind: str) -> str | None:
    faults: dict[str, str] = _faults.get(name) or {}
    return faults.pop(kind, None)


def _recorded(operation: str, handler: Handler, request: Request) -> Answer:
    name = request.get("ApplicationName", "")
    status, headers, body = handler(request)
    if status >= 300:
        return status, headers, body
    error = None
    if operation == "StartApplication":
        record = flink._applications[name]
        error = _next_fault(name, "start") or (_faults.get(name) or {}).get("every_start")
        if error is None and not record.get("_driven"):  # otherwise Flink itself says so
            error = snapshot_state.unmapped_at_start(record, request.get("RunConfiguration", {}))
        if error is None:
            snapshot_state.runs(record)
        else:
            record["_start_fails"] = True
    recorded = _record(name, operation, error)
    record = flink._applications[name]
    if operation == "StartApplication" and record.get("_driven") and error is None:
        recorded["OperationStatus"] = "IN_PROGRESS"  # until the job runs or fails
        record["_start_operation"] = recorded
    answer: Answer = json_response({**json.loads(body), "OperationId": recorded["OperationId"]})
    return answer


def _record(name: str, operation: str, error: str | None) -> dict[str, Any]:
    recorded = {"Operation": operation, "OperationId": new_uuid(), "StartTime": time.time()}
    _end(recorded, error)
    operations = _operations.get(name) or []
    _operations[name] = [*operations, recorded]
    return recorded


def _end(operation: dict[str, Any], error: str | None) -> None:
    operation["OperationStatus"] = "FAILED" if error else "SUCCESSFUL"
    operation["EndTime"] = time.time()
    operation["_error"] = error


def _list_operations(request: Request) -> Answer:
    name = request.get("ApplicationName", "")
    if name not in flink._applications:
        return _not_found(f"Application '{name}' does not exist.")
    wanted = {key: request[key] for key in ("Operation", "OperationStatus") if key in request}
    found = [
        {key: value for key, value in operation.items() if not key.startswith("_")}
        for operation in reversed(_operations.get(name) or [])
        if all(operation[key] == value for key, value in wanted.items())
    ]
    answer: Answer = json_response({"ApplicationOperationInfoList": found})
    return answer


def _describe_operation(request: Request) -> Answer:
    for operation in _operations.get(request.get("ApplicationName", "")) or []:
        if operation["OperationId"] == request.get("OperationId"):
            details = {
                key: operation[key] for key in ("Operation", "OperationStatus", "StartTime", "EndTime")
            }
            if operation["_error"]:
                details["OperationFailureDetails"] = {"ErrorInfo": {"ErrorString": operation["_error"]}}
            answer: Answer = json_response({"ApplicationOperationInfoDetails": details})
            return answer
    return _not_found(f"Operation '{request.get('OperationId')}' does not exist.")


def _report_job(name: str, record: dict[str, Any]) -> None:
    if (_faults.get(name) or {}).get("job") == "missing":
        return
    running_since = record.setdefault("_running_since", time.time())
    cloudwatch.record_metric(
        "AWS/KinesisAnalytics",
        "runningTime",
        (time.time() - running_since) * 1000 + 1,
        unit="Milliseconds",
        dimensions={"Application": name},
    )
    if _AHEAD:
        newest = _points(name)[-1]
        newest["Timestamp"] = (newest["Timestamp"] // 60 + 1) * 60


def _points(name: str) -> list[dict[str, Any]]:
    key = ("AWS/KinesisAnalytics", "runningTime", cloudwatch._dims_key({"Application": name}))
    points: list[dict[str, Any]] = cloudwatch._metric_bucket(key)
    return points


def _forget_the_minute_ahead(name: str) -> None:
    """It belongs to the job that ran until now."""
    if _AHEAD:
        _points(name).clear()


def _not_found(message: str) -> Answer:
    answer: Answer = error_response_json("ResourceNotFoundException", message, 400)
    return answer
