"""The properties of the analytics application: what its main reads on AWS, group by group."""

from collections.abc import Mapping

from analytics_sql.main import REMEMBER_CLICK_IDS
from contract.click import MAX_CLOCK_AHEAD_SECONDS
from names import SEGMENTS_PREFIX, Names
from settings.analytics import AnalyticsSettings
from stacks.analytics.package import JAR_IN_ZIP

SEGMENTS_MARGIN_HOURS = 2
"""Versions of the segments are kept this much longer than a click may be late."""

HTTP_READ_TIMEOUT_MS = 30_000
"""One answer that never comes held a shard for 367 s with the connectors' own 6 minutes, and 39 to 44 s with
this."""


def application_properties(
    *,
    source_arn: str,
    segments_bucket: str,
    delivery_streams: Mapping[str, str],
    names: Names,
    settings: AnalyticsSettings,
) -> dict[str, dict[str, str]]:
    """Group -> key -> value. The groups of tables hold their WITH options.

    delivery_streams: the name of each, by the table of the SQL that it stands for.
    """
    counted_with = settings.corrections_counted_with(settings.counts_generation)
    corrections = [f"s3://{segments_bucket}/{key}" for key in counted_with.values()]
    return {
        "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": JAR_IN_ZIP},
        "clicks": {
            "connector": "kinesis",
            "stream.arn": source_arn,
            "aws.region": names.oregon,
            "aws.http-client.read-timeout": str(HTTP_READ_TIMEOUT_MS),
            # Reading a click twice changes no count, so the oldest record is always a right place to begin.
            "source.init.position": "TRIM_HORIZON",
        },
        "segments": {
            "connector": "versioned-reference",
            "path": f"s3://{segments_bucket}/{SEGMENTS_PREFIX.rstrip('/')}",
            "check-interval": f"{settings.segments_check_seconds} s",
            "history": f"{settings.allowed_lateness_hours + SEGMENTS_MARGIN_HOURS} h",
            **({"corrections": ";".join(corrections)} if corrections else {}),
        },
        **{table: _firehose(name, region=names.oregon) for table, name in delivery_streams.items()},
        "checks": {
            "max-age-seconds": str(settings.allowed_lateness_hours * 3600),
            "max-clock-ahead-seconds": str(MAX_CLOCK_AHEAD_SECONDS),
            **(
                {REMEMBER_CLICK_IDS: str(settings.drop_repeated_click_ids_hours * 3600)}
                if settings.drop_repeated_click_ids_hours
                else {}
            ),
        },
        # Only keys on the service's list; the main adds those that the counts depend on, and checkpoints,
        # parallelism and restarts come from the template.
        "flink": {"pipeline.name": names.application},
    }


def _firehose(delivery_stream: str, *, region: str) -> dict[str, str]:
    return {
        "connector": "firehose",
        "delivery-stream": delivery_stream,
        "aws.region": region,
        "sink.http-client.read-timeout": str(HTTP_READ_TIMEOUT_MS),
        "format": "json",
        "json.timestamp-format.standard": "ISO-8601",
    }
