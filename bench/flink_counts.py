"""The SQL job over a file, in streaming mode; prints the seconds from the job's submission to its end.

python -m bench.flink_counts {joined,unjoined,unjoined-same-keys} CLICKS_DIR SEGMENTS_DIR CHECKPOINT_DIR

The statements are those of analytics_sql/; `unjoined` has the view segmented_clicks without its join, so all
readers are in one segment and there are fewer keys to count; `unjoined-same-keys` makes segments up from the
user's id, as many as there are.
"""

import re
import sys
import time
from pathlib import Path

from analytics_sql import main as analytics

PARALLELISM = 2
_VIEW = """CREATE TEMPORARY VIEW segmented_clicks AS
SELECT
  `moment`,
  article_id,
  {gender} AS gender,
  {age_band} AS age_band,
  {region} AS region
FROM judged_clicks
WHERE reason IS NULL"""


def _made_up(values: int, divisor: int) -> str:
    """One of so many texts, by a part of the user's id ("user-0000042")."""
    return f"CAST(MOD(CAST(SUBSTRING(user_id, 6) AS INT) / {divisor}, {values}) AS STRING)"


WITHOUT_JOIN = {
    "unjoined": _VIEW.format(gender="'unknown'", age_band="'unknown'", region="'unknown'"),
    "unjoined-same-keys": _VIEW.format(gender=_made_up(2, 1), age_band=_made_up(4, 2), region=_made_up(3, 8)),
}


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
        if variant in WITHOUT_JOIN and "VIEW segmented_clicks" in statement:
            tables.execute_sql(WITHOUT_JOIN[variant])
        elif re.search(r"^INSERT\b", statement, re.MULTILINE):
            inserts.add_insert_sql(statement)
        else:
            tables.execute_sql(statement)
    started = time.monotonic()
    inserts.execute().wait()
    print(time.monotonic() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
