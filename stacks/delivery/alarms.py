"""Alarms of a delivery stream: it is behind, or gets more than its quota."""

from constructs import Construct

from stacks.monitoring.flow_alarm import FlowAlarm

BEHIND_ALARM_SECONDS = 300
"""How much longer than its buffer holds it the oldest record may wait in a delivery stream."""
THROTTLED_RECORDS_ALARM = 0
"""Records a minute above the quota of direct puts; each is repeated."""


def alarm_when_behind(
    scope: Construct, *, delivery_stream: str, destination: str, buffer_seconds: int
) -> FlowAlarm:
    """destination: S3 or AmazonOpenSearchService, as in Firehose's metrics."""
    return FlowAlarm(
        scope,
        "IsBehind",
        watches=delivery_stream,
        metric=f"AWS/Firehose DeliveryTo{destination}.DataFreshness",
        dimensions={"DeliveryStreamName": delivery_stream},
        statistic="Maximum",
        threshold=buffer_seconds + BEHIND_ALARM_SECONDS,
    )


def alarm_when_throttled(scope: Construct, *, delivery_stream: str) -> FlowAlarm:
    """For a delivery stream that records are put into directly; one that reads a stream has no quota."""
    return FlowAlarm(
        scope,
        "IsThrottled",
        watches=delivery_stream,
        metric="AWS/Firehose ThrottledRecords",
        dimensions={"DeliveryStreamName": delivery_stream},
        statistic="Sum",
        threshold=THROTTLED_RECORDS_ALARM,
    )
