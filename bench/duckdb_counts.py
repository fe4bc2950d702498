"""The count of analytics_sql/ by DuckDB, all files at once; prints its timing as bench.flink_counts does.

python -m bench.duckdb_counts CLICKS_DIR SEGMENTS_DIR

The same checks, join and count as the SQL job, without the output of rejected clicks.
"""

import json
import sys
import time

import duckdb

from contract.click import ID_FIELDS, MAX_CLOCK_AHEAD_SECONDS, MAX_ID_BYTES
from contract.count import SEGMENT_COLUMNS, UNKNOWN, WINDOW

THREADS = 2
CONTRACT_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z"
_SEGMENT = ",\n  ".join(f"coalesce({column}, '{UNKNOWN}') AS {column}" for column in SEGMENT_COLUMNS)
_IDS_ARE_GOOD = "\n  AND ".join(f"strlen({id_}) BETWEEN 1 AND {MAX_ID_BYTES}" for id_ in ID_FIELDS)


def counts_query(clicks: str, segments: str) -> str:
    """clicks, segments: the folders of the files."""
    return f"""
SELECT
  time_bucket(INTERVAL '{WINDOW.total_seconds():.0f} seconds', event_time) AS minute,
  article_id,
  {_SEGMENT},
  count(*) AS clicks
FROM (
  SELECT
    *,
    CASE WHEN regexp_full_match(clicked_at, '{CONTRACT_TIME}')
    THEN try_strptime(clicked_at, '%Y-%m-%dT%H:%M:%S.%gZ') END AS event_time
  FROM read_json(
    '{clicks}/*.json',
    format = 'newline_delimited',
    columns = {{click_id: 'VARCHAR', clicked_at: 'VARCHAR', user_id: 'VARCHAR', article_id: 'VARCHAR'}}
  )
)
LEFT JOIN read_csv('{segments}/*.csv', header = true, all_varchar = true) USING (user_id)
WHERE {_IDS_ARE_GOOD}
  AND event_time <= now()::TIMESTAMP + INTERVAL {MAX_CLOCK_AHEAD_SECONDS} SECONDS
GROUP BY ALL
"""


def main(clicks: str, segments: str) -> None:
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        started = time.monotonic()
        connection.execute(f"CREATE TABLE counts AS {counts_query(clicks, segments)}")
        seconds = time.monotonic() - started
        answer = connection.execute("SELECT count(*), sum(clicks)::BIGINT FROM counts").fetchone()
    assert answer
    print(json.dumps({"seconds": seconds, "keys": answer[0], "clicks": answer[1]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
