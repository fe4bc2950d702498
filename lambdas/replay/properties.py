"""The properties of a replay: what the analytics application's main reads to count a range once more."""

from collections.abc import Mapping

from lambdas.replay.click_range import ClickRange

Properties = dict[str, dict[str, str]]  # property group -> key -> value

NO_LIMIT_SECONDS = 10**11
"""Back to before the year 1, and on to the year 5195."""
REMEMBER_CLICK_IDS = "remember-click-ids-seconds"
"""As analytics_sql/main.py reads it."""
SUCCESS = "_SUCCESS"
"""Flink's file sink writes an object of this name into a table's folder when the job has ended and all its
files are in their place (PartitionLoader.commitPartition): the counts are complete, whatever becomes of the
application."""
LINE_OPTIONS = {"flat-json.aggregated-records": "false"}
"""No line of an object is an aggregated record: Firehose takes those apart."""


def replay_properties(
    asked: ClickRange,
    *,
    clicks: Mapping[str, str],
    segments: str,
    counts: Mapping[str, str],
    remembered_hours: int | None = None,
) -> Properties:
    """clicks: options that say where its files are; segments: the folder of their versions; counts: by table
    of counts, the folder to write to; remembered_hours: of a click id, where repeated ones are dropped.

    Clicks of any age are counted. A folder of counts is complete once it holds SUCCESS.
    """
    return {
        "clicks": {"connector": "filesystem", **clicks, **LINE_OPTIONS},
        "segments": {"connector": "versioned-reference", "path": segments, "check-interval": "0 s"},
        **{
            table: {
                "connector": "filesystem",
                "format": "json",
                "path": folder,
                "sink.partition-commit.policy.kind": "success-file",
            }
            for table, folder in counts.items()
        },
        "checks": {
            "max-age-seconds": str(NO_LIMIT_SECONDS),
            "max-clock-ahead-seconds": str(NO_LIMIT_SECONDS),
            **({REMEMBER_CLICK_IDS: str(remembered_hours * 3600)} if remembered_hours else {}),
        },
        "replay": {
            "from-epoch-seconds": str(int(asked.begin.timestamp())),
            "to-epoch-seconds": str(int(asked.end.timestamp())),
        },
        "flink": {"execution.runtime-mode": "BATCH"},
    }
