"""Alarms of the OpenSearch domain: red, short of nodes, memory or storage, blocking writes, no snapshots.

Which, and from when: OpenSearch Service developer guide, "Recommended CloudWatch alarms".
"""

from functools import partial

from constructs import Construct

from settings.search import SearchSettings
from stacks.monitoring.alarm import LASTING, Alarm, AlarmDefinition
from stacks.monitoring.hops import OPENSEARCH
from stacks.monitoring.measure import Measure, metric
from stacks.monitoring.silence import BREACHING, notified_by

FREE_STORAGE_ALARM_SHARE = 0.25
"""Of a node's volume, as the guide recommends: below it shards are moved, then writes are blocked."""
HEAP_ALARM_PERCENT = 95
"""Of the Java heap of the fullest node, as the guide recommends."""
MISSED_SNAPSHOTS_ALARM = 0
"""1 means that the service took no snapshot in 36 hours (guide, "Monitoring OpenSearch cluster metrics")."""
RED = "ClusterStatus.red"


def alarm_on_domain(scope: Construct, *, domain: str, account: str, settings: SearchSettings) -> Alarm:
    """domain: its name; account: that owns it, a dimension of its metrics.

    Returns the one that takes the domain's silence for a fault; the domain is silent until it is made.
    """
    of_domain = partial(AlarmDefinition, watches=domain, hop=OPENSEARCH)
    if_it_is_silent = notified_by(RED)

    def reported(name: str, statistic: str = "Maximum") -> Measure:
        dimensions = {"ClientId": account, "DomainName": domain}
        return metric(f"AWS/ES {name}", dimensions=dimensions, statistic=statistic)

    # The service reports the colour every minute. Silence of the domain is as bad as red.
    is_red = Alarm(
        scope,
        "IsRed",
        of_domain(
            measure=reported(RED),
            threshold=0,
            unit="faults",
            shows="The domain is red, as a primary shard has no node, or it is silent.",
            silence=BREACHING,
        ),
    )
    Alarm(
        scope,
        "BlocksWrites",
        of_domain(
            measure=reported("ClusterIndexWritesBlocked"),
            threshold=0,
            unit="faults",
            shows="The domain refuses all writes.",
            silence=if_it_is_silent,
        ),
    )
    Alarm(
        scope,
        "IsNearlyFull",
        of_domain(
            measure=reported("FreeStorageSpace", "Minimum"),
            threshold=settings.volume_gib * 1024 * FREE_STORAGE_ALARM_SHARE,
            breached="below",
            unit="MiB",
            shows="A node of the domain is short of storage.",
            silence=if_it_is_silent,
        ),
    )
    Alarm(
        scope,
        "IsShortOfMemory",
        of_domain(
            measure=reported("JVMMemoryPressure"),
            threshold=HEAP_ALARM_PERCENT,
            unit="%",
            shows="The fullest node of the domain is short of heap.",
            silence=if_it_is_silent,
        ),
    )
    # The service replaces a lost node by itself; a change of the domain runs with more of them for a while.
    Alarm(
        scope,
        "LacksNodes",
        of_domain(
            measure=reported("Nodes"),
            threshold=settings.instance_count,
            breached="below",
            unit="nodes",
            shows="The domain has fewer nodes than it was given.",
            silence=if_it_is_silent,
            evaluation=LASTING,
        ),
    )
    Alarm(
        scope,
        "TakesNoSnapshots",
        of_domain(
            measure=reported("AutomatedSnapshotFailure"),
            threshold=MISSED_SNAPSHOTS_ALARM,
            unit="faults",
            shows="The service has taken no snapshot of the domain for 36 hours.",
            silence=if_it_is_silent,
        ),
    )
    return is_red
