"""A stand-in for Managed Service for Apache Flink; only sleeping advances its clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from lambdas.application_lifecycle.application import FlinkApplication
from lambdas.application_lifecycle.lifecycle import Lifecycle
from lambdas.application_lifecycle.running_configuration import asked_configuration

DEADLINE = 800.0
BEGIN = datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC)
PROPERTIES = {"clicks": {"format": "json"}, "checks": {"max-age-seconds": "86400"}}
ASKED = asked_configuration(
    code_key="new.zip",
    runtime="FLINK-2_3",
    parallelism=4,
    parallelism_per_kpu=2,
    checkpoint_interval_ms=5_000,
    properties=PROPERTIES,
)


def described(
    code_key: str = "new.zip", properties: dict[str, dict[str, str]] = PROPERTIES
) -> dict[str, Any]:
    """The part of ApplicationDetail that DescribeApplication answers for `ASKED`."""
    return {
        "RuntimeEnvironment": "FLINK-2_3",
        "ApplicationConfigurationDescription": {
            "ApplicationCodeConfigurationDescription": {
                "CodeContentDescription": {
                    "CodeMD5": "0123",
                    "S3ApplicationCodeLocationDescription": {
                        "BucketARN": "arn:aws:s3:::assets",
                        "FileKey": code_key,
                    },
                }
            },
            "FlinkApplicationConfigurationDescription": {
                "CheckpointConfigurationDescription": {"CheckpointInterval": 5_000},
                "ParallelismConfigurationDescription": {
                    "Parallelism": 4,
                    "ParallelismPerKPU": 2,
                    "CurrentParallelism": 4,
                },
            },
            "EnvironmentPropertyDescriptions": {
                "PropertyGroupDescriptions": [
                    {"PropertyGroupId": group, "PropertyMap": values} for group, values in properties.items()
                ]
            },
        },
    }


class FlinkService:
    """kinesisanalyticsv2 and cloudwatch; successive looks see `statuses`, and the last one forever.

    A status may have the key of another zip behind a slash, as `RUNNING/old.zip`. A start ends as `started`
    says from then on. snapshots: their statuses, in pages of one, the oldest first; operations: (operation,
    status, error), the newest last; start_operation: what a start leaves there, None while it is not listed
    yet; further_dimensions: of the job's metric, beside Application; former_job: whether one ran until BEGIN.
    """

    class exceptions:  # noqa: N801 (botocore's name)
        class ResourceNotFoundException(Exception): ...  # noqa: N818

        class ResourceInUseException(Exception): ...  # noqa: N818

    def __init__(
        self,
        *statuses: str,
        started: tuple[str, ...] = ("STARTING", "RUNNING"),
        stopped: tuple[str, ...] = ("STOPPING", "READY"),
        forced: tuple[str, ...] = ("FORCE_STOPPING", "READY"),
        snapshots: tuple[str, ...] = (),
        operations: tuple[tuple[str, str, str], ...] = (),
        start_operation: tuple[str, str, str] | None = None,
        job_after_seconds: float | None = 60.0,
        further_dimensions: dict[str, str] | None = None,
        former_job: bool = False,
    ) -> None:
        self._statuses = list(statuses)
        self._after = {"start": started, "stop": stopped, "force": forced}
        self._snapshots = snapshots
        self.operations = list(operations)
        self._start_operation = start_operation
        self._job_after_seconds = job_after_seconds
        self._dimensions = {"Application": "analytics", **(further_dimensions or {})}
        self._former_job = former_job
        self.restore_types: list[str] = []
        self.allowed: list[bool] = []
        self.stops: list[bool] = []
        self.deleted: list[int] = []
        self.seconds_a_deletion = 0.0
        self.seconds = 0.0
        self.created = BEGIN

    def lifecycle(self) -> Lifecycle:
        def sleep(seconds: float) -> None:
            self.seconds += seconds

        application = FlinkApplication("analytics", service=self, metrics=self)
        return Lifecycle(application, sleep=sleep, clock=lambda: self.seconds, now=lambda: self.now)

    @property
    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds)

    def _continue(self, asked: str) -> None:
        self._statuses = [*self._statuses[:1], *self._after[asked]]

    def describe_application(self, **_: Any) -> dict[str, Any]:
        seen = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        status, _slash, code_key = seen.partition("/")
        if status == "GONE":
            raise self.exceptions.ResourceNotFoundException
        return {
            "ApplicationDetail": {
                "ApplicationStatus": status,
                "CreateTimestamp": self.created,
                **described(code_key or "new.zip"),
            }
        }

    def start_application(self, RunConfiguration: dict[str, Any], **_: Any) -> dict[str, str]:  # noqa: N803
        self.restore_types.append(
            RunConfiguration["ApplicationRestoreConfiguration"]["ApplicationRestoreType"]
        )
        self.allowed.append(RunConfiguration["FlinkRunConfiguration"]["AllowNonRestoredState"])
        self._continue("start")
        operation_id = len(self.operations)
        if self._start_operation:
            self.operations.append(self._start_operation)
        return {"OperationId": str(operation_id)}

    def stop_application(self, Force: bool, **_: Any) -> None:  # noqa: N803
        self.stops.append(Force)
        self._continue("force" if Force else "stop")

    def get_paginator(self, operation: str) -> "Pages":
        return Pages(self, operation)

    def pages_of_snapshots(self) -> Iterator[dict[str, Any]]:
        for number, status in enumerate(self._snapshots):
            summary = {
                "SnapshotName": f"snapshot-{number}",
                "SnapshotStatus": status,
                "SnapshotCreationTimestamp": BEGIN + timedelta(hours=number),
            }
            yield {"SnapshotSummaries": [summary]}

    def delete_application_snapshot(
        self,
        ApplicationName: str,  # noqa: N803
        SnapshotName: str,  # noqa: N803
        SnapshotCreationTimestamp: datetime,  # noqa: N803
    ) -> None:
        number = int(SnapshotName.removeprefix("snapshot-"))
        assert ApplicationName == "analytics"
        assert SnapshotCreationTimestamp == BEGIN + timedelta(hours=number)
        self.seconds += self.seconds_a_deletion
        self.deleted.append(number)

    def pages_of_operations(self, which: dict[str, str]) -> Iterator[dict[str, Any]]:
        for number in range(len(self.operations)):
            found = self._operation(number)
            if all(found[name] == value for name, value in which.items() if name != "ApplicationName"):
                yield {"ApplicationOperationInfoList": [found]}

    def describe_application_operation(self, OperationId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if not 0 <= int(OperationId) < len(self.operations):
            raise self.exceptions.ResourceNotFoundException
        return {"ApplicationOperationInfoDetails": self._operation(int(OperationId))}

    def _operation(self, number: int) -> dict[str, Any]:
        operation, status, error = self.operations[number]
        return {
            "Operation": operation,
            "OperationId": str(number),
            "OperationStatus": status,
            "StartTime": BEGIN + timedelta(seconds=number),
            **({"OperationFailureDetails": {"ErrorInfo": {"ErrorString": error}}} if error else {}),
        }

    def get_metric_data(
        self,
        StartTime: datetime,  # noqa: N803
        EndTime: datetime,  # noqa: N803, ARG002
        MetricDataQueries: list[dict[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        """The job begins `job_after_seconds` after the test; that minute contains a 0."""
        return {
            "MetricDataResults": [
                {
                    "Id": query["Id"],
                    "Values": self._minima_since(StartTime) if self._finds_the_metric(query) else [],
                }
                for query in MetricDataQueries
            ]
        }

    def _finds_the_metric(self, query: dict[str, Any]) -> bool:
        """A metric needs all of its dimensions, a query only some."""
        if "Expression" in query:
            asked = "SELECT MIN(runningTime) FROM \"AWS/KinesisAnalytics\" WHERE Application = 'analytics'"
            return bool(query["Expression"] == asked and query["Period"] == 60)
        statistic = query["MetricStat"]
        metric = statistic["Metric"]
        assert (metric["Namespace"], metric["MetricName"]) == ("AWS/KinesisAnalytics", "runningTime")
        assert (statistic["Stat"], statistic["Period"]) == ("Minimum", 60)
        return {one["Name"]: one["Value"] for one in metric["Dimensions"]} == self._dimensions

    def _minima_since(self, begin: datetime) -> list[float]:
        """The minimum of each minute; the one with BEGIN belongs to the former job."""
        minutes = int((self.now - begin) / timedelta(minutes=1)) + 1
        starts = [begin + timedelta(minutes=minute) for minute in range(minutes)]
        former = [9_000_000.0 for start in starts if self._former_job and start <= BEGIN]
        if self._job_after_seconds is None:
            return former
        began = BEGIN + timedelta(seconds=self._job_after_seconds)
        return [*former, *(1_000.0 if start >= began else 0.0 for start in starts)]


class Pages:
    def __init__(self, service: FlinkService, operation: str) -> None:
        self._service = service
        self._operation = operation

    def paginate(self, **which: str) -> Iterator[dict[str, Any]]:
        if self._operation == "list_application_snapshots":
            return self._service.pages_of_snapshots()
        return self._service.pages_of_operations(which)


class SecretiveService(FlinkService):
    """A service that does not let the function list operations."""

    def pages_of_operations(self, _which: dict[str, str]) -> Iterator[dict[str, Any]]:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListApplicationOperations")
