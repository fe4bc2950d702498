"""Managed Service for Apache Flink in the twin: runs the deployed application's own zip, as the control plane
commands.

Code, property groups, parallelism and checkpoints come from the emulated application; only what the transport
needs overrides the properties. The process has the permissions of the application's role and no others. The
control plane commands starts, stops and snapshots (twin/flink_commands.py).
"""

import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics_sql.local_flink import AWS_JAR, JAR
from names import OREGON, Names
from twin.alarms.publisher import MetricPublisher
from twin.emulator import Emulator
from twin.flink_job import FlinkJob, JobState, RestartWatch
from twin.flink_metrics import JobMetrics
from twin.flink_process import flink_environment, unpack_code
from twin.processes import ChildProcess, TwinError, free_port, wait_for
from twin.segments_monitor import TABLE, SegmentsState, segments_state
from twin.table_options import Properties
from twin.worker import Worker

START_TIMEOUT_SECONDS = 300
COMMANDS_POLL_SECONDS = 0.3
JOB_POLL_SECONDS = 2.0


def _saved_at(savepoint: str) -> float:
    """savepoint: its folder, as a URI."""
    return (Path(urlsplit(savepoint).path) / "_metadata").stat().st_mtime


class EmulatedApplication:
    """Carries out the commands for the application `names.application`.

    over: called at each start, when `role_arn`, `properties` and `restored_at` are known; returns overrides
    of the property groups. publisher: of Oregon's metrics. seconds_behind: how late the job reads the stream,
    None if unknown.
    """

    def __init__(
        self,
        emulator: Emulator,
        names: Names,
        work: Path,
        *,
        over: Callable[["EmulatedApplication"], Properties],
        publisher: MetricPublisher,
        seconds_behind: Callable[[FlinkJob], float | None] = FlinkJob.seconds_behind,
    ) -> None:
        self._emulator = emulator
        self._names = names
        self._work = work
        self._over = over
        self._seconds_behind = seconds_behind
        self.metrics = JobMetrics(publisher, names)
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

    @property
    def heap_percent(self) -> float | None:
        """How full the heap of the running job is; None without a job or an answer."""
        job = self._job
        return None if job is None else job.heap_percent()

    @property
    def seconds_behind(self) -> float | None:
        """How late the running job reads the source stream; None without a job, or if unknown."""
        job = self._job
        return None if job is None else self._seconds_behind(job)

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
        assert self._process is not None, "only a running application can crash"
        self._process.kill()
        self.start_again()

    def start_again(self) -> None:
        """Start it from its last checkpoint. Raises TwinError if its job does not run then."""
        self._problem = None
        for worker in self._workers:
            worker.start_again()
        self._end()
        newest = self.last_checkpoint()
        self._run(savepoint=None if newest is None else newest.as_uri())

    def kill(self) -> None:
        """End its process like a machine that loses power."""
        if self._process is not None:
            self._process.kill()

    @property
    def has_died(self) -> bool:
        """Whether its process has ended, though it was not stopped."""
        return self._process is not None and not self._process.running

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
        described = configuration["ApplicationCodeConfigurationDescription"]
        unpack_code(self._emulator, self.role_arn, described, code)
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
        return "" if self._process is None else self._process.last_errors()

    def has_logged(self, text: str) -> bool:
        """Whether a line of this start's Flink log contains `text`."""
        return any(text in line for line in self._log_lines())

    def _log_lines(self) -> Iterator[str]:
        for log in self._flink_logs():
            with log.open(encoding="utf-8", errors="replace") as lines:
                yield from lines

    @property
    def _checkpoints(self) -> Path:
        return self._work / "checkpoints"

    def last_checkpoint(self) -> Path | None:
        """The folder of the newest complete checkpoint; None before the first."""
        complete = [metadata.parent for metadata in self._checkpoints.glob("*/chk-*/_metadata")]

        def age(checkpoint: Path) -> tuple[int, int]:
            number = int(checkpoint.name.removeprefix("chk-"))  # in case of two within the clock's resolution
            return (checkpoint / "_metadata").stat().st_mtime_ns, number

        return max(complete, key=age, default=None)

    def _with_twin_settings(
        self, configuration: dict[str, Any], *, rest_port: int, savepoint: str | None
    ) -> Properties:
        """The deployed properties, with what the service sets on AWS from the template and the start."""
        flink = configuration["FlinkApplicationConfigurationDescription"]
        # Absent after a start that gave none.
        described = configuration.get("RunConfigurationDescription", {})
        run = described.get("FlinkRunConfigurationDescription", {"AllowNonRestoredState": False})
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
            # The state is some 20 MiB: caches of Flink's default of 128 MiB would fill for hours.
            "taskmanager.memory.managed.size": "32m",
            "state.backend.rocksdb.writebuffer.size": "4mb",
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
        name = f"start-{self._starts}"
        return flink_environment(self._emulator, self.role_arn, work=self._work, logs=self.logs, name=name)

    # What becomes of the job

    def _watch(self) -> bool:
        job = self._job
        if job is not None:
            state = job.state()
            gauges = job.gauges(TABLE)
            segments = segments_state(gauges, self._log_lines())
            if job is self._job:
                self._see(state)
                self.segments = segments
                if state is not None:
                    behind = self._seconds_behind(job) if state.runs else None
                    self.metrics.send(job, state, gauges, seconds_behind=behind)
        return False

    def _see(self, state: JobState | None) -> None:
        if state is not None:
            self._restarts.see(state)
            state = replace(state, recovered=self._restarts.recovered)
        self.state = state

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
