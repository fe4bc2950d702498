"""The application's lifecycle with AWS's client, against the emulated service and its faults."""

import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.application_lifecycle.application import FlinkApplication
from lambdas.application_lifecycle.lifecycle import Lifecycle, LifecycleError
from lambdas.application_lifecycle.running_configuration import Configuration, asked_configuration
from lambdas.application_lifecycle.state import StateChange
from names import OREGON, TWIN_ACCOUNT
from twin.emulator import Emulator

pytestmark = pytest.mark.twin
PROPERTIES = {"clicks": {"format": "json"}}
TIME_SECONDS = 8.0


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("emulator") / "ministack.log"
    emulator = Emulator(opensearch_endpoint="http://127.0.0.1:9", log=log)
    emulator.wait_until_ready()
    yield emulator
    emulator.stop()


def create(emulator: Emulator, name: str) -> Configuration:
    """Create an application. Returns the configuration that a deployment would ask for."""
    emulator.client("kinesisanalyticsv2", OREGON).create_application(
        ApplicationName=name,
        RuntimeEnvironment="FLINK-2_3",
        ServiceExecutionRole=f"arn:aws:iam::{TWIN_ACCOUNT}:role/application",
        ApplicationConfiguration={
            "ApplicationCodeConfiguration": {
                "CodeContentType": "ZIPFILE",
                "CodeContent": {
                    "S3ContentLocation": {"BucketARN": "arn:aws:s3:::code", "FileKey": "new.zip"}
                },
            },
            "EnvironmentProperties": {
                "PropertyGroups": [
                    {"PropertyGroupId": group, "PropertyMap": values} for group, values in PROPERTIES.items()
                ]
            },
            "FlinkApplicationConfiguration": {
                "CheckpointConfiguration": {"ConfigurationType": "CUSTOM", "CheckpointInterval": 5_000},
                "ParallelismConfiguration": {
                    "ConfigurationType": "CUSTOM",
                    "Parallelism": 2,
                    "ParallelismPerKPU": 1,
                },
            },
            "ApplicationSnapshotConfiguration": {"SnapshotsEnabled": True},
        },
    )
    return asked_configuration(
        code_key="new.zip",
        runtime="FLINK-2_3",
        parallelism=2,
        parallelism_per_kpu=1,
        checkpoint_interval_ms=5_000,
        properties=PROPERTIES,
    )


def put_code(s3: Any, key: str, *operators: int) -> None:
    """A zip of a version with these operators, in the bucket of `create`."""
    content = io.BytesIO()
    record = {"operators": {f"operator {number}": {"id": number} for number in operators}}
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("operators.json", json.dumps(record))
    s3.put_object(Bucket="code", Key=key, Body=content.getvalue())


def start(
    emulator: Emulator, name: str, asked: Configuration, change: StateChange | None = None
) -> dict[str, str]:
    service = emulator.client("kinesisanalyticsv2", OREGON)
    metrics = emulator.client("cloudwatch", OREGON)
    # A minute earlier: the emulated job reports at once, and the running minute counts.
    lifecycle = Lifecycle(
        FlinkApplication(name, service=service, metrics=metrics),
        now=lambda: datetime.now(UTC) - timedelta(minutes=1),
    )
    return lifecycle.start(asked, time.monotonic() + TIME_SECONDS, change or StateChange())


def let_fail(emulator: Emulator, name: str, **faults: str) -> None:
    url = f"{emulator.endpoint}/_twin/applications/{OREGON}/{name}/faults"
    urllib.request.urlopen(urllib.request.Request(url, data=json.dumps(faults).encode()), timeout=10).close()


def test_an_application_with_a_running_job_is_started(emulator: Emulator) -> None:
    asked = create(emulator, "good")
    assert start(emulator, "good", asked) == {"Status": "RUNNING"}


def test_running_without_a_job_fails(emulator: Emulator) -> None:
    asked = create(emulator, "jobless")
    let_fail(emulator, "jobless", job="missing")
    with pytest.raises(LifecycleError, match="RUNNING, but no job has run"):
        start(emulator, "jobless", asked)


def test_a_failed_start_is_reported_with_the_services_reason(emulator: Emulator) -> None:
    asked = create(emulator, "broken")
    let_fail(emulator, "broken", start="ModuleNotFoundError: pyflink")
    with pytest.raises(LifecycleError, match=r"StartApplication of .* FAILED: ModuleNotFoundError: pyflink"):
        start(emulator, "broken", asked)


def test_an_operator_the_program_lacks_is_left_behind_only_if_allowed(
    emulator: Emulator,
) -> None:
    s3 = emulator.client("s3", OREGON)
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": OREGON})
    put_code(s3, "new.zip", 1, 2)
    put_code(s3, "less.zip", 1)
    asked = create(emulator, "strict")
    start(emulator, "strict", asked)
    service = emulator.client("kinesisanalyticsv2", OREGON)
    service.stop_application(ApplicationName="strict")
    stopped = service.describe_application(ApplicationName="strict")["ApplicationDetail"]
    location = {"S3ContentLocationUpdate": {"FileKeyUpdate": "less.zip"}}
    service.update_application(
        ApplicationName="strict",
        CurrentApplicationVersionId=stopped["ApplicationVersionId"],
        ApplicationConfigurationUpdate={
            "ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": location}
        },
    )
    less = {**asked, "code": "less.zip"}
    with pytest.raises(LifecycleError, match="state for operator operator 2 to the new program"):
        start(emulator, "strict", less)
    allowed = StateChange(left_behind=("operator 2",))
    assert start(emulator, "strict", less, allowed) == {"Status": "RUNNING"}


def test_a_version_other_than_the_deployed_one_is_reported(emulator: Emulator) -> None:
    asked = create(emulator, "former")
    with pytest.raises(
        LifecycleError, match=r"READY with another version.* code is new\.zip instead of newer"
    ):
        start(emulator, "former", {**asked, "code": "newer.zip"})


def test_an_unknown_fault_is_refused(emulator: Emulator) -> None:
    with pytest.raises(urllib.error.HTTPError):
        let_fail(emulator, "good", jobs="missing")
