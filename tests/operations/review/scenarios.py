"""Typical changes, each between two revisions of `production`."""

import json
from collections.abc import Callable
from typing import Any

from contract.sink import CLICK_COUNTS
from operations.review.revisions import Revision
from tests.operations.review.revision_pairs import RevisionBuilder, Template

Pair = tuple[Revision, Revision]
Scenario = Callable[[RevisionBuilder], Pair]


def find(template: Template, kind: str, contains: str = "") -> tuple[str, dict[str, Any]]:
    """The only resource of a type whose logical id contains a text."""
    ((logical_id, resource),) = [
        (logical_id, resource)
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind and contains in logical_id
    ]
    return logical_id, resource


def _pair(builder: RevisionBuilder, old: dict[str, Any], new: dict[str, Any]) -> Pair:
    return builder.revision("main", **old), builder.revision("this tree", **new)


def nothing(builder: RevisionBuilder) -> Pair:
    return _pair(builder, {}, {})


def shard_count(builder: RevisionBuilder) -> Pair:
    provisioned = {"streams.mode": "provisioned", "streams.mobile_shards": 2, "streams.source_shards": 4}
    return _pair(
        builder, {"settings": provisioned}, {"settings": {**provisioned, "streams.source_shards": 6}}
    )


def shard_count_too_far(builder: RevisionBuilder) -> Pair:
    provisioned = {"streams.mode": "provisioned", "streams.mobile_shards": 2, "streams.source_shards": 4}
    return _pair(
        builder, {"settings": provisioned}, {"settings": {**provisioned, "streams.source_shards": 10}}
    )


def retention(builder: RevisionBuilder) -> Pair:
    return _pair(
        builder,
        {"settings": {"streams.retention_hours": 48}},
        {"settings": {"search.retention_days": 30, "delivery.raw_retention_days": 14}},
    )


def renamed_stream(builder: RevisionBuilder) -> Pair:
    return _pair(builder, {}, {"names": {"source_stream": "click-trends-production-clicks"}})


def stream_renamed_in_oregon_only(builder: RevisionBuilder) -> Pair:
    def rename(templates: dict[str, Template]) -> None:
        _, stream = find(templates["OregonStorage"], "AWS::Kinesis::Stream")
        stream["Properties"]["Name"] = "click-trends-production-clicks"

    return _pair(builder, {}, {"edit": rename})


def wildcard(builder: RevisionBuilder) -> Pair:
    def widen(templates: dict[str, Template]) -> None:
        _, role = find(templates["TokyoIngest"], "AWS::IAM::Role", "WebServerRole")
        statement = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
        statement["Action"] = "kinesis:*"
        statement["Resource"] = "*"

    return _pair(builder, {}, {"edit": widen})


_COUNTS = """SELECT
  FLOOR(event_time TO MINUTE) AS `minute`,
  article_id,
  region,
  COUNT(*) AS clicks
FROM segmented_clicks
GROUP BY
  FLOOR(event_time TO MINUTE),
  article_id,
  region;
"""
"""A text of its own, so that the page stays as it is when the project's columns change."""


def segment_column(builder: RevisionBuilder) -> Pair:
    def counted(_: str) -> str:
        return _COUNTS.replace("  region,\n", "  region,\n  device,\n").replace(
            "  region;", "  region,\n  device;"
        )

    def recorded(text: str) -> str:
        """As `make operators` does it: another key, so new numbers."""
        record = json.loads(text)
        for name, operator in record["operators"].items():
            operator["id"] += record["next"] - 1
            if operator["state"] and name.endswith(f" {CLICK_COUNTS.table}"):
                operator["state"]["key"].append("device VARCHAR(2147483647) NOT NULL")
        return json.dumps({**record, "next": 2 * record["next"] - 1}, indent=2)

    counts = "analytics_sql/50_counts.sql"
    return _pair(
        builder,
        {"files": {counts: lambda _: _COUNTS}},
        {
            "settings": {"analytics.state_generation": 1},
            "code": {
                "Analytics/Code": "50_counts.sql",
                "SearchBootstrap/Lambda/Function/Code": "lambdas/search_bootstrap/definitions.py",
            },
            "files": {"analytics_sql/operators.json": recorded, counts: counted},
        },
    )


def sql_bug_fix(builder: RevisionBuilder) -> Pair:
    return _pair(
        builder,
        {},
        {
            "code": {"Analytics/Code": "30_checked_clicks.sql"},
            "files": {
                "analytics_sql/30_checked_clicks.sql": lambda text: text.replace("> 512", ">= 512"),
            },
        },
    )


def sql_comment(builder: RevisionBuilder) -> Pair:
    return _pair(
        builder,
        {},
        {
            "code": {"Analytics/Code": "50_counts.sql"},
            "files": {"analytics_sql/50_counts.sql": lambda text: f"-- Said better.\n{text}"},
        },
    )


def removed_alarm(builder: RevisionBuilder) -> Pair:
    def remove(templates: dict[str, Template]) -> None:
        storage = templates["OregonStorage"]
        logical_id, _ = find(storage, "AWS::CloudWatch::Alarm", "ReadersAreBehind")
        del storage["Resources"][logical_id]
        _, alarm = find(templates["TokyoIngest"], "AWS::CloudWatch::Alarm", "IsBehind")
        alarm["Properties"]["Threshold"] *= 10

    return _pair(builder, {}, {"edit": remove})


def instance_type(builder: RevisionBuilder) -> Pair:
    return _pair(
        builder,
        {},
        {"settings": {"search.instance_type": "r7g.large.search", "search.volume_gib": 500}},
    )


def parallelism(builder: RevisionBuilder) -> Pair:
    return _pair(builder, {}, {"settings": {"analytics.parallelism": 8}})


def function_code(builder: RevisionBuilder) -> Pair:
    return _pair(builder, {}, {"code": {"Forwarder/Carry/Function/Code": "handler.py"}})


def guest_access(builder: RevisionBuilder) -> Pair:
    return _pair(builder, {}, {"settings": {"mobile_apps.guest_access": True}})


def new_environment(builder: RevisionBuilder) -> Pair:
    return _pair(builder, {"exists": False}, {"only": "TokyoStorage"})


def deleted_bucket(builder: RevisionBuilder) -> Pair:
    def remove(templates: dict[str, Template]) -> None:
        resources = templates["OregonStorage"]["Resources"]
        bucket, _ = find(templates["OregonStorage"], "AWS::S3::Bucket", "RawBucket")
        policy, _ = find(templates["OregonStorage"], "AWS::S3::BucketPolicy", "RawBucket")
        del resources[bucket], resources[policy]

    return _pair(builder, {}, {"edit": remove})


def both_keys(builder: RevisionBuilder) -> Pair:
    return _pair(builder, {}, {"settings": {"allow_destroy": True}, "destroy": True})


def another_logical_id(builder: RevisionBuilder) -> Pair:
    def move(templates: dict[str, Template]) -> None:
        storage = templates["OregonStorage"]
        logical_id, _ = find(storage, "AWS::S3::Bucket", "RawBucket")
        storage["Resources"] = {
            "BackupBucket01234567" if each == logical_id else each: resource
            for each, resource in storage["Resources"].items()
        }
        for resource in storage["Resources"].values():
            if resource["Type"] == "AWS::S3::BucketPolicy" and logical_id in str(resource):
                _point(resource, logical_id, "BackupBucket01234567")

    return _pair(builder, {}, {"edit": move})


def _point(value: Any, old: str, new: str) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        if item == old:
            value[key] = new
        elif isinstance(item, dict | list):
            _point(item, old, new)


def dependencies(builder: RevisionBuilder) -> Pair:
    return _pair(
        builder,
        {
            "files": {
                "requirements.txt": lambda text: f"{text}left-behind==1.0\n",
                "package-lock.json": lambda text: text.replace('"2.1148.1"', '"2.1100.0"'),
                "connectors/pom.xml": lambda text: text.replace("6.1.3", "6.0.0"),
            }
        },
        {},
    )


def a_change_nobody_foresaw(builder: RevisionBuilder) -> Pair:
    def change(templates: dict[str, Template]) -> None:
        storage = templates["OregonStorage"]
        _, domain = find(storage, "AWS::OpenSearchService::Domain")
        domain["Properties"]["OffPeakWindowOptions"] = {"Enabled": True}
        domain["Properties"]["Telepathy"] = "on"
        domain["DependsOn"] = ["SourceStream"]
        storage["Mappings"] = {"ByRegion": {"us-west-2": {"Mood": "good"}}}
        storage["Resources"]["Stranger"] = {"Type": "AWS::Braket::Stranger", "Properties": {"Size": 3}}

    return _pair(builder, {}, {"edit": change})


ALL: tuple[Scenario, ...] = (
    nothing,
    shard_count,
    shard_count_too_far,
    retention,
    renamed_stream,
    stream_renamed_in_oregon_only,
    wildcard,
    segment_column,
    sql_bug_fix,
    sql_comment,
    removed_alarm,
    instance_type,
    parallelism,
    function_code,
    guest_access,
    new_environment,
    deleted_bucket,
    both_keys,
    another_logical_id,
    dependencies,
    a_change_nobody_foresaw,
)
