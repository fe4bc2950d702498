"""Follows a Flink job by its REST API: how many clicks were read, and how large its checkpoints are."""

import json
import re
import threading
import time
import urllib.request
from typing import Any

CHECKPOINTS_SECONDS = 0.5


class FollowedJob:
    """samples: (time.monotonic(), clicks that the source handed on) in turn.

    Flink answers with what it fetched because of the request before, so a number is given the time of that
    one. state_bytes: the largest checkpoint in full, 0 without any.
    """

    def __init__(self, port: int, job: str, *, poll_seconds: float) -> None:
        self.samples: list[tuple[float, int]] = []
        self.state_bytes = 0
        self._job = f"http://127.0.0.1:{port}/jobs/{job}"
        self._poll_seconds = poll_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        metrics, metric = "", ""
        asked_at = checkpoints_at = time.monotonic()
        while not self._ended.wait(self._poll_seconds):
            now = time.monotonic()
            try:
                if not metrics:
                    metrics = self._metrics_of_source()
                elif not metric:
                    names = [each["id"] for each in self._get(metrics)]
                    metric = next(
                        (n for n in names if re.fullmatch(r"Source__clicks.*\.numRecordsOut", n)), ""
                    )
                elif answer := self._get(f"{metrics}?get={metric}&agg=sum"):
                    self.samples.append((asked_at, int(answer[0]["sum"])))
                if now >= checkpoints_at:
                    self._read_checkpoints()
                    checkpoints_at = now + CHECKPOINTS_SECONDS
            except OSError:
                continue  # the job has ended, and its cluster with it
            asked_at = now

    def _metrics_of_source(self) -> str:
        vertices = self._get("")["vertices"]
        (source,) = (each["id"] for each in vertices if each["name"].startswith("Source: clicks"))
        return f"/vertices/{source}/subtasks/metrics"

    def _read_checkpoints(self) -> None:
        latest = self._get("/checkpoints")["latest"]["completed"]
        if latest:
            self.state_bytes = max(self.state_bytes, latest["state_size"])

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._job + path, timeout=5) as answer:
            return json.load(answer)


def longest_gap(samples: list[tuple[float, int]]) -> float:
    """Seconds in which the number did not grow, at most; 0.0 for fewer than two samples."""
    longest, since = 0.0, samples[0] if samples else (0.0, 0)
    for moment, number in samples[1:]:
        if number > since[1]:
            longest = max(longest, moment - since[0])
            since = (moment, number)
    return max(longest, samples[-1][0] - since[0]) if samples else 0.0
