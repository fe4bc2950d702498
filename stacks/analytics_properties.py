"""The properties of the analytics application: what its main reads on AWS, group by group."""

from names import OREGON, SEGMENTS_PREFIX
from stacks.application_package import JAR_IN_ZIP
from stacks.settings import Settings

CLOCK_AHEAD_SECONDS = 60
"""A click may be ahead of its arrival by this much, else it is rejected as clock_ahead."""
MARGIN_HOURS = 2
"""State and versions of the segments are kept this much longer than a click may be late."""
MINI_BATCH_ROWS = 50_000

_JSON = {"format": "json", "json.timestamp-format.standard": "ISO-8601"}


def application_properties(settings: Settings) -> dict[str, dict[str, str]]:
    """Group -> key -> value. The groups of tables hold their WITH options."""
    names, analytics = settings.names, settings.analytics
    kept = f"{analytics.horizon_hours + MARGIN_HOURS} h"
    return {
        "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": JAR_IN_ZIP},
        "clicks": {
            "connector": "kinesis",
            "stream.arn": names.source_stream_arn,
            "aws.region": OREGON,
            # Reading a click twice changes no count, so the oldest record is always a right place to begin.
            "source.init.position": "TRIM_HORIZON",
            "json.ignore-parse-errors": "true",
            **_JSON,
        },
        "segments": {
            "connector": "versioned-reference",
            "path": f"s3://{names.segments_bucket}/{SEGMENTS_PREFIX.rstrip('/')}",
            "check-interval": f"{analytics.segments_check_seconds} s",
            "history": kept,
        },
        "click_counts": _firehose(names.counts_delivery_stream),
        "rejected_clicks": _firehose(names.rejects_delivery_stream),
        "checks": {
            "max-age-seconds": str(analytics.horizon_hours * 3600),
            "max-clock-ahead-seconds": str(CLOCK_AHEAD_SECONDS),
        },
        # All on the service's list of keys; checkpoints, parallelism and restarts come from the template.
        "flink": {
            "table.local-time-zone": "UTC",
            "table.exec.state.ttl": kept,
            # A bundle is flushed at each checkpoint, so this only caps how long one grows without.
            "table.exec.mini-batch.enabled": "true",
            "table.exec.mini-batch.allow-latency": f"{analytics.publish_every_seconds} s",
            "table.exec.mini-batch.size": str(MINI_BATCH_ROWS),
            "pipeline.object-reuse": "true",
        },
    }


def _firehose(delivery_stream: str) -> dict[str, str]:
    return {"connector": "firehose", "delivery-stream": delivery_stream, "aws.region": OREGON, **_JSON}
