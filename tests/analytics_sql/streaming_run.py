"""Runs the application over growing folders of files, as the twin does with TRANSPORT=files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from analytics_sql.bounded import output_tables
from analytics_sql.local_flink import connector_jar, find_java
from analytics_sql.main import REMEMBER_CLICK_IDS
from tests.analytics_sql.bounded_run import MAIN, Key, key_of, read_rows

TIMEOUT_SECONDS = 300
CLICKS_A_FILE = 500


class Streaming:
    """One streaming application in `folder`, in a process group of its own.

    further_tables: of a version of the SQL with more sinks than this tree's.
    """

    def __init__(self, folder: Path, *further_tables: str) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self._tables = [*output_tables(), *further_tables]
        for name in ("clicks", "segments", *self._tables, "checkpoints"):
            (folder / name).mkdir()

    def start(
        self,
        *,
        restore: Path | None = None,
        main: Path = MAIN,
        flink: Mapping[str, str] | None = None,
        remember: int | None = None,
    ) -> None:
        """Run `main`, from the checkpoint `restore`; flink: options over its own; remember: seconds for which
        a click id is, to drop repeated ones."""
        sink = {
            "connector": "filesystem",
            "format": "json",
            "sink.rolling-policy.rollover-interval": "1 s",
            "sink.rolling-policy.check-interval": "500 ms",
        }
        properties: dict[str, dict[str, str]] = {
            "clicks": {
                "connector": "filesystem",
                "path": str(self.folder / "clicks"),
                "source.monitor-interval": "500 ms",
            },
            "segments": {"connector": "versioned-reference", "path": str(self.folder / "segments")},
            **{table: {**sink, "path": str(self.folder / table)} for table in self._tables},
            "checks": {
                "max-age-seconds": "86400",
                "max-clock-ahead-seconds": "60",
                **({REMEMBER_CLICK_IDS: str(remember)} if remember else {}),
            },
            "flink": {
                "parallelism.default": "2",
                "execution.checkpointing.interval": "1 s",
                "execution.checkpointing.dir": (self.folder / "checkpoints").as_uri(),
                "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
                "state.backend.type": "rocksdb",
                **({"execution.state-recovery.path": restore.as_uri()} if restore else {}),
                **(flink or {}),
            },
        }
        properties["flink"]["pipeline.jars"] = connector_jar(properties).as_uri()
        find_java()
        file = self.folder / "properties.json"
        groups = [{"PropertyGroupId": name, "PropertyMap": values} for name, values in properties.items()]
        file.write_text(json.dumps(groups))
        self._temporary.mkdir(exist_ok=True)
        options = f"{os.environ['JVM_ARGS']} -Djava.io.tmpdir={self._temporary}"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(main), "--properties", str(file)],
                env={**os.environ, "JVM_ARGS": options},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def _temporary(self) -> Path:
        """Where Flink unpacks its jars, 90 MB, which a killed one does not take away."""
        return self.folder / "tmp"

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            shutil.rmtree(self._temporary, ignore_errors=True)

    def put(self, name: str, clicks: list[dict[str, str]]) -> None:
        hidden = self.folder / "clicks" / f".{name}"
        hidden.write_text("".join(json.dumps(click) + "\n" for click in clicks))
        hidden.rename(hidden.with_name(name))

    def published(self) -> list[tuple[Key, int]]:
        return [(key_of(row), row["clicks"]) for row in read_rows(self.folder / "click_counts")]

    def largest(self) -> dict[Key, int]:
        counts: dict[Key, int] = {}
        for key, clicks in self.published():
            counts[key] = max(clicks, counts.get(key, 0))
        return counts

    def last_checkpoint(self) -> Path:
        complete = (self.folder / "checkpoints").glob("*/chk-*/_metadata")
        return max(complete, key=lambda file: file.stat().st_mtime_ns).parent

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def wait_for_end(self) -> None:
        assert self.process is not None
        self.process.wait(TIMEOUT_SECONDS)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = self.log()[-3000:]
                pytest.fail(
                    f"{'the application ended' if ended else 'timeout'} while waiting for {what}:\n{log}"
                )
            time.sleep(0.1)


@contextmanager
def streaming(folder: Path, *further_tables: str) -> Iterator[Streaming]:
    application = Streaming(folder, *further_tables)
    try:
        yield application
    finally:
        application.kill()


def clicks_of_file(number: int, clicked_at: str) -> list[dict[str, str]]:
    return [
        {
            "click_id": f"{number}-{i}",
            "clicked_at": clicked_at,
            "user_id": f"u{i % 50}",
            "article_id": f"a{i % 20}",
        }
        for i in range(CLICKS_A_FILE)
    ]
