"""Managed Service for Apache Flink in the twin: runs the deployed application's own zip, as the control plane
commands.

Code, property groups, parallelism and checkpoints come from the emulated application; only what the transport
needs overrides the properties. The process has the permissions of the application's role and no others. The
control plane commands starts, stops and snapshots (twin/flink_commands.py).
"""

import io
import json
import os
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics_sql.local_flink import AWS_JAR, JAR, find_java
from names import OREGON, Names
from twin.emulator import Emulator
from twin.flink_job import MILLIS_BEHIND, FlinkJob, JobState, RestartWatch
from twin.processes import ChildProcess, TwinError, free_port, wait_for
from twin.segments_monitor import TABLE, SegmentsState, segments_state
from twin.table_options import Properties
from twin.worker import Worker

START_TIMEOUT_SECONDS = 120
COMMANDS_POLL_SECONDS = 0.3
JOB_POLL_SECONDS = 2.0


def _saved_at(savepoint: str) -> float:
    """savepoint: its folder, as a URI."""
    return (Path(urlsplit(savepoint).path) / "_metadata").stat().st_mtime


class EmulatedApplication:
    """Carries out the commands for the application `names.application`.

    over: called at each start, when `role_arn`, `properties` and `restored_at` are known; returns overrides
    of the property groups. seconds_behind: how late the job reads the stream, None if unknown.
    """

    def __init__(
        self,
        emulator: Emulator,
        names: Names,
        work: Path,
        over: Callable[["EmulatedApplication"], Properties],
        seconds_behind: Callable[[FlinkJob], float | None] = FlinkJob.seconds_behind,
    ) -> None:
        self._emulator = emulator
        self._names = names
        self._work = work
        self._over = over
        self._seconds_behind = seconds_behind
        self._cloudwatch = emulator.client("cloudwatch", OREGON)
        self._service = emulator.client("kinesisanalyticsv2", OREGON)
        self._commands = f"{emulator.endpoint}/_twin/flink-commands/{OREGON}/{names.application}"
        self._starts = 0
        self._process: ChildProcess | None = None
        self._job: FlinkJob | None = None
        self._problem: TwinError | None = None
        self._stopping = False
        self._restarts = RestartWatch()
        self.state: JobState | None = None
        """Last state of the running job; None without one."""
        self.segments: SegmentsState | None = None
        """As that job last reported them."""
        self.role_arn = ""
        self.properties: Properties = {}
        """As deployed; with `role_arn` known from the first start on."""
        self.restored_at = 0.0
        """When the state was saved from which the job starts; 0 without state."""
        work.mkdir(parents=True, exist_ok=True)
        self._workers = [
            Worker("Managed Flink", self._carry_out_a_command, idle_seconds=COMMANDS_POLL_SECONDS),
            Worker("watch on the job", self._watch, idle_seconds=JOB_POLL_SECONDS),
        ]

    def detail(self) -> dict[str, Any]:
        """The application as the control plane describes it."""
        answer = self._service.describe_application(ApplicationName=self._names.application)
        detail: dict[str, Any] = answer["ApplicationDetail"]
        return detail

    # For tests and operators

    def restart(self, *, with_snapshot: bool) -> None:
        """Stop and start it through the control plane, from a snapshot or from the streams alone."""
        name = self._names.application
        self._service.stop_application(ApplicationName=name, Force=not with_snapshot)
        self._wait_for_status("READY")
        restore = "RESTORE_FROM_LATEST_SNAPSHOT" if with_snapshot else "SKIP_RESTORE_FROM_SNAPSHOT"
        self._service.start_application(
            ApplicationName=name,
            RunConfiguration={"ApplicationRestoreConfiguration": {"ApplicationRestoreType": restore}},
        )
        self._wait_for_status("RUNNING")

    def crash(self) -> None:
        """Kill its process and start it from its last checkpoint, as the service does after losing a
        cluster."""
        process, self._process = self._process, None
        assert process is not None, "only a running application can crash"
        process.kill()
        self._run(savepoint=self._last_checkpoint())

    def _wait_for_status(self, status: str) -> None:
        def reached() -> bool:
            self.check()
            return bool(self.detail()["ApplicationStatus"] == status)

        wait_for(
            reached,
            what=f"application {self._names.application} {status}",
            timeout_seconds=START_TIMEOUT_SECONDS,
            poll_seconds=0.5,
            seen=lambda: f"it is {self.detail()['ApplicationStatus']}, its job {self.state}",
        )

    # Commands

    def _carry_out_a_command(self) -> bool:
        with urllib.request.urlopen(self._commands, timeout=30) as answer:
            command = json.load(answer)
        if command is None:
            return False
        outcome: dict[str, str] = {}
        try:
            if command["kind"] == "start":
                self._start(savepoint=command["savepoint"])
            elif command["kind"] == "snapshot":
                outcome = {"savepoint": self._savepoint(stop=False)}
            else:
                outcome = self._stop_job(keep_state=command["keep_state"])
        except TwinError as error:
            outcome = {"problem": str(error)}
            if command["kind"] == "start":
                self._problem = error
                self._end()
        body = json.dumps({"number": command["number"], **outcome}).encode()
        urllib.request.urlopen(self._commands, data=body, timeout=30).close()
        return True

    def _start(self, *, savepoint: str | None) -> None:
        """Replaces a running job: an update of a running application commands no stop."""
        self._end()
        self._run(savepoint=savepoint)

    def _run(self, *, savepoint: str | None) -> None:
        """Run the application's main until its job runs. Raises TwinError."""
        detail = self.detail()
        self.role_arn = detail["ServiceExecutionRole"]
        configuration = detail["ApplicationConfigurationDescription"]
        groups = configuration["EnvironmentPropertyDescriptions"]["PropertyGroupDescriptions"]
        self.properties = {group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in groups}
        self._starts += 1
        self.restored_at = 0.0 if savepoint is None else _saved_at(savepoint)
        code = self._work / f"code-{self._starts}"
        self._unpack_code(configuration["ApplicationCodeConfigurationDescription"], code)
        rest_port = free_port()
        properties = self._with_twin_settings(
            configuration,
            rest_port=rest_port,
            savepoint=savepoint,
        )
        file = self._work / f"application_properties-{self._starts}.json"
        groups = [{"PropertyGroupId": name, "PropertyMap": values} for name, values in properties.items()]
        file.write_text(json.dumps(groups, indent=2), encoding="utf-8")
        process = ChildProcess(
            "analytics application",
            [sys.executable, str(code / "main.py"), "--properties", str(file)],
            log=self.logs / f"start-{self._starts}.log",
            other_logs=self._flink_logs,
            cwd=self._work,
            env=self._environment(),
        )
        job = FlinkJob(f"http://127.0.0.1:{rest_port}")
        self._restarts = RestartWatch()
        self._job, self._process = job, process
        process.wait_until(lambda: self._runs(job), timeout_seconds=START_TIMEOUT_SECONDS)

    def _runs(self, job: FlinkJob) -> bool:
        if self._stopping:
            raise TwinError("the twin is stopping")
        state = job.state()
        self._see(state)
        if state is not None and (state.ended or self._restarts.again_and_again()):
            raise TwinError(f"{self._told(state)}\n{self.last_errors()}")
        return state is not None and state.runs

    def _savepoint(self, *, stop: bool) -> str:
        if self._job is None:
            raise TwinError("cannot take a snapshot: no job is running")
        return self._job.savepoint(self._work / "snapshots", stop=stop)

    def _stop_job(self, *, keep_state: bool) -> dict[str, str]:
        process, self._process = self._process, None  # from here on its end is expected
        try:
            return {"savepoint": self._savepoint(stop=True)} if keep_state else {}
        finally:
            self._job = self.state = self.segments = None
            if process is not None:
                process.stop()

    def _end(self) -> None:
        process, self._process, self._job, self.state = self._process, None, None, None
        self.segments = None
        if process is not None:
            process.stop()

    # The process

    @property
    def logs(self) -> Path:
        """The output of each start, and Flink's own log."""
        return self._work / "log"

    def _flink_logs(self) -> list[Path]:
        return sorted(self.logs.glob(f"flink-start-{self._starts}-*.log"))

    def last_errors(self) -> str:
        return "" if self._process is None else f"the last errors of {self._process.last_errors()}"

    def has_logged(self, text: str) -> bool:
        """Whether a line of this start's Flink log contains `text`."""
        return any(text in line for line in self._log_lines())

    def _log_lines(self) -> Iterator[str]:
        for log in self._flink_logs():
            with log.open(encoding="utf-8", errors="replace") as lines:
                yield from lines

    def _unpack_code(self, description: dict[str, Any], folder: Path) -> None:
        location = description["CodeContentDescription"]["S3ApplicationCodeLocationDescription"]
        bucket = location["BucketARN"].rsplit(":", 1)[-1]
        s3 = self._emulator.client_as(self.role_arn, "s3", OREGON)
        content = s3.get_object(Bucket=bucket, Key=location["FileKey"])["Body"].read()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)

    @property
    def _checkpoints(self) -> Path:
        return self._work / "checkpoints"

    def _last_checkpoint(self) -> str | None:
        """The newest complete checkpoint; None before the first."""
        complete = [metadata.parent for metadata in self._checkpoints.glob("*/chk-*/_metadata")]

        def age(checkpoint: Path) -> tuple[int, int]:
            number = int(checkpoint.name.removeprefix("chk-"))  # in case of two within the clock's resolution
            return (checkpoint / "_metadata").stat().st_mtime_ns, number

        newest = max(complete, key=age, default=None)
        return None if newest is None else newest.as_uri()

    def _with_twin_settings(
        self, configuration: dict[str, Any], *, rest_port: int, savepoint: str | None
    ) -> Properties:
        """The deployed properties, with what the service sets on AWS from the template and the start."""
        flink = configuration["FlinkApplicationConfigurationDescription"]
        run = configuration["RunConfigurationDescription"]["FlinkRunConfigurationDescription"]
        properties = {name: dict(values) for name, values in self.properties.items()}
        properties.pop("kinesis.analytics.flink.run.options", None)
        properties |= self._over(self)
        jar = AWS_JAR if AWS_JAR.is_file() else JAR
        checkpoints = flink["CheckpointConfigurationDescription"]
        properties["flink"] |= {
            "pipeline.jars": jar.as_uri(),
            "parallelism.default": str(flink["ParallelismConfigurationDescription"]["Parallelism"]),
            "execution.checkpointing.interval": f"{checkpoints['CheckpointInterval']} ms",
            "execution.checkpointing.min-pause": f"{checkpoints['MinPauseBetweenCheckpoints']} ms",
            "execution.checkpointing.dir": self._checkpoints.as_uri(),
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "state.backend.type": "rocksdb",
            "execution.state-recovery.ignore-unclaimed-state": str(run["AllowNonRestoredState"]).lower(),
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1000000",
            "restart-strategy.fixed-delay.delay": "1 s",
            "rest.bind-address": "127.0.0.1",
            "rest.bind-port": str(rest_port),
            "metrics.fetcher.update-interval": "1000",
        }
        if savepoint is not None:
            properties["flink"]["execution.state-recovery.path"] = savepoint
        return properties

    def _environment(self) -> dict[str, str]:
        credentials = self._emulator.session_as(self.role_arn, OREGON).get_credentials()
        assert credentials is not None  # just created by session_as
        temporary = self._work / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        find_java()
        return {
            **({"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self._work),
            "TMPDIR": str(self._work),
            "FLINK_LOG_DIR": str(self.logs),
            "FLINK_IDENT_STRING": f"start-{self._starts}",
            # Starts faster, and the twin's traffic is light. Java ignores TMPDIR, and the 90 MB that Flink
            # unpacks would remain in the system's folder when its process is killed.
            "FLINK_ENV_JAVA_OPTS": f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.io.tmpdir={temporary}",
            # MiniStack authorises a request by the resource in its body, which it reads as JSON.
            "CBOR_ENABLED": "false",
            "AWS_ENDPOINT_URL": self._emulator.endpoint,
            "AWS_REGION": OREGON,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_SESSION_TOKEN": credentials.token or "",
        }

    # What becomes of the job

    def _watch(self) -> bool:
        job = self._job
        if job is not None:
            state = job.state()
            segments = segments_state(job.gauges(TABLE), self._log_lines())
            if job is self._job:
                self._see(state)
                self.segments = segments
                if state is not None and state.runs:
                    self._report(self._seconds_behind(job))
        return False

    def _report(self, seconds_behind: float | None) -> None:
        """Metrics, as the service sends them for a running job; a stopped one sends none."""
        if seconds_behind is None:
            return
        dimensions = {
            "Application": self._names.application,
            "Flow": "Input",
            "Id": self._names.source_stream,
        }
        self._cloudwatch.put_metric_data(
            Namespace="AWS/KinesisAnalytics",
            MetricData=[
                {
                    "MetricName": MILLIS_BEHIND,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                    "Value": seconds_behind * 1000,
                    "Unit": "Milliseconds",
                }
            ],
        )

    def _see(self, state: JobState | None) -> None:
        self.state = state
        if state is not None:
            self._restarts.see(state)

    def _told(self, state: JobState | None) -> str:
        again = " restarts again and again" if self._restarts.again_and_again() else " does not run"
        return f"the job of the analytics application{again}: {state}"

    def check(self) -> None:
        """Raise TwinError with its last errors if it has ended or keeps restarting."""
        if self._problem is not None:
            raise self._problem
        for worker in self._workers:
            worker.check()
        process, state = self._process, self.state
        if process is not None:
            process.check()
            if state is not None and (state.ended or self._restarts.again_and_again()):
                raise TwinError(f"{self._told(state)}\n{self.last_errors()}")

    def stop(self) -> None:
        errors: list[Exception] = []
        self._stopping = True
        self._end()
        for worker in self._workers:
            try:
                worker.stop()
            except TwinError as error:
                errors.append(error)
        self._end()  # started by a command in progress
        if errors:
            raise errors[0]
