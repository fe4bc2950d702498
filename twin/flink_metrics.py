"""What Managed Service for Apache Flink sends of a job, from Flink's REST API; nothing without a job."""

import time
from collections.abc import Callable, Mapping

from names import Names
from twin.alarms.publisher import MetricPublisher
from twin.flink_job import MILLIS_BEHIND, FlinkJob, JobState

NAMESPACE = "AWS/KinesisAnalytics"
CLICKS_TABLE = "clicks"


class JobMetrics:
    """Of the application `names.application`. Call `send` again and again while there is a job."""

    def __init__(self, publisher: MetricPublisher, names: Names) -> None:
        self._publisher = publisher
        self._application = {"Application": names.application}
        self._input = {**self._application, "Flow": "Input", "Id": names.source_stream}
        self._job: FlinkJob | None = None
        self._running_since: float | None = None
        self.unparseable_percent: Callable[[], float] | None = None
        """Of the clicks' decoder, where it has no metrics of its own."""
        self.injected: dict[str, float] = {}
        """Sent in place of what the job says, where only AWS can bring it about."""

    def send(
        self, job: FlinkJob, state: JobState, segments: Mapping[str, float], *, seconds_behind: float | None
    ) -> None:
        """segments: the gauges of their table; seconds_behind: None if unknown.

        `runningTime` is 0 in any state but RUNNING.
        """
        if job is not self._job or not state.runs:
            self._job, self._running_since = job, None
        if state.runs and self._running_since is None:
            self._running_since = time.monotonic()
        running = 0.0 if self._running_since is None else time.monotonic() - self._running_since
        self._send("runningTime", running * 1000, "Milliseconds")
        self._send("numRestarts", state.restarts, "Count")
        self._send("numberOfFailedCheckpoints", state.failed_checkpoints, "Count")
        self._send("heapMemoryUtilization", job.heap_percent(), "Percent")
        for name, value in {**segments, **self._of_the_decoder(job)}.items():
            self._send(name, value, "None")
        if seconds_behind is not None:
            millis = seconds_behind * 1000
            self._publisher.count(f"{NAMESPACE} {MILLIS_BEHIND}", self._input, millis, "Milliseconds")

    def _of_the_decoder(self, job: FlinkJob) -> Mapping[str, float]:
        if self.unparseable_percent is None:
            return job.gauges(CLICKS_TABLE)
        return {f"{CLICKS_TABLE}UnparseablePercent": self.unparseable_percent()}

    def _send(self, name: str, value: float | None, unit: str) -> None:
        value = self.injected.get(name, value)
        if value is not None:
            self._publisher.count(f"{NAMESPACE} {name}", self._application, value, unit)
