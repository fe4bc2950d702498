"""What a restart of the analytics application keeps: its state, where it takes snapshots."""

from review.assembly import Assembly

APPLICATION = "AWS::KinesisAnalyticsV2::Application"
LIFECYCLE = "Custom::ApplicationLifecycle"

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


def takes_snapshots(*assemblies: Assembly) -> bool:
    """Whether every analytics application in them does."""
    return all(
        _enabled(resource.get("Properties"))
        for assembly in assemblies
        for stack in assembly.stacks
        for resource in stack.resources.values()
        if resource["Type"] == APPLICATION
    )


def restart(old: Assembly, new: Assembly) -> str:
    """What happens to the application when it changes from one to the other."""
    if not takes_snapshots(old, new):
        return WITHOUT_SNAPSHOT
    before = _generations(old)
    raised = any(before.get(which, 0) < generation for which, generation in _generations(new).items())
    return DROPPING_STATE if before and raised else WITH_SNAPSHOT


def _generations(assembly: Assembly) -> dict[tuple[str, str], int]:
    """By stack and logical id, of what starts the application."""
    return {
        (stack.name, logical_id): int(generation)
        for stack in assembly.stacks
        for logical_id, resource in stack.resources.items()
        if resource["Type"] == LIFECYCLE
        for generation in [str((resource.get("Properties") or {}).get("StateGeneration"))]
        if generation.isdecimal()
    }


def _enabled(value: object) -> bool:
    for key in ("ApplicationConfiguration", "ApplicationSnapshotConfiguration", "SnapshotsEnabled"):
        value = value.get(key) if isinstance(value, dict) else None
    return value is True or value == "true"
