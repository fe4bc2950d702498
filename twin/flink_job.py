"""The job of a Flink mini-cluster, observed and stopped through Flink's REST API
(https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/ops/rest_api/)."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics_sql.local_flink import cause_of
from twin.processes import TwinError, wait_for

REQUEST_TIMEOUT_SECONDS = 10
SAVEPOINT_TIMEOUT_SECONDS = 60
# A job makes no progress if it restarts this often within the time, or without a checkpoint in between.
MAX_RESTARTS = 3
RESTARTS_WITHIN_SECONDS = 30.0
MILLIS_BEHIND = "millisBehindLatest"
_ENDED = ("FAILED", "CANCELED", "FINISHED")


@dataclass(frozen=True, kw_only=True)
class JobState:
    """status: Flink's, such as RUNNING or RESTARTING; tasks_run: whether every task runs; restarts,
    checkpoints (completed) and failed ones: since the start; cause: of the newest failure, on one line;
    recovered: whether a checkpoint was completed since the last restart, and restarts are not frequent."""

    status: str
    tasks_run: bool
    restarts: int
    checkpoints: int
    failed_checkpoints: int = 0
    cause: str | None = None
    recovered: bool = False

    @property
    def runs(self) -> bool:
        return self.status == "RUNNING" and self.tasks_run

    @property
    def ended(self) -> bool:
        return self.status in _ENDED

    @property
    def problem(self) -> str | None:
        """The job's problem, for the screen; None while it runs well."""
        return None if self.runs and (self.recovered or not self.restarts) else str(self)

    def __str__(self) -> str:
        restarts = f", {self.restarts} restarts" if self.restarts else ""
        cause = f"; last failure: {self.cause}" if self.cause else ""
        waits = "" if self.tasks_run or self.status != "RUNNING" else ", not all of its tasks yet"
        return f"{self.status}{waits}{restarts}, {self.checkpoints} checkpoints{cause}"


class FlinkJob:
    """endpoint: http://host:port of a mini-cluster's REST API."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def state(self) -> JobState | None:
        """None while the cluster does not answer or has no job."""
        with _nothing_while_unreachable():
            jobs = self._request("/jobs/overview")["jobs"]
            if not jobs:
                return None
            [job] = jobs
            path = f"/jobs/{job['jid']}"
            metrics = self._request(f"{path}/metrics?get=numRestarts")
            failures = self._request(f"{path}/exceptions?maxExceptions=1")["exceptionHistory"]["entries"]
            tasks = job["tasks"]
            checkpoints = self._request(f"{path}/checkpoints")["counts"]
            return JobState(
                status=job["state"],
                tasks_run=tasks["running"] == tasks["total"] > 0,
                restarts=int(float(metrics[0]["value"])) if metrics else 0,
                checkpoints=checkpoints["completed"],
                failed_checkpoints=checkpoints["failed"],
                cause=cause_of(failures[0]["stacktrace"]) if failures else None,
            )
        return None

    def gauges(self, table: str) -> dict[str, float]:
        """A reference table's gauges by name, from the first task that shares it; empty if there are none."""
        group = f".KinesisAnalytics.{table}"
        with _nothing_while_unreachable():
            for values in self._largest(lambda metric: group in metric):
                return {name.rpartition(".")[2]: value for name, value in values.items()}
        return {}

    def heap_percent(self) -> float | None:
        """How much of its heap the fullest task manager uses; None without an answer."""
        with _nothing_while_unreachable():
            names = [f"Status.JVM.Memory.Heap.{part}" for part in ("Used", "Max")]
            found = self._request(f"/taskmanagers/metrics?get={','.join(names)}&agg=max")
            largest = {metric["id"]: metric["max"] for metric in found}
            if largest.keys() >= set(names):
                return float(100 * largest[names[0]] / largest[names[1]])
        return None

    def seconds_behind(self) -> float | None:
        """The lag of the furthest-behind shard, as the Kinesis connector reports it; None without a
        report."""
        with _nothing_while_unreachable():
            shards = [
                milliseconds
                for values in self._largest(lambda metric: metric.endswith(MILLIS_BEHIND))
                for milliseconds in values.values()
            ]
            return max(shards) / 1000 if shards else None
        return None

    def _largest(self, wanted: Callable[[str], bool]) -> Iterator[dict[str, float]]:
        """The largest values among a vertex's tasks, by metric, for each vertex that has a wanted one."""
        for job in self._request("/jobs/overview")["jobs"]:
            for vertex in self._request(f"/jobs/{job['jid']}")["vertices"]:
                path = f"/jobs/{job['jid']}/vertices/{vertex['id']}/subtasks/metrics"
                if ids := [metric["id"] for metric in self._request(path) if wanted(metric["id"])]:
                    query = urllib.parse.urlencode({"get": ",".join(ids), "agg": "max"})
                    yield {each["id"]: each["max"] for each in self._request(f"{path}?{query}")}

    def savepoint(self, folder: Path, *, stop: bool) -> str:
        """Take a savepoint below `folder`, and end the job with it if `stop`. Returns its path.

        Raises TwinError.
        """
        try:
            operation = self._operation(folder, stop=stop)
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            raise TwinError(f"cannot take a savepoint: Flink answers {error}") from error
        if "location" not in operation:
            trace = operation.get("failure-cause", {}).get("stack-trace", "")
            raise TwinError(f"cannot take a savepoint: {cause_of(trace)}")
        return str(operation["location"])

    def _operation(self, folder: Path, *, stop: bool) -> dict[str, Any]:
        """Flink's answer once the savepoint is complete or has failed."""
        jobs = self._request("/jobs/overview")["jobs"]
        if not jobs:
            raise TwinError("cannot take a savepoint: there is no job")
        path = f"/jobs/{jobs[0]['jid']}"
        if stop:
            asked = self._request(f"{path}/stop", {"targetDirectory": folder.as_uri(), "drain": False})
        else:
            asked = self._request(f"{path}/savepoints", {"target-directory": folder.as_uri()})
        found: dict[str, Any] = {}

        def done() -> bool:
            found.update(self._request(f"{path}/savepoints/{asked['request-id']}"))
            return bool(found["status"]["id"] == "COMPLETED")

        wait_for(done, what="a savepoint", timeout_seconds=SAVEPOINT_TIMEOUT_SECONDS)
        operation: dict[str, Any] = found["operation"]
        return operation

    def _request(self, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self._endpoint + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS) as answer:
            return json.load(answer)


@contextmanager
def _nothing_while_unreachable() -> Iterator[None]:
    try:
        yield
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return


class RestartWatch:
    """Distinguishes a job that keeps restarting from one that recovered."""

    def __init__(self) -> None:
        self._restarts = 0
        self._restarted_at: deque[float] = deque(maxlen=MAX_RESTARTS)
        self._since_checkpoint = 0
        self._checkpoints = 0

    def see(self, state: JobState, at: float | None = None) -> None:
        """at: a value of time.monotonic(); now if omitted."""
        at = time.monotonic() if at is None else at
        new = max(state.restarts - self._restarts, 0)
        self._restarts = state.restarts
        self._restarted_at.extend([at] * min(new, MAX_RESTARTS))
        if state.checkpoints > self._checkpoints and not new:
            self._since_checkpoint = 0
        self._checkpoints = state.checkpoints
        self._since_checkpoint += new

    def again_and_again(self, at: float | None = None) -> bool:
        at = time.monotonic() if at is None else at
        in_a_row = len(self._restarted_at) == MAX_RESTARTS
        lately = in_a_row and at - self._restarted_at[0] <= RESTARTS_WITHIN_SECONDS
        return lately or self._since_checkpoint >= MAX_RESTARTS

    @property
    def recovered(self) -> bool:
        """Whether the job, as last seen, has completed a checkpoint since its last restart."""
        return self._since_checkpoint == 0 and not self.again_and_again()
