"""The SQL job over files, in streaming mode; prints its timing as JSON, as bench.sql_speed reads it.

python -m bench.flink_counts VARIANT WARM_UP CLICKS_DIR SEGMENTS_DIR CHECKPOINT_DIR

WARM_UP: number of clicks. The statements are those of analytics_sql/. VARIANT:
- `joined` has them as they are
- `unjoined` has the view segmented_clicks without its join: one segment for all, so fewer keys to count
- `unjoined-same-keys` takes the position, which has as many values as there are segments, for the gender
"""

import json
import re
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from analytics_sql import main as analytics
from analytics_sql.bounded import NO_AGE_LIMIT_SECONDS
from analytics_sql.local_flink import connector_jar, find_java
from twin.processes import free_port

PARALLELISM = 2
POLL_SECONDS = 0.1
_VIEW = """CREATE TEMPORARY VIEW segmented_clicks AS
SELECT
  event_time,
  article_id,
  {gender} AS gender,
  'unknown' AS age_band,
  'unknown' AS region
FROM validated_clicks
WHERE reason IS NULL"""
WITHOUT_JOIN = {
    "unjoined": _VIEW.format(gender="'unknown'"),
    "unjoined-same-keys": _VIEW.format(gender="`position`"),
}


class ClicksRead:
    """Follows how many clicks the job's source has handed on, by Flink's REST API.

    samples: (time.monotonic(), clicks) in turn. Flink answers with what it fetched because of the request
    before, so a count is given the time of that one.
    """

    def __init__(self, port: int, job: str) -> None:
        self.samples: list[tuple[float, int]] = []
        self._job = f"http://127.0.0.1:{port}/jobs/{job}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        vertices = self._get("")["vertices"]
        (source,) = (each["id"] for each in vertices if each["name"].startswith("Source: clicks"))
        metrics = f"/vertices/{source}/subtasks/metrics"
        metric, asked_at = "", time.monotonic()
        while not self._ended.wait(POLL_SECONDS):
            now = time.monotonic()
            try:
                if not metric:
                    names = [each["id"] for each in self._get(metrics)]
                    metric = next(
                        (n for n in names if re.fullmatch(r"Source__clicks.*\.numRecordsOut", n)), ""
                    )
                elif answer := self._get(f"{metrics}?get={metric}&agg=sum"):
                    self.samples.append((asked_at, int(answer[0]["sum"])))
            except OSError:
                continue  # the job has ended, and its cluster with it
            asked_at = now

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._job + path, timeout=5) as answer:
            return json.load(answer)


def properties(clicks: str, segments: str, checkpoints: str, rest_port: int) -> analytics.Properties:
    return {
        "clicks": {
            "connector": "filesystem",
            "path": clicks,
        },
        "segments": {"connector": "versioned-reference", "path": segments},
        "click_counts": {"connector": "blackhole"},
        "rejected_clicks": {"connector": "blackhole"},
        "checks": {"max-age-seconds": str(NO_AGE_LIMIT_SECONDS), "max-clock-ahead-seconds": "60"},
        "flink": {
            "parallelism.default": str(PARALLELISM),
            "execution.checkpointing.interval": "5 s",
            "execution.checkpointing.dir": Path(checkpoints).as_uri(),
            "state.backend.type": "rocksdb",
            "rest.address": "127.0.0.1",
            "rest.port": str(rest_port),
            "metrics.fetcher.update-interval": f"{POLL_SECONDS * 1000:.0f} ms",
        },
    }


def main(variant: str, warm_up_clicks: str, clicks: str, segments: str, checkpoints: str) -> None:
    port = free_port()
    given = properties(clicks, segments, checkpoints, port)
    given["flink"]["pipeline.jars"] = connector_jar(given).as_uri()
    find_java()
    tables = analytics.table_environment(analytics.flink_configuration(given, on_msf=False))
    inserts = tables.create_statement_set()
    for statement in analytics.statements(given, mode="streaming"):
        if variant in WITHOUT_JOIN and "VIEW segmented_clicks" in statement:
            tables.execute_sql(WITHOUT_JOIN[variant])
        elif re.search(r"^INSERT\b", statement, re.MULTILINE):
            inserts.add_insert_sql(statement)
        else:
            tables.execute_sql(statement)
    started = time.monotonic()
    job = inserts.execute()
    client = job.get_job_client()
    assert client
    clicks_read = ClicksRead(port, str(client.get_job_id()))
    job.wait()
    ended = time.monotonic()
    clicks_read.stop()
    warm_at, read = next(sample for sample in clicks_read.samples if sample[1] >= int(warm_up_clicks))
    print(json.dumps({"warm_up": {"clicks": read, "seconds": warm_at - started}, "seconds": ended - warm_at}))


if __name__ == "__main__":
    main(*sys.argv[1:])
