"""The SQL job over a file, in streaming mode; prints the seconds from the job's submission to its end.

python -m bench.flink_counts {joined,unjoined} CLICKS_DIR SEGMENTS_DIR CHECKPOINT_DIR

The statements are those of analytics_sql/; `unjoined` has the view segmented_clicks without its join.
"""

import re
import sys
import time
from pathlib import Path

from analytics_sql import main as analytics

PARALLELISM = 2
WITHOUT_JOIN = """CREATE TEMPORARY VIEW segmented_clicks AS
SELECT
  `moment`,
  article_id,
  'unknown' AS gender,
  'unknown' AS age_band,
  'unknown' AS region
FROM judged_clicks
WHERE reason IS NULL"""


def properties(clicks: str, segments: str, checkpoints: str) -> analytics.Properties:
    return {
        "clicks": {
            "connector": "filesystem",
            "path": clicks,
            "format": "json",
            "json.ignore-parse-errors": "true",
        },
        "segments": {"connector": "versioned-reference", "path": segments},
        "click_counts": {"connector": "blackhole"},
        "rejected_clicks": {"connector": "blackhole"},
        "checks": {"max-age-seconds": str(analytics.NO_AGE_LIMIT_SECONDS), "max-clock-ahead-seconds": "60"},
        "flink": {
            "parallelism.default": str(PARALLELISM),
            "execution.checkpointing.interval": "5 s",
            "execution.checkpointing.dir": Path(checkpoints).as_uri(),
            "state.backend.type": "rocksdb",
        },
    }


def main(variant: str, clicks: str, segments: str, checkpoints: str) -> None:
    given = properties(clicks, segments, checkpoints)
    analytics.find_java()
    tables = analytics.table_environment(analytics.flink_configuration(given, on_msf=False))
    inserts = tables.create_statement_set()
    for statement in analytics.statements(given, mode="streaming"):
        if variant == "unjoined" and "VIEW segmented_clicks" in statement:
            tables.execute_sql(WITHOUT_JOIN)
        elif re.search(r"^INSERT\b", statement, re.MULTILINE):
            inserts.add_insert_sql(statement)
        else:
            tables.execute_sql(statement)
    started = time.monotonic()
    inserts.execute().wait()
    print(time.monotonic() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
