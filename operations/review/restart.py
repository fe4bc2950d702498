"""What a restart of the analytics application keeps: its state, where it takes snapshots."""

from collections.abc import Mapping
from typing import Any

from cloudformation import at
from lambdas.application_lifecycle.configuration import LIFECYCLE_RESOURCE
from lambdas.application_lifecycle.state import state_change
from operations.review.assembly import Assembly

SOURCE_STREAM = "clicks/stream.arn"
APPLICATION = "AWS::KinesisAnalyticsV2::Application"
_SNAPSHOTS = "Properties.ApplicationConfiguration.ApplicationSnapshotConfiguration.SnapshotsEnabled"

# Managed Service for Apache Flink developer guide, "Maintenance": 10 to 30 seconds for a restart of the job,
# more with large state.
WITH_SNAPSHOT = (
    "The application stops with a snapshot and starts again. Counts stand still meanwhile (AWS names 10 to "
    "30 seconds for a restart, longer with large state), then catch up: clicks wait in the source stream, "
    "none is lost."
)
# The same guide, "Manage application backups using snapshots": without them an update loses data. Whether the
# update that switches them off, or on, takes one, is documented nowhere.
WITHOUT_SNAPSHOT = (
    "**The application stops without a snapshot and starts again without its state**, as `SnapshotsEnabled` "
    "is not true before or after this change. It reads the source stream from its oldest record; while it "
    "catches up, the counts of what the stream holds are not complete. None becomes smaller, because the "
    "largest wins."
)
DROPPING_STATE = (
    "The application stops with a snapshot and starts again without it, as `analytics.state_generation` is "
    "raised. It reads the source stream from its oldest record; while it catches up, the counts of what the "
    "stream holds are not complete. None becomes smaller, because the largest wins."
)
LEAVING_STATE = (
    "The application stops with a snapshot, is changed, and starts from it **without the state of {}**, "
    "which the new version lacks; with the rest it goes on. Counts stand still meanwhile, then catch up: "
    "clicks wait in the source stream."
)
REFUSED = (
    "**The deployment is refused before the application is touched**: the state of {} would be lost, and no "
    "release gave it up."
)
# Each shard in the source's state is one of a stream: PollingKinesisShardSplitReader of the connector asks
# for the records of `splitState.getStreamArn()`.
FORMER_STREAM = (
    "**The snapshot says where the application stands in the shards of the former stream, and it goes on to "
    "read them**, which its role no longer allows. Raise `analytics.state_generation` with this change; what "
    "was not read from the former stream by then is not counted."
)
NOT_KNOWN = (
    "**What the application keeps of its state is not known**: the properties of its lifecycle are not as "
    "expected."
)


def takes_snapshots(*assemblies: Assembly) -> bool:
    """Whether every analytics application in them does."""
    return all(
        at(resource, _SNAPSHOTS) in (True, "true")
        for assembly in assemblies
        for stack in assembly.stacks
        for resource in stack.resources.values()
        if resource["Type"] == APPLICATION
    )


def restart(old: Assembly, new: Assembly) -> str:
    """What happens to the application when it changes from one to the other."""
    if not takes_snapshots(old, new):
        return WITHOUT_SNAPSHOT
    before, after = _lifecycles(old), _lifecycles(new)
    try:
        told = [_said(before[which], after[which]) for which in before.keys() & after.keys()]
    except (AttributeError, KeyError, TypeError, ValueError):
        return NOT_KNOWN
    return next(filter(None, told), WITH_SNAPSHOT)


def _said(former: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    change = state_change(former, now)
    if change.dropped:
        return DROPPING_STATE
    if change.unnamed:
        return REFUSED.format(", ".join(f"`{name}`" for name in change.unnamed))
    if change.left_behind:
        return LEAVING_STATE.format(", ".join(f"`{name}`" for name in change.left_behind))
    streams = [version.get("Configuration", {}).get(SOURCE_STREAM) for version in (former, now)]
    return FORMER_STREAM if streams[0] != streams[1] else None


def _lifecycles(assembly: Assembly) -> dict[tuple[str, str], Mapping[str, Any]]:
    """By stack and logical id, the properties of what starts the application."""
    return {
        (stack.name, logical_id): resource.get("Properties") or {}
        for stack in assembly.stacks
        for logical_id, resource in stack.resources.items()
        if resource["Type"] == LIFECYCLE_RESOURCE
    }
