"""Alarms of the OpenSearch domain: red, short of nodes, memory or storage, blocking writes, no snapshots.

Which, and from when: OpenSearch Service developer guide, "Recommended CloudWatch alarms".
"""

from constructs import Construct

from settings.search import SearchSettings
from stacks.monitoring.alarm import LASTING, Alarm
from stacks.monitoring.measure import metric

FREE_STORAGE_ALARM_SHARE = 0.25
"""Of a node's volume, as the guide recommends: below it shards are moved, then writes are blocked."""
HEAP_ALARM_PERCENT = 95
"""Of the Java heap of the fullest node, as the guide recommends."""
MISSED_SNAPSHOTS_ALARM = 0
"""1 tells that the service took no snapshot in 36 hours (guide, "Monitoring OpenSearch cluster metrics")."""


def alarm_on_domain(scope: Construct, *, domain: str, account: str, settings: SearchSettings) -> Alarm:
    """domain: its name; account: that owns it, a dimension of its metrics.

    Returns the one that rings where the domain is silent, as it is until it is made.
    """
    dimensions = {"ClientId": account, "DomainName": domain}
    # The service reports the colour every minute. Silence of the domain is as bad as red.
    is_red = Alarm(
        scope,
        "IsRed",
        watches=domain,
        measure=metric("AWS/ES ClusterStatus.red", dimensions=dimensions, statistic="Maximum"),
        threshold=0,
        missing="bad",
    )
    Alarm(
        scope,
        "BlocksWrites",
        watches=domain,
        measure=metric("AWS/ES ClusterIndexWritesBlocked", dimensions=dimensions, statistic="Maximum"),
        threshold=0,
    )
    Alarm(
        scope,
        "IsNearlyFull",
        watches=domain,
        measure=metric("AWS/ES FreeStorageSpace", dimensions=dimensions, statistic="Minimum"),
        threshold=settings.volume_gib * 1024 * FREE_STORAGE_ALARM_SHARE,  # MiB, as the metric
        rings="below",
    )
    Alarm(
        scope,
        "IsShortOfMemory",
        watches=domain,
        measure=metric("AWS/ES JVMMemoryPressure", dimensions=dimensions, statistic="Maximum"),
        threshold=HEAP_ALARM_PERCENT,
    )
    # The service replaces a lost node by itself; a change of the domain runs with more of them for a while.
    Alarm(
        scope,
        "LacksNodes",
        watches=domain,
        measure=metric("AWS/ES Nodes", dimensions=dimensions, statistic="Maximum"),
        threshold=settings.instance_count,
        rings="below",
        minutes=LASTING,
    )
    Alarm(
        scope,
        "TakesNoSnapshots",
        watches=domain,
        measure=metric("AWS/ES AutomatedSnapshotFailure", dimensions=dimensions, statistic="Maximum"),
        threshold=MISSED_SNAPSHOTS_ALARM,
    )
    return is_red
