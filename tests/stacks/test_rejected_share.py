"""What a share of rejects sees: few large ones, and many small ones."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from settings.analytics import AnalyticsSettings
from stacks.analytics.alarms import alarm_on_application
from tests.stacks.test_silence import NAMES, enters_alarm, reported

Resources = Callable[[str], list[dict[str, Any]]]
Rejected = tuple[float | None, float]
"""So many of so many."""
OF_FORWARDER = f"{NAMES.forwarder}-RejectedShare"
OF_APPLICATION = f"{NAMES.application}-RejectedShare"


def notifies(resources: Resources, name: str, minute: Mapping[str, float | None]) -> bool:
    """minute: the values of the alarm's metrics, by service and name."""
    [alarm] = [one for one in resources("AWS::CloudWatch::Alarm") if one["AlarmName"] == name]
    metrics = {
        identifier: f"{namespace.removeprefix('AWS/')} {metric}"
        for identifier, (namespace, metric, _) in reported(alarm)
    }
    assert set(metrics.values()) == minute.keys()
    return enters_alarm(alarm, {identifier: minute[metric] for identifier, metric in metrics.items()})


@pytest.mark.parametrize(
    ("clicks", "sizes", "expected"),
    [
        pytest.param((30, 60_000), (9_000, 18_000_000), False, id="one of 2,000 clicks"),
        pytest.param((None, 60_000), (None, 18_000_000), False, id="nothing is rejected"),
        pytest.param((3_600, 60_000), (1_080_000, 18_000_000), True, id="6 % of the clicks"),
        pytest.param((120, 54_120), (1_800_000, 18_000_000), True, id="one pack of ten cannot be parsed"),
        pytest.param(
            (10, 60_010), (10_000_000, 28_000_000), True, id="ten records of 1 MB have too many clicks"
        ),
        pytest.param(
            (10_000, 70_000), (40_000, 18_040_000), True, id="10,000 records of 4 bytes are too dense"
        ),
        pytest.param((90, 90), (27_000, 27_000), False, id="too few to tell"),
        pytest.param((2, 2), (1_000_000, 1_000_000), True, id="two large records, both refused"),
    ],
)
def test_forwarder_sees_clicks_and_bytes(
    resources: Resources, clicks: Rejected, sizes: Rejected, expected: bool
) -> None:
    minute = {
        "ClickTrends Rejected": clicks[0],
        "ClickTrends Received": clicks[1],
        "ClickTrends RejectedBytes": sizes[0],
        "ClickTrends ReceivedBytes": sizes[1],
    }
    assert notifies(resources, OF_FORWARDER, minute) is expected


@pytest.mark.parametrize(
    ("hours", "lasts", "expected"),
    [
        pytest.param(None, 3, True, id="bad clicks, where every click counts"),
        pytest.param(25, 10, False, id="a burst of copies, where they are dropped"),
        pytest.param(25, 12, True, id="somebody sends everything twice"),
    ],
)
def test_a_burst_of_dropped_copies_does_not_notify_as_bad_clicks(
    hours: int | None, lasts: int, expected: bool
) -> None:
    stack = Stack(App(), "Stack")
    alarm_on_application(
        stack,
        application="application",
        source_stream="source",
        rejects_delivery_stream="rejects",
        delivery_streams=["counts", "rejects"],
        settings=AnalyticsSettings(drop_repeated_click_ids_hours=hours),
    )
    alarms = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values()
    [alarm] = [
        each["Properties"] for each in alarms if each["Properties"]["AlarmName"].endswith("RejectedShare")
    ]
    assert (lasts >= alarm["DatapointsToAlarm"]) is expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param((9_000, 18_000_000), False, id="one of 2,000 clicks"),
        pytest.param((None, 18_000_000), False, id="nothing is rejected"),
        pytest.param((1_080_000, 18_000_000), True, id="6 % of the clicks, in few records"),
        pytest.param((27_000, 27_000), False, id="too few to tell"),
    ],
)
def test_application_sees_bytes(resources: Resources, sizes: Rejected, expected: bool) -> None:
    minute = {"Firehose IncomingBytes": sizes[0], "Kinesis IncomingBytes": sizes[1]}
    assert notifies(resources, OF_APPLICATION, minute) is expected
