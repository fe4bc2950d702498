"""The application on Managed Service for Apache Flink that counts a replay, and exists only while it does."""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.replay.configuration import ReplayConfiguration
from lambdas.replay.properties import Properties

STOPPABLE = frozenset({"STARTING", "RUNNING", "UPDATING", "STOPPING", "AUTOSCALING"})
"""In which StopApplication with Force is taken
(https://docs.aws.amazon.com/managed-flink/latest/apiv2/API_StopApplication.html)."""

NOT_NOW = frozenset(
    {
        "ConcurrentModificationException",
        "InvalidRequestException",
        "ResourceInUseException",
        "ResourceNotFoundException",
    }
)
"""With which StopApplication and DeleteApplication refuse an application that changes, or is gone."""


class ReplayApplication:
    """client: of kinesisanalyticsv2."""

    def __init__(self, client: Any, configuration: ReplayConfiguration) -> None:
        self._client = client
        self._configuration = configuration
        self._name = {"ApplicationName": configuration.application}

    def status(self) -> str | None:
        """As DescribeApplication tells; None if there is none."""
        detail = self._detail()
        return None if detail is None else str(detail["ApplicationStatus"])

    def is_of(self, number: str) -> bool:
        """Whether there is none of another replay than this one."""
        detail = self._detail()
        return detail is None or detail.get("ApplicationDescription") == _description(number)

    def _detail(self) -> dict[str, Any] | None:
        try:
            answer = self._client.describe_application(**self._name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        detail: dict[str, Any] = answer["ApplicationDetail"]
        return detail

    def create(self, number: str, properties: Properties) -> None:
        """Of the replay `number`. In batch mode, which the program asks for: `execution.runtime-mode` is
        among what a program may set
        (https://docs.aws.amazon.com/managed-flink/latest/java/programmatic-configuration.html). A batch job
        takes no checkpoint and no snapshot."""
        configuration = self._configuration
        options = {"python": "main.py", "jarfile": configuration.jar_in_zip}
        groups = {"kinesis.analytics.flink.run.options": options, **properties}
        location = {"BucketARN": configuration.code_bucket_arn, "FileKey": configuration.code_key}
        self._client.create_application(
            **self._name,
            ApplicationDescription=_description(number),
            ApplicationMode="STREAMING",
            RuntimeEnvironment=configuration.runtime,
            ServiceExecutionRole=configuration.role_arn,
            CloudWatchLoggingOptions=[{"LogStreamARN": configuration.log_stream_arn}],
            ApplicationConfiguration={
                "ApplicationCodeConfiguration": {
                    "CodeContentType": "ZIPFILE",
                    "CodeContent": {"S3ContentLocation": location},
                },
                "EnvironmentProperties": {
                    "PropertyGroups": [
                        {"PropertyGroupId": name, "PropertyMap": values} for name, values in groups.items()
                    ]
                },
                "FlinkApplicationConfiguration": {
                    "CheckpointConfiguration": {
                        "ConfigurationType": "CUSTOM",
                        "CheckpointingEnabled": False,
                    },
                    "MonitoringConfiguration": {
                        "ConfigurationType": "CUSTOM",
                        "LogLevel": "INFO",
                        "MetricsLevel": "APPLICATION",
                    },
                    "ParallelismConfiguration": {
                        "ConfigurationType": "CUSTOM",
                        "AutoScalingEnabled": False,
                        "Parallelism": configuration.parallelism,
                        "ParallelismPerKPU": 1,
                    },
                },
                "ApplicationSnapshotConfiguration": {"SnapshotsEnabled": False},
            },
        )

    def start(self) -> None:
        self._client.start_application(**self._name, RunConfiguration={})

    def why_it_failed(self) -> str:
        """The reason of the last failed operation, in one line."""
        found = self._client.list_application_operations(**self._name, OperationStatus="FAILED", Limit=1)
        for operation in found["ApplicationOperationInfoList"]:
            answer = self._client.describe_application_operation(
                **self._name, OperationId=operation["OperationId"]
            )
            details = answer["ApplicationOperationInfoDetails"].get("OperationFailureDetails", {})
            told = details.get("ErrorInfo", {}).get("ErrorString", "")
            return " ".join(str(told).split())[:500] or "the service gives no reason"
        return "the service gives no reason; its log may"

    def take_away(self) -> bool:
        """One step towards its deletion; True once it is gone.

        What status an application has when its job ends is documented nowhere. An engineer of AWS wrote that
        it stays RUNNING, and to stop it with a function
        (https://github.com/aws-samples/amazon-kinesis-analytics-taxi-consumer/issues/4); this takes any, and
        leaves what is refused in the present status to the next step.
        """
        detail = self._detail()
        if detail is None:
            return True
        try:
            if detail["ApplicationStatus"] in STOPPABLE:
                self._client.stop_application(**self._name, Force=True)
            else:
                self._client.delete_application(**self._name, CreateTimestamp=detail["CreateTimestamp"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_NOW:
                raise
        return False


def _description(number: str) -> str:
    return f"Counts clicks again as replay {number}; deleted when it has ended"
