"""Prices of what stands around the flow: functions, buckets, tables, logs, alarms, identities."""

import re
from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import Any

from cloudformation import Resource, of_type
from contract.sink import SINKS
from names import REMAINING_DAYS_TAG
from operations.cost.assumptions import (
    ALARM_EMAILS,
    APPLICATION_LOG_GB,
    CHANGED_SHARE,
    COLD_SECONDS,
    CUSTOM_RESOURCE_CALLS,
    DAYS,
    FAILED_SHARE,
    FEEDBACK_METRICS,
    FIREHOSE_WRITERS,
    FORWARDER_LOG_BYTES,
    FORWARDER_METRICS,
    GB,
    GZIP,
    HOURS,
    LOG_COMPRESSION,
    METRICS_ASKED,
    MONTHLY_USERS,
    OTHER_LOG_GB,
    QUERY_ANSWERS_GB,
    QUEUE_REQUESTS,
    RANKED_ARTICLE_BYTES,
    RANKED_SEGMENTS,
    RANKING_ANSWER_BYTES,
    RANKING_BYTES,
    READS_PER_CLICK,
    RECONCILIATION_METRICS,
    RECONCILIATION_RUN_SECONDS,
    REDELIVERY_METRICS,
    REDELIVERY_RUN_SECONDS,
    REPLAY_METRICS,
    REPLAY_RUN_SECONDS,
    SECONDS,
    SEGMENT_FILES_GB,
    SEGMENTS_METRICS,
    SEGMENTS_RUN_SECONDS,
    TABLE_GB,
    UNKNOWN_CALLS,
)
from operations.cost.basis import Basis, monthly, number, only
from operations.cost.clicks import forwarder_calls_a_month
from operations.cost.flows import delivery_flow
from operations.cost.line import Line, Part
from operations.cost.prices import UnpricedError
from operations.cost.range import NOTHING, Range, exactly
from settings.capacity import INVOCATION_SECONDS, REASON_BYTES
from settings.forwarder import ONE_VCPU_MIB
from settings.latency import FEEDBACK_RUN_SECONDS
from settings.measured import FORWARDER_CPU_SECONDS_PER_CLICK, FORWARDER_CPU_SECONDS_PER_RECORD

WRITE_UNIT_BYTES, READ_UNIT_BYTES = 1024, 4096
"""Of DynamoDB; an eventually consistent read, as the service's, costs half."""
Pricing = Callable[[Resource, Basis], Iterator[Line]]
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
FOREVER_DAYS = Range(DAYS, 12 * DAYS)
"""What is never deleted: a month's worth after a month, a year's after a year."""


def function(resource: Resource, basis: Basis) -> Iterator[Line]:
    names = basis.settings.names
    name = resource.properties.get("FunctionName")
    gib = number(resource, "MemorySize", 128) / 1024
    if name == names.forwarder:
        calls = forwarder_calls_a_month(basis)
        share = min(1.0, gib * 1024 / ONE_VCPU_MIB)
        fixed = INVOCATION_SECONDS / share + basis.settings.forwarder.round_trip_milliseconds / 1000
        per_click = (
            FORWARDER_CPU_SECONDS_PER_RECORD / basis.settings.peak.mobile_clicks_per_record
            + FORWARDER_CPU_SECONDS_PER_CLICK
        )
        work = monthly(basis.traffic.mobile_clicks) * (per_click / share)
        seconds = calls * Range(fixed, fixed * 2) + work
        yield basis.line(
            resource, "metric_month", FORWARDER_METRICS, part="monitoring", item="metrics of the forwarder"
        )
    elif name == names.feedback:
        calls = feedback_runs(basis)
        seconds = calls * Range(*FEEDBACK_RUN_SECONDS)
        yield from _feedback(resource, basis)
    elif name == names.redelivery:
        calls = scheduled_calls(resource, basis)
        seconds = calls * REDELIVERY_RUN_SECONDS
        yield basis.line(
            resource, "metric_month", REDELIVERY_METRICS, part="monitoring", item="metrics of the redelivery"
        )
    elif name == names.segments_publisher:
        calls = scheduled_calls(resource, basis)
        seconds = calls * SEGMENTS_RUN_SECONDS
        yield basis.line(
            resource,
            "metric_month",
            SEGMENTS_METRICS,
            part="monitoring",
            item="metrics of the segments publisher",
        )
    elif name == names.reconciliation:
        calls = scheduled_calls(resource, basis)
        seconds = calls * RECONCILIATION_RUN_SECONDS
        yield basis.line(
            resource,
            "metric_month",
            exactly(RECONCILIATION_METRICS),
            part="monitoring",
            item="metrics of the reconciliation",
        )
    elif name == names.replay:
        calls = scheduled_calls(resource, basis)
        seconds = calls * REPLAY_RUN_SECONDS
        yield basis.line(
            resource, "metric_month", REPLAY_METRICS, part="monitoring", item="metrics of the replay"
        )
    else:
        known = name in {names.application_lifecycle, names.search_bootstrap}
        calls = CUSTOM_RESOURCE_CALLS if known else UNKNOWN_CALLS
        longest = min(COLD_SECONDS.high, number(resource, "Timeout", 3))
        seconds = calls * Range(min(COLD_SECONDS.low, longest), longest)
    [processor] = resource.properties.get("Architectures", ["x86_64"])
    parts: dict[object, Part] = {
        names.forwarder: "forwarder",
        names.feedback: "serving",
        names.redelivery: "delivery",
        names.segments_publisher: "application",
    }
    part = parts.get(name, "other")
    yield basis.line(resource, "lambda_request", calls, part=part, item="invocations")
    yield basis.line(resource, f"lambda_{processor}_second", seconds * gib, part=part, item="memory and time")


def scheduled_calls(resource: Resource, basis: Basis) -> Range:
    """Invocations a month of a function by the rules of its stack."""
    calls = 0.0
    for rule in of_type(basis.resources, "AWS::Events::Rule"):
        if rule.stack != resource.stack or rule.properties.get("State") == "DISABLED":
            continue
        if not any(resource.is_meant_by(target.get("Arn")) for target in rule.properties.get("Targets", [])):
            continue
        schedule = _RATE.fullmatch(str(rule.properties.get("ScheduleExpression")))
        if not schedule:
            raise UnpricedError(
                f"Nothing tells how often the rule {rule.name or rule.logical_id} fires: "
                "add its schedule to operations/cost/supporting.py"
            )
        calls += SECONDS / (int(schedule[1]) * _UNIT_SECONDS[schedule[2]])
    return exactly(calls)


def _feedback(resource: Resource, basis: Basis) -> Iterator[Line]:
    """What its runs cost beside their time."""
    answer = RANKED_SEGMENTS * RANKING_ANSWER_BYTES * basis.settings.feedback.articles
    yield basis.line(
        resource,
        "transfer_to_other_region",
        answer * feedback_runs(basis) * (1 / GB),
        part="transfer",
        item="answers to the feedback in Tokyo",
        region=basis.settings.regions.oregon,
    )
    yield basis.line(
        resource,
        "metric_month",
        exactly(FEEDBACK_METRICS),
        part="monitoring",
        item="metrics of the feedback",
    )
    yield basis.line(
        resource,
        "metric_request",
        METRICS_ASKED * feedback_runs(basis),
        part="monitoring",
        item="metrics that tell what was read",
        region=basis.settings.regions.oregon,
    )


def bucket(resource: Resource, basis: Basis) -> Iterator[Line]:
    names, traffic = basis.settings.names, basis.traffic
    kept = _kept_days(resource)
    rejected_bytes = traffic.click_bytes + REASON_BYTES
    contents: dict[object, tuple[Range, list[str]]] = {
        names.raw_bucket: (
            traffic.clicks * traffic.click_bytes * GZIP,
            [names.raw_backup_delivery_stream],
        ),
        names.rejected_bucket: (
            traffic.rejects * rejected_bytes * GZIP + traffic.counts * FAILED_SHARE * rejected_bytes,
            [names.rejects_delivery_stream],
        ),
        names.dead_letter_bucket: (traffic.mobile_clicks * FAILED_SHARE * traffic.click_bytes, []),
        names.segments_bucket: (NOTHING, []),
        names.query_results_bucket: (NOTHING, []),
    }
    name = resource.properties.get("BucketName")
    if name not in contents:
        raise UnpricedError(
            f"Nothing tells what is put into the bucket {name}: add it to operations/cost/supporting.py"
        )
    bytes_per_second, writers = contents[name]
    stored = bytes_per_second * kept * (24 * 3600 / GB)
    puts = exactly(0)
    for writer in writers:
        puts += _objects(writer, basis)
    if name == names.rejected_bucket:
        puts += _calls_of(names.redelivery, basis) * (2 * len(SINKS))
    if name == names.segments_bucket:
        stored = SEGMENT_FILES_GB
        looks = SECONDS / basis.settings.analytics.segments_check_seconds
        puts = Range(looks, looks * _task_managers(basis)) + _calls_of(names.segments_publisher, basis)
    if name == names.query_results_bucket:
        stored = QUERY_ANSWERS_GB
    yield basis.line(resource, "s3_month", stored, part="storage", item="objects")
    yield basis.line(resource, "s3_put", puts, part="storage", item="puts and lists")


def _calls_of(function_name: str, basis: Basis) -> Range:
    """By the rules of its stack; each lists the bucket."""
    calls = exactly(0)
    for function_ in of_type(basis.resources, "AWS::Lambda::Function"):
        if function_.properties.get("FunctionName") == function_name:
            calls += scheduled_calls(function_, basis)
    return calls


def _for_rewritten(rule: Mapping[str, Any]) -> bool:
    """Whether it gives what an erasure rewrites, which is little, the rest of its life."""
    tags = rule.get("TagFilters", [])
    return bool(tags) and all(tag["Key"] == REMAINING_DAYS_TAG for tag in tags)


def _kept_days(resource: Resource) -> Range:
    rules = resource.properties.get("LifecycleConfiguration", {}).get("Rules", [])
    days = [
        (rule["ExpirationInDays"], bool(rule.get("Prefix") or rule.get("TagFilters")))
        for rule in rules
        if "ExpirationInDays" in rule and rule.get("Status") == "Enabled" and not _for_rewritten(rule)
    ]
    for_all = [until for until, in_part in days if not in_part]
    if not days:
        return FOREVER_DAYS
    # What holds for a part only may hold for everything, or for nothing.
    return Range(min(until for until, _ in days), min(for_all) if for_all else FOREVER_DAYS.high)


def _objects(delivery_stream: str, basis: Basis) -> Range:
    """Objects a month: one whenever the buffer's time or size is reached, for each writer."""
    stream = only(
        [
            stream
            for stream in of_type(basis.resources, "AWS::KinesisFirehose::DeliveryStream")
            if stream.properties.get("DeliveryStreamName") == delivery_stream
        ],
        f"delivery stream {delivery_stream}",
    )
    hints = "ExtendedS3DestinationConfiguration.BufferingHints"
    flow = delivery_flow(delivery_stream, basis)
    by_size = monthly(flow.bytes_per_second) * (1 / (number(stream, f"{hints}.SizeInMBs") * 1024**2))
    by_time = SECONDS / number(stream, f"{hints}.IntervalInSeconds")
    fewest = min(by_time, monthly(flow.records_per_second).low)
    return Range(max(by_size.low, fewest), max(by_size.high, by_time)) * FIREHOSE_WRITERS


def _task_managers(basis: Basis) -> int:
    analytics = basis.settings.analytics
    return -(-analytics.parallelism // analytics.parallelism_per_kpu)


def log_group(resource: Resource, basis: Basis) -> Iterator[Line]:
    names = basis.settings.names
    name = str(resource.properties.get("LogGroupName", ""))
    written = OTHER_LOG_GB
    if name.endswith(f"/{names.application}"):
        written = APPLICATION_LOG_GB
    for forwarder in of_type(basis.resources, "AWS::Lambda::Function"):
        if (
            name == f"/aws/lambda/{names.forwarder}"
            and forwarder.properties.get("FunctionName") == names.forwarder
        ):
            written = forwarder_calls_a_month(basis) * FORWARDER_LOG_BYTES * (1 / GB)
    months = number(resource, "RetentionInDays", 12 * DAYS) / DAYS
    yield basis.line(resource, "logs_in", written, part="monitoring", item="log written")
    yield basis.line(
        resource, "logs_month", written * LOG_COMPRESSION * months, part="monitoring", item="log kept"
    )


def alarm(resource: Resource, basis: Basis) -> Iterator[Line]:
    queries = resource.properties.get("Metrics") or []
    metrics = max(1, sum("MetricStat" in query for query in queries))
    yield basis.line(resource, "alarm_month", exactly(metrics), part="monitoring", item="alarm")


def table(resource: Resource, basis: Basis) -> Iterator[Line]:
    """Of rankings. What is unchanged is written again after `refresh_minutes`; each run reads every item."""
    name = resource.properties.get("TableName")
    if name != basis.settings.names.trending_table:
        raise UnpricedError(
            f"Nothing tells what is written to the table {name}: add it to operations/cost/supporting.py"
        )
    feedback = basis.settings.feedback
    size = RANKING_BYTES + RANKED_ARTICLE_BYTES * feedback.articles
    refreshed = min(1.0, feedback.period_minutes / feedback.refresh_minutes)
    written = Range(max(CHANGED_SHARE.low, refreshed), max(CHANGED_SHARE.high, refreshed))
    writes = RANKED_SEGMENTS * written * _units(size, WRITE_UNIT_BYTES) * feedback_runs(basis)
    scanned = RANKED_SEGMENTS * size * (1 / READ_UNIT_BYTES) * feedback_runs(basis)
    served = monthly(basis.traffic.clicks) * READS_PER_CLICK * _units(size, READ_UNIT_BYTES) * 0.5
    for price, quantity, item in (
        ("dynamodb_write", writes, "rankings written"),
        ("dynamodb_read", scanned, "rankings compared"),
        ("dynamodb_read", served, "rankings read by the service"),
        ("dynamodb_month", TABLE_GB, "items and their recovery"),
    ):
        yield basis.line(resource, price, quantity, part="serving", item=item)


def _units(size: Range, unit_bytes: int) -> Range:
    return Range(ceil(size.low / unit_bytes), ceil(size.high / unit_bytes))


def feedback_runs(basis: Basis) -> Range:
    """A month."""
    return exactly(HOURS * 60 / basis.settings.feedback.period_minutes)


def schedule(resource: Resource, basis: Basis) -> Iterator[Line]:
    yield basis.line(
        resource, "scheduler_invocation", feedback_runs(basis), part="serving", item="invocations"
    )


def each(price: str, quantity: Range, *, item: str, part: Part = "monitoring") -> Pricing:
    """A resource that costs the same whatever flows: a dashboard, a key."""

    def pricing(resource: Resource, basis: Basis) -> Iterator[Line]:
        yield basis.line(resource, price, quantity, part=part, item=item)

    return pricing


user_pool = each("cognito_user_month", MONTHLY_USERS, item="readers that log in", part="other")
topic = each("sns_email", ALARM_EMAILS, item="e-mails of alarms")
queue = each("sqs_request", QUEUE_REQUESTS, item="requests", part="other")
dashboard = each("dashboard_month", exactly(1), item="dashboard")
composite_alarm = each("composite_alarm_month", exactly(1), item="composite alarm")
metric_filter = each("metric_month", exactly(1), item="metric of a log")
key = each("kms_key_month", exactly(1), item="key", part="other")
