"""The count of analytics_sql/ by DuckDB, all files at once; prints its timing as bench.flink_counts does.

python -m bench.duckdb_counts CLICKS_DIR SEGMENTS_DIR

The same checks, join and count as the SQL job, without the output of rejected clicks.
"""

import json
import sys
import time

import duckdb

THREADS = 2
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z"
COUNTS = """
SELECT
  date_trunc('minute', moment) AS minute,
  article_id,
  coalesce(gender, 'unknown') AS gender,
  coalesce(age_band, 'unknown') AS age_band,
  coalesce(region, 'unknown') AS region,
  count(*) AS clicks
FROM (
  SELECT
    *,
    CASE WHEN regexp_full_match(clicked_at, '{moment}')
    THEN try_strptime(clicked_at, '%Y-%m-%dT%H:%M:%S.%gZ') END AS moment
  FROM read_json(
    '{clicks}/*.json',
    format = 'newline_delimited',
    columns = {{click_id: 'VARCHAR', clicked_at: 'VARCHAR', user_id: 'VARCHAR', article_id: 'VARCHAR'}}
  )
)
LEFT JOIN read_csv('{segments}/*.csv', header = true, all_varchar = true) USING (user_id)
WHERE strlen(click_id) BETWEEN 1 AND 512
  AND strlen(user_id) BETWEEN 1 AND 512
  AND strlen(article_id) BETWEEN 1 AND 512
  AND moment <= now()::TIMESTAMP + INTERVAL 60 SECONDS
GROUP BY ALL
"""


def counts_query(clicks: str, segments: str) -> str:
    return COUNTS.format(clicks=clicks, segments=segments, moment=MOMENT)


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
