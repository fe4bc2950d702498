"""An application of Managed Service for Apache Flink, through the service's API and metrics."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

NAMESPACE = "AWS/KinesisAnalytics"
RUNNING_TIME = "runningTime"
METRIC_PERIOD = timedelta(minutes=1)

log = logging.getLogger()


class FlinkApplication:
    """service: a kinesisanalyticsv2 client; metrics: a cloudwatch client."""

    def __init__(self, name: str, *, service: Any, metrics: Any) -> None:
        self.name = name
        self._service = service
        self._metrics = metrics
        self._created: datetime | None = None

    def detail(self) -> dict[str, Any] | None:
        """None if no such application exists."""
        try:
            answered = self._service.describe_application(ApplicationName=self.name)
        except self._service.exceptions.ResourceNotFoundException:
            return None
        detail: dict[str, Any] = answered["ApplicationDetail"]
        self._created = detail["CreateTimestamp"]
        return detail

    def status(self) -> str | None:
        detail = self.detail()
        return None if detail is None else str(detail["ApplicationStatus"])

    def start(self, restore_type: str, *, allow_non_restored_state: bool) -> str | None:
        """Request the start. Returns the operation's id, None if another change is in progress.

        allow_non_restored_state: whether the snapshot may hold operators that the program lacks.
        """
        log.info(
            "starting %s: %s, AllowNonRestoredState %s", self.name, restore_type, allow_non_restored_state
        )
        try:
            answered = self._service.start_application(
                ApplicationName=self.name,
                RunConfiguration={
                    "ApplicationRestoreConfiguration": {"ApplicationRestoreType": restore_type},
                    "FlinkRunConfiguration": {"AllowNonRestoredState": allow_non_restored_state},
                },
            )
        except self._service.exceptions.ResourceInUseException:
            log.info("%s is already being started or changed", self.name)
            return None
        return str(answered["OperationId"])

    def stop(self, *, force: bool) -> None:
        """By force it takes no snapshot; without, only a running application can be stopped."""
        log.info("stopping %s %s", self.name, "by force" if force else "with a snapshot")
        self._service.stop_application(ApplicationName=self.name, Force=force)

    def snapshots(self) -> list[dict[str, Any]]:
        """Restorable snapshots, newest first."""
        pages = self._service.get_paginator("list_application_snapshots").paginate(ApplicationName=self.name)
        ready = [
            snapshot
            for page in pages
            for snapshot in page["SnapshotSummaries"]
            if snapshot["SnapshotStatus"] == "READY"
        ]
        return sorted(ready, key=lambda one: one["SnapshotCreationTimestamp"], reverse=True)

    def delete_snapshot(self, snapshot: Mapping[str, Any]) -> None:
        """snapshot: one of `snapshots`."""
        log.info("deleting snapshot %s of %s", snapshot["SnapshotName"], self.name)
        self._service.delete_application_snapshot(
            ApplicationName=self.name,
            SnapshotName=snapshot["SnapshotName"],
            SnapshotCreationTimestamp=snapshot["SnapshotCreationTimestamp"],
        )

    def has_ever_run(self) -> bool:
        return any(self._operations(Operation="StartApplication", OperationStatus="SUCCESSFUL"))

    def failure_of(self, operation_id: str) -> str | None:
        """The service's reason for an operation's failure; None if it has not failed."""
        try:
            operation = self._service.describe_application_operation(
                ApplicationName=self.name, OperationId=operation_id
            )["ApplicationOperationInfoDetails"]
        except self._service.exceptions.ResourceNotFoundException:
            return None  # not listed yet
        if operation["OperationStatus"] not in {"FAILED", "CANCELLED"}:
            return None
        details = operation.get("OperationFailureDetails", {})
        said = details.get("ErrorInfo", {}).get("ErrorString", "no reason is given")
        return (
            f"{operation['Operation']} of {operation['StartTime']:%Y-%m-%d %H:%M:%S} UTC ended as "
            f"{operation['OperationStatus']}: {said}"
        )

    def last_failure(self) -> str:
        """The newest failed operation, with the service's reason."""
        try:
            failed = max(
                self._operations(OperationStatus="FAILED"), key=lambda one: one["StartTime"], default=None
            )
            said = None if failed is None else self.failure_of(failed["OperationId"])
        except ClientError as error:
            return f"Its operations cannot be listed: {error}."
        return "The service lists no failed operation." if said is None else f"The service says: {said}"

    def _operations(self, **which: str) -> Iterator[dict[str, Any]]:
        """Since the application's creation: an earlier one may have had the same name."""
        pages = self._service.get_paginator("list_application_operations").paginate(
            ApplicationName=self.name, **which
        )
        for page in pages:
            for operation in page["ApplicationOperationInfoList"]:
                if self._created is None or operation["StartTime"] >= self._created:
                    yield operation

    def job_ran_since(self, begin: datetime, now: datetime) -> bool:
        """Whether the job ran through a whole minute that began at `begin` or later. An earlier minute may
        have points of the former job.

        `runningTime` is the job's time in the state RUNNING, 0 in any other, and missing without a job
        (developer guide, "Metrics and dimensions"; Flink, "Metrics", job status). CloudWatch finds a metric
        only by all of its dimensions, and the guide lists more than Application, without values. So a second
        query leaves them open.
        """
        minute = begin.replace(second=0, microsecond=0)
        whole = minute if minute == begin else minute + METRIC_PERIOD
        period = int(METRIC_PERIOD.total_seconds())
        dimensions = [{"Name": "Application", "Value": self.name}]
        metric = {"Namespace": NAMESPACE, "MetricName": RUNNING_TIME, "Dimensions": dimensions}
        query = f"SELECT MIN({RUNNING_TIME}) FROM \"{NAMESPACE}\" WHERE Application = '{self.name}'"
        answered = self._metrics.get_metric_data(
            StartTime=whole,
            EndTime=now + METRIC_PERIOD,
            MetricDataQueries=[
                {"Id": "alone", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Minimum"}},
                {"Id": "among_others", "Expression": query, "Period": period},
            ],
        )
        return any(minimum > 0 for result in answered["MetricDataResults"] for minimum in result["Values"])
