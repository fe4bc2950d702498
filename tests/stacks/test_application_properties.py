"""What the application is told: shapes that ran with the real connectors, within the service's limits."""

from settings import Settings
from tests.deployed import deployed_properties

PROPERTIES = deployed_properties(Settings(environment="trial", account="111111111111"))
MAX_VALUE_LENGTH = 2_048


def test_every_value_fits_a_property_of_the_service() -> None:
    values = [value for group in PROPERTIES.values() for value in group.values()]
    assert max(map(len, values)) <= MAX_VALUE_LENGTH
    assert all(PROPERTIES.values())


def test_clicks_are_read_from_the_oldest_record_in_the_format_of_the_sql() -> None:
    assert PROPERTIES["clicks"] == {
        "connector": "kinesis",
        "stream.arn": "arn:aws:kinesis:us-west-2:111111111111:stream/click-trends-trial-source",
        "aws.region": "us-west-2",
        "aws.http-client.read-timeout": "30000",
        "source.init.position": "TRIM_HORIZON",
    }


def test_counts_and_rejects_go_to_their_delivery_streams() -> None:
    for group, stream in (("click_counts", "counts"), ("rejected_clicks", "rejects")):
        assert PROPERTIES[group] == {
            "connector": "firehose",
            "delivery-stream": f"click-trends-trial-{stream}",
            "aws.region": "us-west-2",
            "sink.http-client.read-timeout": "30000",
            "format": "json",
            "json.timestamp-format.standard": "ISO-8601",
        }


def test_versions_of_the_segments_outlive_the_oldest_accepted_click() -> None:
    assert PROPERTIES["segments"] == {
        "connector": "versioned-reference",
        "path": "s3://click-trends-trial-segments-111111111111/segments",
        "check-interval": "10 s",
        "history": "26 h",
    }
    assert PROPERTIES["checks"] == {"max-age-seconds": "86400", "max-clock-ahead-seconds": "60"}
