"""Follows a Flink job by its REST API: clicks that passed an operator, and the size of its state."""

import json
import re
import threading
import time
import urllib.request
from typing import Any, NamedTuple

STANDSTILL_SECONDS = 120
"""A job that passes nothing on for this long is given up."""


class Checkpoint(NamedTuple):
    """Of the whole state, from its trigger to its end."""

    state_bytes: int
    milliseconds: int


class FollowedJob:
    """samples: (time.monotonic(), clicks that the operator passed on) in turn.

    Flink answers with what it fetched because of the request before, so a number is given the time of that
    one. operator: what the names of the job's vertex and of its metric begin with.
    """

    def __init__(self, port: int, job: str, *, poll_seconds: float, operator: str = "Source: clicks") -> None:
        self.samples: list[tuple[float, int]] = []
        self._job = f"http://127.0.0.1:{port}/jobs/{job}"
        self._poll_seconds = poll_seconds
        self._operator = operator
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def metric(self, name: str) -> str | None:
        """Where `greatest` reads the metric whose name ends so; None if no task has it.

        The answers are long: reading them holds up the samples by half a second.
        """
        for vertex in self._get("")["vertices"]:
            metrics = f"/vertices/{vertex['id']}/subtasks/metrics"
            for each in self._get(metrics):
                if each["id"].endswith(name):
                    return f"{metrics}?get={each['id']}&agg=max"
        return None

    def greatest(self, metric: str) -> int:
        """Sum over all tasks. Raises OSError once the job has ended."""
        answer = self._get(metric)
        return int(answer[0]["max"]) if answer else 0

    def _follow(self) -> None:
        metrics, metric = "", ""
        wanted = re.compile(re.sub(r"\W", "_", self._operator) + r".*\.numRecordsOut")
        asked_at = time.monotonic()
        while not self._ended.wait(self._poll_seconds):
            now = time.monotonic()
            try:
                if not metrics:
                    metrics = self._metrics_of_vertex()
                elif not metric:
                    names = [each["id"] for each in self._get(metrics)]
                    metric = next(filter(wanted.fullmatch, names), "")
                elif answer := self._get(f"{metrics}?get={metric}&agg=sum"):
                    self.samples.append((asked_at, int(answer[0]["sum"])))
            except OSError:
                continue  # the job has ended, and its cluster with it
            asked_at = now

    def _metrics_of_vertex(self) -> str:
        vertices = self._get("")["vertices"]
        (vertex,) = (each["id"] for each in vertices if each["name"].startswith(self._operator))
        return f"/vertices/{vertex}/subtasks/metrics"

    def longest_checkpoint(self) -> int:
        """Milliseconds of the longest complete one so far, which the job took by itself or was asked for."""
        return int(self._get("/checkpoints")["summary"]["end_to_end_duration"]["max"])

    def checkpoint_after(self, clicks: int) -> Checkpoint | None:
        """Take a checkpoint of the whole state once the operator has handed on so many clicks.

        None if the job has ended before. SystemExit if it stands still.
        """
        grown, grown_at = 0, time.monotonic()
        while (handed_on := self.samples[-1][1] if self.samples else 0) < clicks:
            if handed_on > grown:
                grown, grown_at = handed_on, time.monotonic()
            if not self._runs():
                return None
            if time.monotonic() - grown_at > STANDSTILL_SECONDS:
                raise SystemExit(f"{handed_on:,} of {clicks:,} clicks, and none for {STANDSTILL_SECONDS} s")
            time.sleep(self._poll_seconds)
        return self._checkpoint()

    def _checkpoint(self) -> Checkpoint:
        """Flink declines one while a task of the job is ending, so it may take several attempts."""
        deadline = time.monotonic() + STANDSTILL_SECONDS
        while True:
            body = json.dumps({"checkpointType": "FULL"}).encode()
            request = self._get("/checkpoints", body)["request-id"]
            while (answer := self._get(f"/checkpoints/{request}"))["status"]["id"] != "COMPLETED":
                time.sleep(self._poll_seconds)
            done = answer["operation"]
            if "failureCause" not in done:
                details = self._get(f"/checkpoints/details/{done['checkpointId']}")
                return Checkpoint(int(details["state_size"]), int(details["end_to_end_duration"]))
            if time.monotonic() > deadline:
                raise SystemExit(f"no checkpoint at the end: {done['failureCause']['stack-trace'][:2000]}")
            time.sleep(self._poll_seconds)

    def _runs(self) -> bool:
        try:
            return self._get("")["state"] not in ("FAILED", "CANCELED", "FINISHED")
        except OSError:
            return False

    def _get(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(
            self._job + path, data=body, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def longest_gap(samples: list[tuple[float, int]]) -> float:
    """Seconds in which the number did not grow, at most; 0.0 for fewer than two samples."""
    longest, since = 0.0, samples[0] if samples else (0.0, 0)
    for at, number in samples[1:]:
        if number > since[1]:
            longest = max(longest, at - since[0])
            since = (at, number)
    return max(longest, samples[-1][0] - since[0]) if samples else 0.0
