"""Alarms of the OpenSearch domain: red, refusing writes, or nearly full.

Which, and from when: OpenSearch Service developer guide, "Recommended CloudWatch alarms".
"""

from constructs import Construct

from settings.search import SearchSettings
from stacks.monitoring.flow_alarm import FlowAlarm
from stacks.monitoring.measure import metric

FREE_STORAGE_ALARM_SHARE = 0.25
"""Of a node's volume, as the guide recommends: below it shards are moved, then writes are blocked."""


def alarm_on_domain(scope: Construct, *, domain: str, account: str, settings: SearchSettings) -> None:
    """domain: its name; account: that owns it, a dimension of its metrics."""
    dimensions = {"ClientId": account, "DomainName": domain}
    # The service reports the colour every minute. Silence of the domain is as bad as red.
    FlowAlarm(
        scope,
        "IsRed",
        watches=domain,
        measure=metric("AWS/ES ClusterStatus.red", dimensions=dimensions, statistic="Maximum"),
        threshold=0,
        missing="bad",
    )
    FlowAlarm(
        scope,
        "BlocksWrites",
        watches=domain,
        measure=metric("AWS/ES ClusterIndexWritesBlocked", dimensions=dimensions, statistic="Maximum"),
        threshold=0,
    )
    FlowAlarm(
        scope,
        "IsNearlyFull",
        watches=domain,
        measure=metric("AWS/ES FreeStorageSpace", dimensions=dimensions, statistic="Minimum"),
        threshold=settings.volume_gib * 1024 * FREE_STORAGE_ALARM_SHARE,  # MiB, as the metric
        rings="below",
    )
