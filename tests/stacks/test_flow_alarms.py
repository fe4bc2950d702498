"""Every flow has its alarm, and every alarm stands in docs/flow_limits.md."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Resources = Callable[[str], list[dict[str, Any]]]

PAGE = (Path(__file__).parent.parent.parent / "docs" / "flow_limits.md").read_text()
PREFIX = "click-trends-production"


def test_each_hop_is_watched(resources: Resources) -> None:
    alarms = {alarm["AlarmName"] for alarm in resources("AWS::CloudWatch::Alarm")}
    assert alarms >= {
        f"{PREFIX}-{name}"
        for name in (
            "mobile-WriteProvisionedThroughputExceeded",
            "mobile-GetRecords.IteratorAgeMilliseconds",
            "forwarder-IteratorAge",
            "forwarder-Throttles",
            "source-WriteProvisionedThroughputExceeded",
            "source-GetRecords.IteratorAgeMilliseconds",
            "raw-backup-DeliveryToS3.DataFreshness",
            "counts-ThrottledRecords",
            "counts-DeliveryToAmazonOpenSearchService.DataFreshness",
            "rejects-ThrottledRecords",
            "rejects-DeliveryToS3.DataFreshness",
        )
    }


def test_each_alarm_is_explained(resources: Resources) -> None:
    for alarm in resources("AWS::CloudWatch::Alarm"):
        if "docs/flow_limits.md" in alarm["AlarmDescription"]:
            what_to_do = PAGE.partition("## What to do")[2]
            assert f"| `{alarm['MetricName']}` |" in what_to_do, alarm["AlarmName"]


def test_an_alarm_has_one_metric_and_no_expression(resources: Resources) -> None:
    """The twin's CloudFormation makes only such."""
    for alarm in resources("AWS::CloudWatch::Alarm"):
        assert "Metrics" not in alarm
        assert alarm["TreatMissingData"] == "notBreaching"


def test_an_alarm_on_age_is_in_the_unit_of_its_metric(resources: Resources) -> None:
    thresholds = {alarm["MetricName"]: alarm["Threshold"] for alarm in resources("AWS::CloudWatch::Alarm")}
    assert thresholds["GetRecords.IteratorAgeMilliseconds"] == thresholds["IteratorAge"] == 60_000
    assert thresholds["DeliveryToS3.DataFreshness"] == 600  # seconds: 300 of buffer, 300 of patience
