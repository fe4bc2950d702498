"""Functions, what invokes them, and what they are told."""

import re

from cloudformation import at
from operations.review.assessing import (
    FINE,
    Assess,
    Value,
    Verdict,
    elsewhere,
    less,
    made,
    more,
    unless,
    value_rules,
)
from operations.review.findings import Kind

_FUNCTION = "AWS::Lambda::Function"
_MAPPING = "AWS::Lambda::EventSourceMapping"
_INVOCATIONS = "AWS::Lambda::EventInvokeConfig"
_RULE, _SCHEDULE = "AWS::Events::Rule", "AWS::Scheduler::Schedule"
_VARIABLES = "Environment.Variables."


def _variable(value: Value) -> Verdict:
    """One that is gone, or that named something of ours; of any other, the code knows what it means."""
    if value.new is None:
        name = value.path.removeprefix(_VARIABLES)
        return Kind.BROKEN, f"**The {{title}} no longer gets the variable `{name}`**, which its code read."
    if made(value.changes.old, value.change.stack.name, value.old) is None:
        return None
    return elsewhere(Kind.BROKEN, "**The {title} works on something else**")(value)


def _fine_as(pattern: str) -> Assess:
    """A variable that is fine as long as its value is one; else as any other."""
    return lambda value: FINE if re.fullmatch(pattern, str(value.new)) else _variable(value)


_fine_number = _fine_as(r"\d+(\.\d+)?")


def _handler(value: Value) -> Verdict:
    """Whether the code has the handler; not assessed where the code is not to be seen."""
    key = str(at(value.change.new, "Properties.Code.S3Key"))
    stack = value.changes.new.get(value.change.stack.name)
    for asset in stack.assets if stack else ():
        if asset.entry_points and f"<asset {asset.title}>" in key:
            if str(value.new).replace("/", ".") in asset.entry_points:
                return FINE
            return (
                Kind.BROKEN,
                "**Each invocation of the {title} fails: its code has no handler {new}.**",
            )
    return None


_PER = {"minute": 1, "minutes": 1, "hour": 60, "hours": 60, "day": 1440, "days": 1440}


def _rate(value: Value) -> Verdict:
    """rate(1 minute) and the like; cron is not assessed."""
    minutes = [
        int(found[1]) * _PER[found[2]]
        if (found := re.fullmatch(rf"rate\((\d+) ({'|'.join(_PER)})\)", str(side)))
        else None
        for side in (value.old, value.new)
    ]
    before, after = minutes
    if before is None or after is None:
        return None
    return (Kind.LATENCY, "**The {title} invokes less often**: {old} → {new}.") if after > before else FINE


def _concurrency(value: Value) -> Verdict:
    if value.new == 0:
        return Kind.BROKEN, "**The {title} is never run: its concurrency is {new}.**"
    unreserved = float("inf")
    return less(
        Kind.INTERRUPTION, "**The {title} runs less often at once**: {old} → {new}.", absent=unreserved
    )(value)


def _patience(value: Value) -> Verdict:
    """How long, or how often, a batch that fails is repeated: -1, and nothing, mean without end."""
    before, after = (_limit(side) for side in (value.old, value.new))
    if after > before:
        return (
            Kind.INTERRUPTION,
            "**The {title} retries a failed batch for longer**: {old} → {new}. Records behind it wait.",
        )
    kept = "what it gives up is in its on-failure destination"
    if not at(value.change.new, "Properties.DestinationConfig.OnFailure.Destination"):
        kept = "what it gives up is lost"
    return Kind.DATA_LOSS, f"**The {{title}} gives up sooner** (`{value.path}` {{old}} → {{new}}): {kept}."


def _limit(value: object) -> float:
    return float("inf") if not isinstance(value, int) or value < 0 else value


def _on_failure(kind: Kind, nothing: str) -> Assess:
    def assess(value: Value) -> Verdict:
        if not value.new:
            return kind, nothing
        return elsewhere(kind, "**The {title} sends what it gives up elsewhere**")(value)

    return assess


def _reports_failures(value: Value) -> Verdict:
    if "ReportBatchItemFailures" in str(value.new):
        return FINE
    return (
        Kind.DATA_LOSS,
        "**The {title} no longer accepts partial failures**: a record returned as failed counts as done.",
    )


def _counts_what_it_reads(value: Value) -> Verdict:
    if "EventCount" in str(value.new):
        return FINE
    return (
        Kind.ALARM_LOST,
        "**The {title} no longer counts what it reads**: the alarms on these metrics watch nothing.",
    )


_INVOKING: dict[str | tuple[str, ...], Assess] = {
    "State": unless(
        "ENABLED", None, kind=Kind.BROKEN, text="**The {title} invokes nothing any more**: it is {new}."
    ),
    "ScheduleExpression": _rate,
}
_TARGET = elsewhere(Kind.BROKEN, "**The {title} invokes something else**")
FUNCTIONS = value_rules(
    {
        _FUNCTION: {
            "Handler": _handler,
            "MemorySize": less(
                Kind.INTERRUPTION,
                "**The {title} has less memory and less of a processor**: {old} → {new} MiB. Its calls take "
                "longer, or end out of memory.",
                absent=128,
            ),
            "Timeout": less(
                Kind.INTERRUPTION,
                "**The {title} is ended after {new} seconds, until now {old}**: an invocation that takes "
                "longer fails.",
                absent=3,
            ),
            "ReservedConcurrentExecutions": _concurrency,
            f"{_VARIABLES}MIN_CLICKS": more(
                Kind.INTERRUPTION,
                "**The {title} ranks only articles with {new} clicks or more, until now {old}**: fewer of "
                "them, or none, reach the service.",
            ),
            f"{_VARIABLES}ARTICLES": less(
                Kind.INTERRUPTION, "**The {title} ranks {new} articles instead of {old}.**"
            ),
            f"{_VARIABLES}GIVE_UP_AFTER_SECONDS": less(
                Kind.DATA_LEFT,
                "**The {title} gives up after {new} seconds, until now {old}**: counts that OpenSearch "
                "refuses for longer stay in the bucket, and are missing until someone puts them again.",
            ),
            f"{_VARIABLES}KEEP_SECONDS": less(
                Kind.DATA_LOSS,
                "**The {title} deletes a past version of the segments {new} seconds after the next one began "
                "to hold, until now {old}**: a replay of older clicks needs it.",
            ),
            f"{_VARIABLES}LEAD_SECONDS": less(
                Kind.REPLAY,
                "**The {title} publishes versions of the segments {new} seconds ahead, until now {old}**: "
                "clicks that a task reads before it has the version count in the one before.",
            ),
            (
                f"{_VARIABLES}MAX_USERS",
                f"{_VARIABLES}MAX_PLAIN_BYTES",
                f"{_VARIABLES}MAX_SHRINK_PERCENT",
            ): less(Kind.INTERRUPTION, "**The {title} refuses more files**: {old} → {new}."),
            f"{_VARIABLES}LEASE_SECONDS": _fine_number,
            (f"{_VARIABLES}RE*_PER_SECOND", f"{_VARIABLES}REQUESTS_IN_FLIGHT"): less(
                Kind.INTERRUPTION, "**The {title} works more slowly**: {old} → {new}."
            ),
            # Of reconciliation, which waits for as long; what else the settings do is told elsewhere.
            (f"{_VARIABLES}ALLOWED_LATENESS_HOURS", f"{_VARIABLES}ARCHIVE_BUFFER_SECONDS"): _fine_number,
            # Of replays, which know from them what they can count; the application has this runtime too.
            (f"{_VARIABLES}KEPT_DAYS", f"{_VARIABLES}LATENESS_HOURS"): _fine_number,
            f"{_VARIABLES}RUNTIME": _fine_as(r"FLINK-\d+_\d+"),
            (f"{_VARIABLES}COUNTS_PER_SECOND", f"{_VARIABLES}PARALLELISM"): less(
                Kind.LATENCY, "**Replays of the {title} take longer**: {old} → {new}."
            ),
            f"{_VARIABLES}MAX_HOURS": less(
                Kind.INTERRUPTION,
                "**The {title} ends a replay after {new} hours, until now {old}**: a longer one fails.",
            ),
            "EphemeralStorage.Size": less(
                Kind.INTERRUPTION,
                "**The {title} has less room for temporary files**: {old} → {new} MiB.",
                absent=512,
            ),
            f"{_VARIABLES}*": _variable,
        },
        _MAPPING: {
            "MaximumBatchingWindowInSeconds": more(
                Kind.LATENCY,
                "**The {title} waits longer for a batch**: {new} seconds, until now {old}.",
                absent=0,
            ),
            ("BatchSize", "ParallelizationFactor"): less(
                Kind.INTERRUPTION, "**The {title} carries less at once**: {old} → {new}.", absent=1
            ),
            "BisectBatchOnFunctionError": unless(
                True,
                kind=Kind.DATA_LOSS,
                text="**The {title} no longer bisects a failed batch**: one record that cannot be carried "
                "makes it give up the whole batch.",
            ),
            "EventSourceArn": elsewhere(
                Kind.DATA_LOSS,
                "**The {title} reads something else, and nothing reads on where it read until now**",
            ),
            ("MaximumRecordAgeInSeconds", "MaximumRetryAttempts"): _patience,
            "DestinationConfig*": _on_failure(
                Kind.DATA_LOSS,
                "**The {title} keeps nothing of what it gives up any more**: its on-failure destination is "
                "gone.",
            ),
            # Lambda developer guide, "Kinesis: filtering".
            "FilterCriteria*": unless(
                None,
                kind=Kind.DATA_LOSS,
                text="**The {title} filters differently**: a record that matches no filter is skipped, and "
                "nothing keeps it.",
            ),
            # The same guide, "Reporting batch item failures".
            "FunctionResponseTypes*": _reports_failures,
            "Enabled": unless(
                True,
                None,
                kind=Kind.DATA_LOSS,
                text="**The {title} stops reading**: records wait in the stream, and are lost when "
                "its retention ends.",
            ),
            "MetricsConfig*": _counts_what_it_reads,
        },
        _INVOCATIONS: {
            "DestinationConfig*": _on_failure(
                Kind.ALARM_LOST,
                "**Failed invocations leave no trace: the {title} has no destination for them.**",
            ),
            ("MaximumEventAgeInSeconds", "MaximumRetryAttempts"): less(
                Kind.INTERRUPTION, "**The {title} gives up a failed invocation sooner**: {old} → {new}."
            ),
        },
        _RULE: {**_INVOKING, "Targets*.Arn": _TARGET},
        _SCHEDULE: {
            **_INVOKING,
            "Target.Arn": _TARGET,
            "Target.DeadLetterConfig*": _on_failure(
                Kind.ALARM_LOST,
                "**Failed invocations leave no trace: the {title} has no destination for them.**",
            ),
        },
    }
)
