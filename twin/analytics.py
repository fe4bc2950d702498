"""Managed Service for Apache Flink in the twin: runs the deployed application's own zip as its control plane
says.

Code, property groups and checkpoint interval come from the emulated application; only what the transport
needs is put over the properties. The process gets the permissions of the application's role and nothing
else.
"""

import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from analytics_sql.local_flink import find_java
from names import OREGON, Names
from twin.emulator import Emulator
from twin.processes import ChildProcess, wait_for

START_TIMEOUT_SECONDS = 60
_PROJECT = Path(__file__).parent.parent
JAR = _PROJECT / "connectors" / "target" / "analytics.jar"
AWS_JAR = _PROJECT / "connectors" / "target" / "analytics-aws.jar"
PARALLELISM = 1

Properties = dict[str, dict[str, str]]


class EmulatedApplication:
    """The application `names.application`, once CloudFormation's lifecycle resource has started it."""

    def __init__(self, emulator: Emulator, names: Names, work: Path) -> None:
        self._emulator = emulator
        self._names = names
        self._work = work
        self._process: ChildProcess | None = None
        self._analytics = emulator.client("kinesisanalyticsv2", OREGON)
        wait_for(
            lambda: self._detail()["ApplicationStatus"] == "RUNNING",
            what=f"application {names.application} started by its lifecycle resource",
            timeout_seconds=START_TIMEOUT_SECONDS,
        )
        detail = self._detail()
        self.role_arn: str = detail["ServiceExecutionRole"]
        configuration = detail["ApplicationConfigurationDescription"]
        groups = configuration["EnvironmentPropertyDescriptions"]["PropertyGroupDescriptions"]
        self.properties: Properties = {
            group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in groups
        }
        checkpointing = configuration["FlinkApplicationConfigurationDescription"][
            "CheckpointConfigurationDescription"
        ]
        self._checkpoint_interval_ms = checkpointing["CheckpointInterval"]
        self._unpack_code(configuration["ApplicationCodeConfigurationDescription"])

    def _detail(self) -> dict[str, Any]:
        answer = self._analytics.describe_application(ApplicationName=self._names.application)
        detail: dict[str, Any] = answer["ApplicationDetail"]
        return detail

    @property
    def _code(self) -> Path:
        return self._work / "code"

    def _unpack_code(self, description: dict[str, Any]) -> None:
        location = description["CodeContentDescription"]["S3ApplicationCodeLocationDescription"]
        bucket = location["BucketARN"].rsplit(":", 1)[-1]
        s3 = self._emulator.client_as(self.role_arn, "s3", OREGON)
        content = s3.get_object(Bucket=bucket, Key=location["FileKey"])["Body"].read()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(self._code)

    def start(self, over: Properties) -> None:
        """Run the application's main with `over` put over its property groups."""
        properties = self._with_twin_settings(over)
        file = self._work / "application_properties.json"
        groups = [{"PropertyGroupId": name, "PropertyMap": values} for name, values in properties.items()]
        file.write_text(json.dumps(groups, indent=2), encoding="utf-8")
        self._process = ChildProcess(
            "analytics application",
            [sys.executable, str(self._code / "main.py"), "--properties", str(file)],
            log=self._work / "analytics.log",
            cwd=self._work,
            env=self._environment(),
        )

    def _with_twin_settings(self, over: Properties) -> Properties:
        """The deployed properties with `over` on top, and what on AWS the service configures from the
        template."""
        properties = {name: dict(values) for name, values in self.properties.items()}
        properties.pop("kinesis.analytics.flink.run.options", None)
        properties |= over
        jar = AWS_JAR if AWS_JAR.is_file() else JAR
        properties["flink"] |= {
            "pipeline.jars": jar.as_uri(),
            "parallelism.default": str(PARALLELISM),
            "execution.checkpointing.interval": f"{self._checkpoint_interval_ms} ms",
            "execution.checkpointing.min-pause": "100 ms",
            "execution.checkpointing.dir": (self._work / "checkpoints").as_uri(),
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "state.backend.type": "rocksdb",
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1000000",
            "restart-strategy.fixed-delay.delay": "1 s",
        }
        return properties

    def _environment(self) -> dict[str, str]:
        credentials = self._emulator.session_as(self.role_arn, OREGON).get_credentials()
        assert credentials is not None  # just made by session_as
        find_java()
        return {
            **({"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self._work),
            "TMPDIR": str(self._work),
            "AWS_ENDPOINT_URL": self._emulator.endpoint,
            "AWS_REGION": OREGON,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_SESSION_TOKEN": credentials.token or "",
        }

    def check(self) -> None:
        """Raise TwinError with the end of the log when the application has ended."""
        if self._process is not None:
            self._process.wait_until(lambda: True, timeout_seconds=1)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()


def tables_of(deployed: Properties, connector: str) -> list[str]:
    """The tables of the deployed application that use a connector."""
    return [group for group, options in deployed.items() if options.get("connector") == connector]


def file_properties(root: Path, deployed: Properties) -> Properties:
    """Table options of the `files` transport over the folders of `root`; the format's options stay the
    deployed ones."""

    def file_table(table: str, options: dict[str, str]) -> dict[str, str]:
        formats = {
            key: value for key, value in deployed[table].items() if key == "format" or key.startswith("json.")
        }
        return {"connector": "filesystem", "path": (root / table).as_uri(), **formats, **options}

    source = {"source.monitor-interval": "500 ms"}
    publish = {"sink.rolling-policy.rollover-interval": "1 s", "sink.rolling-policy.check-interval": "500 ms"}
    return {
        **{table: file_table(table, source) for table in tables_of(deployed, "kinesis")},
        **{table: file_table(table, publish) for table in tables_of(deployed, "firehose")},
    }


def connector_properties(emulator: Emulator, deployed: Properties) -> Properties:
    """Table options of the `aws` transport: the deployed ones, with the emulator's endpoint and the role's
    keys."""
    reach = {
        "aws.endpoint": emulator.endpoint,
        "aws.credentials.provider": "ENV_VAR",
        "aws.trust.all.certificates": "true",
    }
    tables = [*tables_of(deployed, "kinesis"), *tables_of(deployed, "firehose")]
    return {table: {**deployed[table], **reach} for table in tables}
