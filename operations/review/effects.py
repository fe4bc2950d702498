"""What an update in place does while it runs: what is late, slower or away, and for how long as far as AWS
says.

A property that stands in no rule here is reported as not understood.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from operations.review.alarms import TYPES as ALARMS
from operations.review.assembly import Assembly
from operations.review.data import LOGS, made_anew
from operations.review.differences import AssetChange, Differences, ResourceChange, ValueChange
from operations.review.display_names import DASHBOARD
from operations.review.findings import Finding, Kind
from operations.review.restart import restart
from operations.review.stream_consumers import reader_replaced
from stacks.policy_checks.holds_data import HOLDS_DATA

# OpenSearch Service developer guide, "Making configuration changes": a second set of nodes is built, data is
# copied, and requests move over without loss; it may take longer "depending on the cluster size".
_BLUE_GREEN = (
    "OpenSearch Service builds a second set of nodes and copies the data (blue/green). The domain answers "
    "all the while, but slower, and no other change of it can start. AWS gives no duration: it grows with "
    "the data."
)
_FIREHOSE = (
    "Firehose takes the change over within minutes and goes on delivering; what it has buffered goes the old "
    "way."
)
_NO_PAUSE = "Takes effect without a pause."

_Text = str | Callable[[Assembly, Assembly], str]


@dataclass(frozen=True, kw_only=True)
class _Effect:
    """paths: patterns below Properties; text: what happens, or what says it of the assemblies."""

    type: str
    paths: tuple[str, ...]
    text: _Text
    kind: Kind = Kind.NOTE


_EFFECTS = (
    _Effect(
        type="AWS::OpenSearchService::Domain",
        paths=("ClusterConfig*", "EBSOptions.VolumeType", "EBSOptions.EBSEnabled", "AdvancedOptions*"),
        text=_BLUE_GREEN,
        kind=Kind.INTERRUPTION,
    ),
    _Effect(
        type="AWS::OpenSearchService::Domain",
        paths=("EBSOptions.VolumeSize", "EBSOptions.Iops", "EBSOptions.Throughput"),
        text="Done in place where it can be. A smaller volume, or a second change within six hours, needs a "
        "second set of nodes (blue/green).",
        kind=Kind.INTERRUPTION,
    ),
    _Effect(
        type="AWS::OpenSearchService::Domain",
        paths=("EngineVersion",),
        text=f"An upgrade, which cannot be undone and takes a snapshot first. {_BLUE_GREEN}",
        kind=Kind.INTERRUPTION,
    ),
    _Effect(
        type="AWS::KinesisAnalyticsV2::Application",
        paths=("ApplicationConfiguration*", "RuntimeEnvironment", "ServiceExecutionRole"),
        text=restart,
        kind=Kind.INTERRUPTION,
    ),
    _Effect(
        type="AWS::KinesisFirehose::DeliveryStream",
        paths=("*DestinationConfiguration*", "KinesisStreamSourceConfiguration*"),
        text=_FIREHOSE,
    ),
    # Kinesis API reference, UpdateStreamMode: twice in 24 hours.
    _Effect(
        type="AWS::Kinesis::Stream",
        paths=("StreamModeDetails*",),
        text="The stream can be written and read while its mode changes, which is allowed twice in 24 hours.",
    ),
    _Effect(type="AWS::Kinesis::Stream", paths=("RetentionPeriodHours",), text=_NO_PAUSE),
    _Effect(
        type="AWS::Lambda::Function",
        paths=(
            "Code*",
            "MemorySize",
            "Timeout",
            "Environment*",
            "Runtime",
            "Architectures*",
            "Handler",
            "EphemeralStorage*",
            "LoggingConfig*",
        ),
        text="Running invocations finish as they are; the next ones begin with a cold start.",
    ),
    _Effect(
        type="AWS::Lambda::Function",
        paths=("ReservedConcurrentExecutions",),
        text="Takes effect at once: invocations beyond it are throttled and retried.",
    ),
    _Effect(
        type="AWS::Lambda::EventSourceMapping",
        paths=("*",),
        text="Reading pauses for up to a few minutes, then goes on where it was; records wait in the stream.",
        kind=Kind.INTERRUPTION,
    ),
    _Effect(type=LOGS, paths=("RetentionInDays",), text=_NO_PAUSE),
    _Effect(
        type="AWS::S3::Bucket",
        paths=("LifecycleConfiguration*", "VersioningConfiguration*", "NotificationConfiguration*", "Tags*"),
        text=_NO_PAUSE,
    ),
    _Effect(
        type=DASHBOARD,
        paths=("DashboardBody",),
        text="Only graphs change, no metric and no alarm. The diff below shows each graph.",
    ),
    _Effect(
        type="Custom::SearchBootstrap",
        paths=("*",),
        text="The pipeline, the index template and the retention policy are put into the domain again.",
    ),
    _Effect(
        type="Custom::ApplicationPause",
        paths=("*",),
        text="The application is stopped before a change only where its new version cannot read all state.",
    ),
    _Effect(
        type="Custom::ApplicationLifecycle",
        paths=("*",),
        text="The application is started if it is not running.",
    ),
)
_TOLD_ELSEWHERE = {*HOLDS_DATA, *ALARMS, LOGS, "AWS::Logs::LogStream", "AWS::S3::BucketPolicy"}
_WORKING = {
    *("AWS::Events::Rule", "AWS::KinesisFirehose::DeliveryStream", "AWS::Lambda::EventInvokeConfig"),
    *("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Lambda::Permission"),
    *("AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::Scheduler::Schedule"),
    *("Custom::ApplicationLifecycle", "Custom::ApplicationPause", "Custom::SearchBootstrap"),
}
"""Without one of these, something on the path of a click, or of an alarm, ends."""
_MIRRORED = {"Configuration", "Definitions", "Deployed"}
"""What custom resources have only to notice that something else changes."""
_WITHOUT_VALUES = {"DashboardBody"}
"""Pages of JSON, of which a line shows nothing."""

_CODE: dict[str, tuple[Kind, _Text]] = {
    "AWS::KinesisAnalyticsV2::Application": (Kind.INTERRUPTION, restart),
    "AWS::Lambda::Function": (
        Kind.NOTE,
        "Running invocations finish as they are; the next ones run the new code.",
    ),
}


def update_findings(changes: Differences) -> Iterator[Finding]:
    """How changed values are put in place. What the new values do, review.rules tells."""
    for change in changes.resources:
        if change.old is not None and change.new is not None:
            yield from _updated(changes, change)


def effect_findings(changes: Differences) -> Iterator[Finding]:
    for change in changes.resources:
        if change.old is not None and change.new is not None:
            yield from _shards(change)
        replaced_reader = list(reader_replaced(change))
        yield from replaced_reader
        if not replaced_reader and change.type not in _TOLD_ELSEWHERE:
            yield from _gone_or_replaced(changes, change)
    for asset in changes.assets:
        yield from _code(changes, asset)


def understood(change: ResourceChange, value: ValueChange) -> bool:
    """Whether it is known how this value is put in place."""
    return value.path.startswith("DependsOn") or _effect(change, value) is not None


def _gone_or_replaced(changes: Differences, change: ResourceChange) -> Iterator[Finding]:
    covers = (change.place(),)
    if change.gone and change.type.startswith("AWS::IAM::"):
        yield Finding(kind=Kind.NOTE, text=f"The {change.title} is deleted.", covers=covers)
    elif change.gone and change.type in _WORKING and not made_anew(changes, change):
        yield Finding(
            kind=Kind.BROKEN,
            text=f"**The {change.title} is deleted**: what it does in {change.stack.title} ends.",
            covers=covers,
        )
    elif change.gone:
        yield Finding(
            kind=Kind.INTERRUPTION,
            text=f"**The {change.title} is deleted**: what it does in {change.stack.title} ends.",
            covers=covers,
        )
    elif change.old is not None and change.replaced:
        causes = ", ".join(f"`{value.name}`" for value in change.replacing())
        verb = (
            "is replaced by a new one" if change.impact == "WILL_REPLACE" else "may be replaced by a new one"
        )
        yield Finding(
            kind=Kind.INTERRUPTION,
            text=f"**The {change.title} {verb}**{f': {causes} cannot change in place' if causes else ''}.",
            details=("The new one is made first, then what uses it is moved, then the old one is deleted.",),
            covers=covers,
        )


def _updated(changes: Differences, change: ResourceChange) -> Iterator[Finding]:
    """One sentence for all values of a resource that do the same."""
    by_effect: dict[_Effect, list[ValueChange]] = {}
    mirrored: list[ValueChange] = []
    for value in change.values:
        if change.type.startswith("Custom::") and value.property in _MIRRORED:
            mirrored.append(value)
        elif value not in change.replacing() and (effect := _effect(change, value)):
            by_effect.setdefault(effect, []).append(value)
    if mirrored:
        yield Finding(
            kind=Kind.NOTE,
            text=f"The {change.title} runs again, because what it depends on changes.",
            covers=tuple(change.place(value.path) for value in mirrored),
        )
    for effect, values in by_effect.items():
        yield Finding(
            kind=effect.kind,
            text=f"{_changed(change, values)}.",
            details=(_said(effect.text, changes),),
            covers=tuple(change.place(value.path) for value in values),
        )


def _changed(change: ResourceChange, values: list[ValueChange], most: int = 3) -> str:
    parts = [
        f"{value.shown}" if value.property not in _WITHOUT_VALUES else f"another `{value.property}`"
        for value in values[:most]
    ]
    if len(values) > most:
        parts.append(f"{len(values) - most} more values")
    return f"The {change.title}: {', '.join(parts)}"


def _effect(change: ResourceChange, value: ValueChange) -> _Effect | None:
    path = value.name
    if path == value.path:
        return None
    return next(
        (
            effect
            for effect in _EFFECTS
            if effect.type == change.type and any(fnmatchcase(path, pattern) for pattern in effect.paths)
        ),
        None,
    )


def _shards(change: ResourceChange) -> Iterator[Finding]:
    """Kinesis API reference, UpdateShardCount: at most double or half in one step, ten times in 24 hours."""
    value = change.value("Properties.ShardCount")
    if change.type != "AWS::Kinesis::Stream" or value is None:
        return
    covers = (change.place(value.path),)
    if not isinstance(value.old, int) or not isinstance(value.new, int):
        yield Finding(
            kind=Kind.NOTE,
            text=f"The {change.title}: shards {_shard_word(value.old)} → {_shard_word(value.new)}.",
            covers=covers,
        )
        return
    if value.new > 2 * value.old or value.new * 2 < value.old:
        yield Finding(
            kind=Kind.FAILS,
            text=f"**The deployment of {change.stack.title} will fail: the {change.title} cannot go from "
            f"{value.old} to {value.new} shards in one step**; Kinesis allows at most double and at least "
            "half.",
            details=(f"Deploy {value.old * 2 if value.new > value.old else -(-value.old // 2)} first.",),
            covers=covers,
        )
        return
    yield Finding(
        kind=Kind.NOTE,
        text=f"The {change.title} is resharded from {value.old} to {value.new} shards.",
        details=(
            "Producers and consumers go on meanwhile. It takes a few minutes, at most ten times in 24 hours. "
            "Consumers finish the old shards first, so nothing is lost or skipped.",
        ),
        covers=covers,
    )


def _shard_word(value: Any) -> str:
    return "on demand" if value is None else str(value)


def _said(text: _Text, changes: Differences) -> str:
    return text if isinstance(text, str) else text(changes.old, changes.new)


def _code(changes: Differences, asset: AssetChange) -> Iterator[Finding]:
    files = ", ".join(f"`{file}`" for file in asset.files[:6])
    more = f" and {len(asset.files) - 6} more" if len(asset.files) > 6 else ""
    for title, kind in asset.users:
        if kind in _CODE:
            finding_kind, text = _CODE[kind]
            yield Finding(
                kind=finding_kind,
                text=f"The {title} gets new code: {files or 'its package'}{more}.",
                details=(_said(text, changes),),
            )
