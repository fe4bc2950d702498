"""The SQL job over files, in streaming mode; prints what was measured as JSON.

python -m bench.flink_counts CLICKS_DIR SEGMENTS_DIR CHECKPOINT_DIR [--variant V] [--parallelism N]
    [--poll-milliseconds N] [--new-version FILE --after CLICKS] [--until CLICKS] [--managed-memory SIZE]
    [--framed JAR]

The statements are those of analytics_sql/, compiled and started in the same way. V:
- `joined` has them as they are
- `temporal` has Flink's own event-time temporal join in place of the lookup join, and puts out no rejects,
  for which it would read the clicks a second time
- `once` drops repeated click ids, each remembered for a day
- `readers` counts distinct readers beside the clicks
FILE, a version of the segments on the same file system, is moved into SEGMENTS_DIR after this many clicks;
there must be enough clicks until it is loaded.
--until: the source does not end, so that state and heap can be read when this many clicks are counted.
--framed: the files hold records, each after its length, and JAR the format that reads them (bench/framed/).
--managed-memory: RocksDB's memory for all tasks together, 128 MB by default.
"""

import argparse
import json
import re
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pyflink.java_gateway import get_gateway

from analytics_sql import main as analytics
from analytics_sql.bounded import NO_AGE_LIMIT_SECONDS, output_tables
from analytics_sql.codegen import in_one_piece
from analytics_sql.local_flink import connector_jar, find_java
from analytics_sql.repetition import remembered
from bench.clicks import MILLISECONDS_BETWEEN_CLICKS
from bench.flink_job import FollowedJob, longest_gap
from contract.click import ID_FIELDS, MAX_CLOCK_AHEAD_SECONDS, MAX_ID_BYTES
from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER, UNKNOWN
from names import segments_version_key
from twin.processes import free_port

PARALLELISM = 2
POLL_MILLISECONDS = 1000
REMEMBERED_SECONDS = 86_400
CHECK_SECONDS = 1
HELD_BY_WATERMARK = 2 * 1000 // MILLISECONDS_BETWEEN_CLICKS
"""Clicks of twice the last second, since shards are not read evenly."""
VERSIONS = 2
LOADED_SECONDS = 0.1
_OF_VERSION = ",\n  ".join(f"COALESCE(s.{column}, '{UNKNOWN}') AS {column}" for column in SEGMENT_COLUMNS)
_VERSION_COLUMNS = ", ".join(f"{column} STRING" for column in SEGMENT_FILE_HEADER)
_IDS_ARE_GOOD = "\n  AND ".join(f"byte_length(c.{id_}) BETWEEN 1 AND {MAX_ID_BYTES}" for id_ in ID_FIELDS)
# Its clicks need a watermark, which can't pass TO_CHANGELOG: so they are checked, but not copied by it.
_TEMPORAL = [
    """CREATE TABLE timed (
  click_id STRING, clicked_at STRING, user_id STRING, article_id STRING,
  event_time AS parse_clicked_at(clicked_at),
  WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND
) WITH ({clicks}, 'format' = 'flat-json', 'flat-json.ignore-parse-errors' = 'true')""",
    f"""CREATE TABLE versions (
  {_VERSION_COLUMNS},
  valid_from AS TO_TIMESTAMP_LTZ(0, 3),
  WATERMARK FOR valid_from AS valid_from,
  PRIMARY KEY (user_id) NOT ENFORCED
) WITH (
  'connector' = 'filesystem', 'path' = '{{segments}}',
  'format' = 'csv', 'csv.ignore-parse-errors' = 'true'
)""",
    f"""CREATE TEMPORARY VIEW segmented_clicks AS
SELECT
  c.event_time,
  c.article_id,
  {_OF_VERSION}
FROM timed AS c
LEFT JOIN versions FOR SYSTEM_TIME AS OF c.event_time AS s
  ON s.user_id = c.user_id
WHERE {_IDS_ARE_GOOD}""",
]

_READERS = {
    "VIEW segmented_clicks": ("  c.article_id,", "  c.article_id,\n  c.user_id,"),
    "VIEW counts": ("COUNT(*) AS clicks", "COUNT(*) AS clicks,\n  COUNT(DISTINCT user_id) AS readers"),
    "TABLE click_counts": ("  clicks BIGINT,", "  clicks BIGINT,\n  readers BIGINT,"),
    "INTO click_counts": ("  clicks,", "  clicks,\n  readers,"),
}
"""What the variant `readers` replaces, by what the statement contains."""


def properties(given: argparse.Namespace, rest_port: int) -> analytics.Properties:
    return {
        "clicks": {"connector": "filesystem", "path": given.clicks}
        | ({"source.monitor-interval": "1 h"} if given.until else {}),
        "segments": {
            "connector": "versioned-reference",
            "path": given.segments,
            "check-interval": f"{CHECK_SECONDS} s",
        },
        **{table: {"connector": "blackhole"} for table in output_tables()},
        "checks": {
            "max-age-seconds": str(NO_AGE_LIMIT_SECONDS),
            "max-clock-ahead-seconds": str(MAX_CLOCK_AHEAD_SECONDS),
            **({analytics.REMEMBER_CLICK_IDS: str(REMEMBERED_SECONDS)} if given.variant == "once" else {}),
        },
        "flink": {
            "parallelism.default": str(given.parallelism),
            "execution.checkpointing.interval": "5 s",
            "execution.checkpointing.dir": Path(given.checkpoints).as_uri(),
            "state.backend.type": "rocksdb",
            **({"taskmanager.memory.managed.size": given.managed_memory} if given.managed_memory else {}),
            "rest.address": "127.0.0.1",
            "rest.port": str(rest_port),
            "metrics.fetcher.update-interval": f"{given.poll_milliseconds} ms",
            # A reader that got no file would hold the watermark for which a temporal join waits.
            **({"table.exec.source.idle-timeout": "500 ms"} if given.variant == "temporal" else {}),
        },
    }


def statements(given: argparse.Namespace, all_properties: analytics.Properties) -> list[str]:
    """Those of analytics_sql/ in order, with the view of the join as the variant has it."""
    changed = []
    temporal = given.variant == "temporal"
    for original in analytics.statements(all_properties, mode="streaming"):
        statement = original.replace("'flat-json", "'framed-flat-json") if given.framed else original
        if given.variant == "readers":
            for named, (before, after) in _READERS.items():
                if named in statement:
                    statement = statement.replace(before, after, 1)
        if "VIEW segmented_clicks" not in statement or not temporal:
            if not (temporal and "INSERT INTO rejected_clicks" in statement):
                changed.append(statement)
        else:
            clicks = ", ".join(f"'{key}' = '{value}'" for key, value in all_properties["clicks"].items())
            changed += [each.format(clicks=clicks, segments=given.segments) for each in _TEMPORAL]
    return changed


class _NewVersion(threading.Thread):
    """Publishes the version given once so many clicks have been read, and waits until it is loaded.

    moved_at, loaded_at: time.monotonic(); None before.
    """

    def __init__(self, job: FollowedJob, given: argparse.Namespace) -> None:
        super().__init__(daemon=True)
        self.moved_at: float | None = None
        self.loaded_at: float | None = None
        self._job, self._given = job, given

    def run(self) -> None:
        while not self._job.samples or self._job.samples[-1][1] < self._given.after // 4:
            time.sleep(self._given.poll_milliseconds / 1000)
        loaded_versions = self._job.metric("segmentsLoadedVersions")
        assert loaded_versions
        while self._job.samples[-1][1] < self._given.after:
            time.sleep(self._given.poll_milliseconds / 1000)
        name = Path(segments_version_key(datetime.now(UTC))).name
        Path(self._given.new_version).rename(Path(self._given.segments) / name)
        self.moved_at = time.monotonic()
        with suppress(OSError):  # the job has ended, and `gaps` says so
            while self._job.greatest(loaded_versions) < VERSIONS:
                time.sleep(LOADED_SECONDS)
            self.loaded_at = time.monotonic()

    def gaps(self) -> dict[str, float]:
        """The longest ones before it came and while it was loaded, which ends before the last click is read:
        a job that has read everything takes half a second to close, and that is no gap.
        """
        samples = self._job.samples
        last_read = samples[-1][1]
        if not self.moved_at or not self.loaded_at or self.loaded_at > _time_of(samples, last_read):
            sys.exit(
                f"the version was not loaded before the last of {last_read:,} clicks: give it more clicks"
            )
        warm_at = _time_of(samples, self._given.after // 2)
        return {
            "gap_before_seconds": longest_gap([s for s in samples if warm_at <= s[0] < self.moved_at]),
            "gap_loading_seconds": longest_gap(
                [s for s in samples if self.moved_at <= s[0] <= self.loaded_at]
            ),
            "load_seconds": self.loaded_at - self.moved_at,
        }


def _time_of(samples: list[tuple[float, int]], clicks: int) -> float:
    return next(time for time, number in samples if number >= clicks)


def _heap() -> int:
    """Bytes in the heap of the JVM, which is Flink's as well, after garbage collection."""
    java = get_gateway().jvm.java.lang
    java.System.gc()
    runtime = java.Runtime.getRuntime()
    return int(runtime.totalMemory() - runtime.freeMemory())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("clicks", "segments", "checkpoints"):
        parser.add_argument(name)
    parser.add_argument("--variant", choices=("joined", "temporal", "once", "readers"), default="joined")
    parser.add_argument("--parallelism", type=int, default=PARALLELISM)
    parser.add_argument("--poll-milliseconds", type=int, default=POLL_MILLISECONDS)
    parser.add_argument("--new-version")
    parser.add_argument("--after", type=int)
    parser.add_argument("--until", type=int)
    parser.add_argument("--managed-memory")
    parser.add_argument("--framed", type=Path)
    given = parser.parse_args()
    port = free_port()
    all_properties = properties(given, port)
    jars = [connector_jar(all_properties), *([given.framed] if given.framed else [])]
    all_properties["flink"]["pipeline.jars"] = ";".join(jar.as_uri() for jar in jars)
    find_java()
    tables = analytics.table_environment(analytics.flink_configuration(all_properties, on_msf=False))
    inserts = []
    for statement in statements(given, all_properties):
        if re.search(r"^INSERT\b", statement, re.MULTILINE):
            inserts.append(statement)
        else:
            tables.execute_sql(statement)
    started = time.monotonic()
    plan = in_one_piece(analytics.compiled(tables, inserts))
    if given.variant == "once":
        plan = remembered(plan, REMEMBERED_SECONDS)
    client = analytics.started(tables, plan).get_job_client()
    assert client
    temporal = given.variant == "temporal"
    job = FollowedJob(
        port,
        str(client.get_job_id()),
        poll_seconds=given.poll_milliseconds / 1000,
        # In a temporal join clicks wait for the watermark, which is to be behind them.
        operator="TemporalJoin" if temporal else "Source: clicks",
    )
    new_version = _NewVersion(job, given) if given.new_version else None
    if new_version:
        new_version.start()
    answer: dict[str, float] = {}
    if given.until:
        checkpoint = job.checkpoint_after(given.until - (HELD_BY_WATERMARK if temporal else 0))
        if checkpoint is None:
            client.get_job_execution_result().result()  # raises why it failed
            sys.exit(f"the job ended before it had handed on {given.until:,} clicks")
        answer = {
            "seconds": time.monotonic() - started,
            "state_bytes": checkpoint.state_bytes,
            "checkpoint_milliseconds": checkpoint.milliseconds,
            "longest_checkpoint_milliseconds": job.longest_checkpoint(),
            "heap_bytes": _heap(),
        }
        client.cancel().result()
    else:
        client.get_job_execution_result().result()
        answer = {"seconds": time.monotonic() - started}
    job.stop()
    if new_version:
        answer |= new_version.gaps()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
