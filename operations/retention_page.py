"""The table of docs/reference/retention.md: every store of the templates, and how long it keeps things.

`python -m operations.retention_page` writes that of production. A resource of a kind that nobody has placed
below, or a prefix without a rule, ends it: a new store must state its life.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import names
from lambdas.application_lifecycle.lifecycle import SNAPSHOTS_KEPT
from stacks.app import synthesise

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "retention.md"
DOCUMENTED = "production"
BEGIN, END = "<!-- retention -->", "<!-- end retention -->"

Properties = Mapping[str, Any]
Template = Mapping[str, Any]


class UnstatedLifeError(Exception):
    """A store has no life in the template; the message says which, and what to do."""


class Store(NamedTuple):
    """A row. holds: what in it is a reader's; life: how long; by: what states it."""

    name: str
    holds: str
    life: str
    by: str


CLICKS, IDS, NOTHING = "clicks", "ids", "no id"
_RULE = "lifecycle rule"
_PREFIXES: Mapping[str, Mapping[str, str]] = {
    "raw": {
        names.RAW_PREFIX: CLICKS,
        names.RAW_ERRORS_PREFIX: CLICKS,
        names.ERASED_PREFIX: NOTHING,
        names.REPLAYS_PREFIX: IDS,
    },
    "rejected": {
        names.REJECTED_PREFIX: CLICKS,
        names.REJECTED_ERRORS_PREFIX: CLICKS,
        names.FAILED_DOCUMENTS_PREFIX: NOTHING,
        names.WAITING_DOCUMENTS_PREFIX: NOTHING,
        names.GIVEN_UP_DOCUMENTS_PREFIX: NOTHING,
    },
    "query-results": {names.QUERY_RESULTS_PREFIX: CLICKS},
    "segments": {
        names.SEGMENTS_PREFIX: IDS,
        names.SEGMENTS_CORRECTIONS_PREFIX: IDS,
        names.INCOMING_SEGMENTS_PREFIX: IDS,
        names.REFUSED_SEGMENTS_PREFIX: IDS,
        names.SEGMENTS_RECEIPTS_PREFIX: NOTHING,
        names.STAGED_SEGMENTS_PREFIX: IDS,
    },
    "dead-letters": {
        names.REJECTED_RECORDS_PREFIX: CLICKS,
        names.FAILED_BATCHES_PREFIX: CLICKS,
    },
}
"""Of each bucket, what each prefix holds of a reader."""
_WITHOUT_RULE = {
    names.SEGMENTS_PREFIX: Store(
        "",
        "",
        "until no raw click can need it, then 30 days as a former version",
        "the publisher, lifecycle rule",
    ),
    names.INCOMING_SEGMENTS_PREFIX: Store(
        "", "", "until the publisher decides, within minutes (alarm `UploadAge`)", "the publisher"
    ),
    names.SEGMENTS_CORRECTIONS_PREFIX: Store(
        "", "", "as the version that it corrects", "the publisher, lifecycle rule"
    ),
    names.SEGMENTS_RECEIPTS_PREFIX: Store("", "", "for ever: a name is used once", "nothing deletes it"),
}

STATELESS = frozenset(
    {
        "AWS::CDK::Metadata",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Cognito::IdentityPoolRoleAttachment",
        "AWS::Cognito::UserPoolClient",
        "AWS::Events::Rule",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogStream",
        "AWS::S3::BucketPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
        "Custom::ApplicationLifecycle",
        "Custom::ApplicationPause",
    }
)
"""Kinds of resources that keep nothing of what flows through. What a function is handed waits elsewhere: in
its stream, its queue, or for a minute."""


def _stream(found: Properties) -> Iterator[Store]:
    yield Store(
        f"stream `{found['Name']}`",
        CLICKS,
        _hours(_stated(found, "RetentionPeriodHours")),
        "`RetentionPeriodHours`",
    )


def _bucket(found: Properties) -> Iterator[Store]:
    rules = found.get("LifecycleConfiguration", {}).get("Rules", [])
    kind = next((kind for kind in _PREFIXES if f"-{kind}-" in found["BucketName"]), None)
    if kind is None:
        raise UnstatedLifeError(
            f"the bucket {found['BucketName']} has no prefixes in operations/retention_page.py; add them, "
            "and what each holds of a reader"
        )
    for prefix, holds in _PREFIXES[kind].items():
        fitting = [rule for rule in rules if _fits(rule, prefix)]
        days = [rule["ExpirationInDays"] for rule in fitting if "ExpirationInDays" in rule]
        former = min((kept for rule in fitting if (kept := _former(rule))), default=None)
        name = f"`{prefix}` in the bucket {kind}"
        if days:
            life = _days(min(days)) + (f", then {_days(former)} as a former version" if former else "")
            yield Store(name, holds, life, _RULE)
        elif prefix in _WITHOUT_RULE:
            yield _WITHOUT_RULE[prefix]._replace(name=name, holds=holds)
        else:
            raise UnstatedLifeError(
                f"{name} is kept for ever; give the bucket a lifecycle rule, or state its life in "
                "operations/retention_page.py"
            )


def _fits(rule: Properties, prefix: str) -> bool:
    return (
        rule["Status"] == "Enabled" and "TagFilters" not in rule and prefix.startswith(rule.get("Prefix", ""))
    )


def _former(rule: Properties) -> int | None:
    days: int | None = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
    return days


def _domain(found: Properties) -> Iterator[Store]:
    yield Store(
        f"hourly snapshots of the domain `{found['DomainName']}`",
        NOTHING,
        "14 days",
        "OpenSearch Service",  # docs.aws.amazon.com/opensearch-service, "Creating index snapshots"
    )


def _indices(found: Properties) -> Iterator[Store]:
    days = _stated(found, "RetentionDays")
    life = f"{_days(days)} after the index was made" if isinstance(days, int) else "for ever"
    yield Store(
        "indices of counts", NOTHING, life, "`search.retention_days`, by the domain's retention policy"
    )


def _table(found: Properties) -> Iterator[Store]:
    if "TimeToLiveSpecification" not in found:
        raise UnstatedLifeError(f"the table {found['TableName']} has no time to live; give it one")
    table = f"table `{found['TableName']}`"
    attribute = found["TimeToLiveSpecification"]["AttributeName"]
    yield Store(table, NOTHING, f"until `{attribute}`, which DynamoDB acts on within days", "time to live")
    recovery = found["PointInTimeRecoverySpecification"]
    if recovery["PointInTimeRecoveryEnabled"]:
        days = recovery.get("RecoveryPeriodInDays", 35)
        yield Store(f"{table}, restorable", NOTHING, _days(days), "point-in-time recovery")


def _log_group(found: Properties) -> Iterator[Store]:
    yield Store(
        f"log group `{found['LogGroupName']}`",
        NOTHING,
        _days(_stated(found, "RetentionInDays")),
        "`RetentionInDays`",
    )


def _queue(found: Properties) -> Iterator[Store]:
    seconds = int(_stated(found, "MessageRetentionPeriod"))
    yield Store(
        f"queue `{found['QueueName']}`", NOTHING, _days(seconds // 86_400), "`MessageRetentionPeriod`"
    )


def _application(found: Properties) -> Iterator[Store]:
    yield Store(
        f"snapshots of the application `{found['ApplicationName']}`",
        NOTHING,
        f"the newest {SNAPSHOTS_KEPT} after each deployment",
        "the lifecycle function",
    )


def _delivery_stream(found: Properties) -> Iterator[Store]:
    if found["DeliveryStreamType"] == "KinesisStreamAsSource":  # then the stream keeps the records
        return
    holds = NOTHING if "AmazonopensearchserviceDestinationConfiguration" in found else CLICKS
    yield Store(
        f"delivery stream `{found['DeliveryStreamName']}`, while it cannot deliver",
        holds,
        "24 hours",
        "Firehose",  # docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
    )


def _work_group(found: Properties) -> Iterator[Store]:
    yield Store(
        f"history of the queries in `{found['Name']}`",
        IDS,
        "45 days",
        "Athena",  # docs.aws.amazon.com/athena/latest/ug/queries-viewing-history.html
    )


def _identities(found: Properties) -> Iterator[Store]:
    if name := found.get("IdentityPoolName") or found.get("UserPoolName"):
        yield Store(f"pool `{name}`", "logins", "until the reader's login is deleted there", "Cognito")


STORES: Mapping[str, Callable[[Properties], Iterator[Store]]] = {
    "AWS::Kinesis::Stream": _stream,
    "AWS::S3::Bucket": _bucket,
    "AWS::OpenSearchService::Domain": _domain,
    "Custom::SearchBootstrap": _indices,
    "AWS::DynamoDB::Table": _table,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::SQS::Queue": _queue,
    "AWS::KinesisAnalyticsV2::Application": _application,
    "AWS::KinesisFirehose::DeliveryStream": _delivery_stream,
    "AWS::Athena::WorkGroup": _work_group,
    "AWS::Cognito::UserPool": _identities,
    "AWS::Cognito::IdentityPool": _identities,
}
"""Kinds of resources that keep something, and how the template states for how long."""


def _stated(found: Properties, name: str) -> Any:
    if name not in found:
        raise UnstatedLifeError(
            f"a resource has no {name}, so it keeps data for ever: {json.dumps(found)[:300]}"
        )
    return found[name]


def _days(days: int | str) -> str:
    return "1 day" if int(days) == 1 else f"{days} days"


def _hours(hours: int) -> str:
    return f"{hours} hours"


def stores(templates: Mapping[str, Template]) -> Iterator[Store]:
    """Of these templates, by stack. Raises UnstatedLifeError."""
    for stack, template in sorted(templates.items()):
        for logical_id, resource in template["Resources"].items():
            kind = resource["Type"]
            if kind in STORES:
                yield from STORES[kind](resource["Properties"])
            elif kind not in STATELESS:
                raise UnstatedLifeError(
                    f"{logical_id} of {stack} is a {kind}: say in operations/retention_page.py how long it "
                    "keeps what it holds, or that it holds nothing"
                )


def table(templates: Mapping[str, Template]) -> str:
    """Log groups of one life are one row. Raises UnstatedLifeError."""
    rows = sorted(set(stores(templates)), key=lambda row: (row.holds == NOTHING, row.name))
    groups = [row for row in rows if row.name.startswith("log group ")]
    rows = [row for row in rows if row not in groups]
    rows += [
        Store(
            "log groups",
            NOTHING,
            life,
            "`RetentionInDays`",
        )
        for life in sorted({row.life for row in groups})
    ]
    lines = [f"| {row.name} | {row.holds} | {row.life} | {row.by} |" for row in rows]
    return "\n".join(["| store | holds | keeps it for | stated by |", "|---|---|---|---|", *lines])


def page(text: str, made: str) -> str:
    """docs/reference/retention.md with its table replaced by this one."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def synthesised(environment: str) -> dict[str, Template]:
    """Its templates, by the last part of their stack's name."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            file.name.removesuffix(".template.json").rsplit("-", 1)[-1]: json.loads(file.read_text("utf-8"))
            for file in synthesise(environment, Path(folder)).glob("*.template.json")
        }


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8"), table(synthesised(DOCUMENTED))), encoding="utf-8")
