"""The application of a replay in the twin: runs the deployed zip over copies of what its role may read in S3,
and puts its counts there.

PyFlink lacks the file system for s3://, so folders stand for the prefixes. When its job has ended, the
application stays RUNNING, as an engineer of AWS wrote of the service (lambdas/replay/application.py). The
success object is written last, as Flink does.
"""

import json
import re
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics_sql.local_flink import JAR
from lambdas.replay.properties import SUCCESS
from names import OREGON, Names
from twin.emulator import Emulator
from twin.flink_process import flink_environment, unpack_code
from twin.processes import ChildProcess, TwinError
from twin.table_options import Properties
from twin.worker import Worker

COMMANDS_POLL_SECONDS = 1.0
"""A replay may wait: MiniStack answers each look."""


class EmulatedReplay:
    """Carries out the commands for the application `names.replay_application`, whenever there is one."""

    def __init__(self, emulator: Emulator, names: Names, work: Path) -> None:
        self._emulator = emulator
        self._name = names.replay_application
        self._service = emulator.client("kinesisanalyticsv2", OREGON)
        self._commands = f"{emulator.endpoint}/_twin/flink-commands/{OREGON}/{self._name}"
        self._work = work
        self._starts = 0
        self._process: ChildProcess | None = None
        self._ended: TwinError | None = None
        self._worker = Worker("replay", self._carry_out_a_command, idle_seconds=COMMANDS_POLL_SECONDS)

    def _carry_out_a_command(self) -> bool:
        with urllib.request.urlopen(self._commands, timeout=30) as answer:
            command = json.load(answer)
        if command is None:
            return False
        self._kill()
        if command["kind"] == "start":
            self._start()
        body = json.dumps({"number": command["number"]}).encode()
        urllib.request.urlopen(self._commands, data=body, timeout=30).close()
        return True

    def _start(self) -> None:
        try:
            detail = self._service.describe_application(ApplicationName=self._name)["ApplicationDetail"]
        except self._service.exceptions.ResourceNotFoundException:
            return  # taken away before it could start
        role = detail["ServiceExecutionRole"]
        configuration = detail["ApplicationConfigurationDescription"]
        groups = configuration["EnvironmentPropertyDescriptions"]["PropertyGroupDescriptions"]
        deployed = {group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in groups}
        deployed.pop("kinesis.analytics.flink.run.options")
        self._starts += 1
        work = self._work / str(self._starts)
        unpack_code(
            self._emulator, role, configuration["ApplicationCodeConfigurationDescription"], work / "code"
        )
        s3 = self._emulator.client_as(role, "s3", OREGON)
        file = work / "properties.json"
        properties = _over_files(s3, deployed, work)
        file.write_text(
            json.dumps([{"PropertyGroupId": name, "PropertyMap": map_} for name, map_ in properties.items()])
        )
        process = ChildProcess(
            "replay",
            [sys.executable, str(work / "code" / "main.py"), "--properties", str(file)],
            log=work / "log" / "output.log",
            cwd=work,
            env=flink_environment(self._emulator, role, work=work, logs=work / "log", name="replay"),
        )
        self._process = process
        threading.Thread(target=self._wait, args=(process, s3, deployed, work), daemon=True).start()

    def _wait(self, process: ChildProcess, s3: Any, deployed: Properties, work: Path) -> None:
        """Put what a job has written, the sign of its success last."""
        while process.running:
            threading.Event().wait(0.2)
        if process is not self._process:
            return  # stopped
        if process.exit_code:
            self._ended = TwinError(f"the job of a replay failed; {process.last_errors()}")
            return
        for table in _written(deployed):
            bucket, prefix = _place(deployed[table]["path"])
            files = [file for file in (work / table).iterdir() if file.is_file() and file.name[0] != "."]
            for file in sorted(files, key=lambda file: file.name == SUCCESS):
                s3.upload_file(str(file), bucket, f"{prefix}{file.name}")

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.running:
            process.kill()

    def start_again(self) -> None:
        """Take the next command; the replay that failed is over."""
        self._ended = None
        self._worker.start_again()

    def check(self) -> None:
        """Raise TwinError if a replay's job failed."""
        self._worker.check()
        if self._ended is not None:
            raise self._ended

    def stop(self) -> None:
        self._kill()
        self._worker.stop()


def _place(uri: str) -> tuple[str, str]:
    """Bucket and prefix of a folder s3://..."""
    parts = urlsplit(uri)
    return parts.netloc, f"{parts.path.strip('/')}/"


def _written(deployed: Properties) -> list[str]:
    return [name for name, options in deployed.items() if "sink.partition-commit.policy.kind" in options]


def _over_files(s3: Any, deployed: Properties, work: Path) -> Properties:
    """The deployed properties over folders, with copies of the clicks and the segments."""
    properties = {name: dict(options) for name, options in deployed.items()}
    pattern = re.compile(properties["clicks"].pop("source.path.regex-pattern"))
    for table in ("clicks", "segments"):
        uri, folder = properties[table]["path"], work / table
        folder.mkdir(parents=True)
        bucket, prefix = _place(uri)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for number, key in enumerate(found["Key"] for page in pages for found in page.get("Contents", [])):
            name = key.rpartition("/")[2]
            if table == "segments":
                s3.download_file(bucket, key, str(folder / name))
            elif pattern.fullmatch(f"s3://{bucket}/{key}"):
                s3.download_file(bucket, key, str(folder / f"{number:08}.json.gz"))
        properties[table]["path"] = str(folder)
    for table in _written(properties):
        properties[table]["path"] = str(work / table)
    properties["flink"]["pipeline.jars"] = JAR.as_uri()
    return properties
