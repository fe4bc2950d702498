"""What holds data, and what counts."""

import re

from cloudformation import at
from operations.review.assessing import FINE, Value, Verdict, elsewhere, fine, less, made, unless, value_rules
from operations.review.findings import Kind

_DOMAIN = "AWS::OpenSearchService::Domain"
_APPLICATION = "AWS::KinesisAnalyticsV2::Application"


def _version(text: object) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(text)))


def _engine_version(value: Value) -> Verdict:
    """OpenSearch Service developer guide, "Upgrading domains": an upgrade cannot be undone."""
    if _version(value.new) > _version(value.old):
        return FINE
    return (
        Kind.FAILS,
        "**The {title} cannot go back from {old} to {new}**: OpenSearch Service makes no engine older in "
        "place. A domain of the older version is a new one, without the counts.",
    )


def _runtime(value: Value) -> Verdict:
    """Managed Service for Apache Flink developer guide, "Upgrading to Flink 2.2": uni-directional."""
    if _version(value.new) > _version(value.old):
        return FINE
    return (
        Kind.FRESH_STATE,
        "**The {title} goes back from {old} to {new}**: a Flink restores no state of a newer one, so it "
        "starts without its state, or not at all.",
    )


def _nodes(value: Value) -> Verdict:
    verdict = less(Kind.INTERRUPTION, "**The {title} carries less: data nodes {old} → {new}.**", absent=1)(
        value
    )
    if isinstance(verdict, tuple) and float(value.new or 1) < 3:
        return (
            Kind.PROTECTION_LOST,
            "**The {title} has {new} data nodes instead of {old}**: losing one loses what has no replica "
            "elsewhere, and two cannot elect a leader without the third.",
        )
    return verdict


def _lifecycle(value: Value) -> Verdict:
    """The review of data compares what rules delete; it does not know every key of a rule."""
    known = {
        *("AbortIncompleteMultipartUpload", "ExpirationDate", "ExpirationInDays", "Id", "Prefix", "Status"),
        *("NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays", "TagFilters"),
    }
    configuration = at(value.change.new, "Properties.LifecycleConfiguration")
    if configuration is None:
        return FINE
    rules = at(configuration, "Rules")
    whole = isinstance(rules, list) and all(
        isinstance(rule, dict) and rule.keys() <= known and rule.get("Status") in ("Enabled", "Disabled")
        for rule in rules
    )
    limits = [
        limit
        for rule in (rules if whole else ())
        for limit in (
            rule.get("ExpirationInDays", 1),
            rule.get("NoncurrentVersionExpirationInDays", 1),
            at(rule, "NoncurrentVersionExpiration.NoncurrentDays")
            if "NoncurrentVersionExpiration" in rule
            else 1,
        )
    ]
    return FINE if whole and all(isinstance(limit, int) and limit > 0 for limit in limits) else None


def _mirror(value: Value) -> Verdict:
    """What a custom resource has only to notice that something else changes."""
    return FINE if value.old is not None and value.new is not None else None


def _numbers(value: Value) -> Verdict:
    """Of which another part of the review tells what less does."""
    return FINE if all(isinstance(side, int | None) for side in (value.old, value.new)) else None


def _names(value: Value) -> Verdict:
    """A property of the application that names something of ours."""
    if made(value.changes.old, value.change.stack.name, value.old) is None:
        return None
    return elsewhere(Kind.BROKEN, "**The {title} reads or writes something else**")(value)


STORES = value_rules(
    {
        "AWS::S3::Bucket": {
            "LifecycleConfiguration*": _lifecycle,
        },
        _DOMAIN: {
            "ClusterConfig.InstanceCount": _nodes,
            "ClusterConfig.InstanceType": _mirror,  # cost and headroom tell
            "ClusterConfig.ZoneAwarenessConfig.AvailabilityZoneCount": less(
                Kind.PROTECTION_LOST,
                "**The {title} stands in {new} availability zones instead of {old}**: fewer can fail before "
                "counts are unavailable or lost.",
                absent=1,
            ),
            "ClusterConfig.ZoneAwarenessEnabled": unless(
                True,
                kind=Kind.PROTECTION_LOST,
                text="**The {title} may put a count and its replica in the same availability zone**, which "
                "can fail as a whole.",
            ),
            "EBSOptions.VolumeSize": less(
                Kind.PROTECTION_LOST,
                "**The {title} has smaller volumes**: {old} → {new} GiB a node. Where the counts do not fit, "
                "OpenSearch blocks writing.",
            ),
            "EngineVersion": _engine_version,
            "UpdatePolicy.EnableVersionUpgrade": unless(
                True,
                kind=Kind.PROTECTION_LOST,
                text="**The {title} may no longer be upgraded in place**: the next `EngineVersion` replaces "
                "it by an empty one.",
            ),
        },
        _APPLICATION: {
            "RuntimeEnvironment": _runtime,
            (
                "*ParallelismConfiguration.Parallelism*",
                "*.CodeContent.S3ContentLocation.FileKey",
            ): _mirror,  # cost, headroom and the running state tell
            "*EnvironmentProperties.PropertyGroups*": _names,
            "*.RollbackEnabled": unless(
                True,
                kind=Kind.PROTECTION_LOST,
                text="**The {title} is no longer rolled back** when a release cannot start.",
            ),
        },
        "AWS::Kinesis::Stream": {
            "RetentionPeriodHours": _numbers,
            "StreamModeDetails.StreamMode": unless(
                "ON_DEMAND",
                kind=Kind.INTERRUPTION,
                text="**The {title} no longer follows the traffic**: what its shards do not take is refused.",
            ),
        },
        "Custom::SearchBootstrap": {
            "Replicas": less(
                Kind.PROTECTION_LOST,
                "**Indices made from now on keep {new} copies beside each count, until now {old}**: with "
                "none, a lost node takes its counts along.",
            ),
            "RetentionDays": _numbers,  # what is shorter, data tells
        },
        "Custom::*": {
            ("Configuration*", "Definitions", "Deployed"): _mirror,
            "StateGeneration": _mirror,
            "Operators*": fine,  # the running state tells
        },
    }
)
