"""A function that fails is seen: its log ends at some time, and an alarm watches errors and throttles."""

from collections.abc import Iterator

from stacks.policy_checks.assembly import CheckedAssembly, CheckedResource
from stacks.policy_checks.rule import PolicyCheck, Violation

FUNCTION = "AWS::Lambda::Function"
LOG_GROUP = "AWS::Logs::LogGroup"
ALARM = "AWS::CloudWatch::Alarm"
WATCHED = ("Errors", "Throttles")


def _logs_for_ever(assembly: CheckedAssembly) -> Iterator[Violation]:
    for group in assembly.of_type(LOG_GROUP):
        if not group.properties.get("RetentionInDays"):
            yield Violation(on=group, detail="RetentionInDays")
    for function in assembly.of_type(FUNCTION):
        if not any(_is_log_of(group, function) for group in assembly.of_type(LOG_GROUP)):
            yield Violation(on=function, detail="LoggingConfig.LogGroup")


def _is_log_of(group: CheckedResource, function: CheckedResource) -> bool:
    if group.stack != function.stack:
        return False
    named = function.at("LoggingConfig.LogGroup")
    return group.is_named_by(named or f"/aws/lambda/{function.name}")


def _unwatched(assembly: CheckedAssembly) -> Iterator[Violation]:
    for function in assembly.of_type(FUNCTION):
        for metric in WATCHED:
            if not any(_watches(alarm, metric, function) for alarm in assembly.of_type(ALARM)):
                yield Violation(on=function, detail=metric)


def _watches(alarm: CheckedResource, metric: str, function: CheckedResource) -> bool:
    """Directly or in an expression. An alarm sees the metrics of its own region only, and one whose actions
    are off notifies nobody."""
    if alarm.region != function.region or alarm.properties.get("ActionsEnabled") is False:
        return False
    queries = alarm.properties.get("Metrics") or []
    in_expression = [query.get("MetricStat", {}).get("Metric", {}) for query in queries]
    return any(
        watched.get("Namespace") == "AWS/Lambda"
        and watched.get("MetricName") == metric
        and any(
            dimension.get("Name") == "FunctionName" and function.is_named_by(dimension.get("Value"))
            for dimension in watched.get("Dimensions") or []
        )
        for watched in (alarm.properties, *in_expression)
    )


LOG_RETENTION = PolicyCheck(
    id="LogRetention",
    says="A log is kept for ever, or Lambda would make one that is",
    advice="Give the function a NamedLogGroup (stacks/constructs/log_group.py) with "
    "settings.log_retention_days; ServiceFunction does.",
    check=_logs_for_ever,
)
FUNCTION_ALARM = PolicyCheck(
    id="FunctionAlarm",
    says="No alarm watches this of the function",
    advice="Build FunctionAlarms (stacks/monitoring/function_alarms.py) beside the function.",
    check=_unwatched,
)
