"""Changes of production's templates that look harmless and are not: what the page says of each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operations.review.assembly import Assembly
from operations.review.findings import Kind
from operations.review.report import Report
from operations.review.verdict import verdict
from tests.operations.review.edits import Edit, Templates, edited, reports

FUNCTION, MAPPING = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"
STREAM, DOMAIN = "AWS::KinesisFirehose::DeliveryStream", "AWS::OpenSearchService::Domain"
ROLE, BUCKET = "AWS::IAM::Role", "AWS::S3::Bucket"
FOREIGN = "arn:aws:s3:::somebody-elses"
FOREIGN_STREAM = "arn:aws:kinesis:us-west-2:111111111111:stream/another"
SOURCE = "Properties.KinesisStreamSourceConfiguration"


def resource(templates: Templates, kind: str, contains: str = "") -> dict[str, Any]:
    """The only one of a type with this text in its logical id."""
    (found,) = (
        one
        for template in templates.values()
        for logical_id, one in template["Resources"].items()
        if one["Type"] == kind and contains in logical_id
    )
    made: dict[str, Any] = found
    return made


def put(kind: str, contains: str, path: str, value: Any = None) -> Edit:
    """Sets the value at `A.B` below a resource; takes it away without one."""

    def edit(templates: Templates) -> None:
        *parents, last = path.split(".")
        inner = resource(templates, kind, contains)
        for key in parents:
            inner = inner.setdefault(key, {})
        if value is None:
            del inner[last]
        else:
            inner[last] = value

    return edit


def both(*edits: Edit) -> Edit:
    def edit(templates: Templates) -> None:
        for one in edits:
            one(templates)

    return edit


def delete(kind: str, contains: str) -> Edit:
    def edit(templates: Templates) -> None:
        gone = resource(templates, kind, contains)
        for template in templates.values():
            template["Resources"] = {
                logical_id: one for logical_id, one in template["Resources"].items() if one is not gone
            }

    return edit


def without_action(role: str, action: str) -> Edit:
    def edit(templates: Templates) -> None:
        for policy in resource(templates, ROLE, role)["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                listed = actions if isinstance(actions, list) else [actions]
                if action in listed:
                    statement["Action"] = [one for one in listed if one != action] or [
                        "sts:GetCallerIdentity"
                    ]
                    return
        raise AssertionError(f"{role} has no {action}")

    return edit


def without_audience(templates: Templates) -> None:
    (role,) = (
        one
        for template in templates.values()
        for one in template["Resources"].values()
        if one["Type"] == ROLE and "cognito-identity.amazonaws.com:aud" in str(one)
    )
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    del statement["Condition"]["StringEquals"]


SEARCH = "Properties.AmazonopensearchserviceDestinationConfiguration"
S3 = "Properties.ExtendedS3DestinationConfiguration"
VARIABLES = "Properties.Environment.Variables"
CLUSTER = "Properties.ClusterConfig"
REPLICATION = {
    "Role": "arn:aws:iam::111111111111:role/copies",
    "Rules": [{"Status": "Enabled", "Destination": {"Bucket": FOREIGN, "Account": "000000000000"}}],
}

CASES: Mapping[str, tuple[Edit, Kind, str]] = {
    # A part that loses what its own code needs
    "the forwarder may not put": (
        without_action("Forwarder", "kinesis:PutRecords"),
        Kind.BROKEN,
        "may no longer `kinesis:PutRecords`",
    ),
    "the application may not read": (
        without_action("AnalyticsRole", "kinesis:GetRecords"),
        Kind.BROKEN,
        "may no longer `kinesis:GetRecords`",
    ),
    "a handler that is not there": (
        put(FUNCTION, "Forwarder", "Properties.Handler", "handler.handle"),
        Kind.BROKEN,
        "has no handler `handler.handle`",
    ),
    "a handler in a file that is not there": (
        put(FUNCTION, "Forwarder", "Properties.Handler", "main.handler"),
        Kind.BROKEN,
        "has no handler",
    ),
    "no concurrency": (
        put(FUNCTION, "Forwarder", "Properties.ReservedConcurrentExecutions", 0),
        Kind.BROKEN,
        "is never run",
    ),
    "a function that is deleted": (delete(FUNCTION, "ForwarderCarry"), Kind.BROKEN, "is deleted"),
    "a function that is deleted but named": (delete(FUNCTION, "ForwarderCarry"), Kind.FAILS, "still refers"),
    "a schedule that is off": (
        put("AWS::Scheduler::Schedule", "", "Properties.State", "DISABLED"),
        Kind.BROKEN,
        "invokes nothing any more",
    ),
    "a rule that is off": (
        put("AWS::Events::Rule", "Redelivery", "Properties.State", "DISABLED"),
        Kind.BROKEN,
        "invokes nothing any more",
    ),
    "a target elsewhere": (
        put(FUNCTION, "Forwarder", f"{VARIABLES}.DEAD_LETTER_BUCKET", "somebody-elses"),
        Kind.BROKEN,
        "which no stack of this environment makes",
    ),
    "a variable that is gone": (
        put(FUNCTION, "Forwarder", f"{VARIABLES}.DEAD_LETTER_BUCKET"),
        Kind.BROKEN,
        "no longer gets the variable `DEAD_LETTER_BUCKET`",
    ),
    # Reading
    "a mapping on another stream": (
        put(MAPPING, "", "Properties.EventSourceArn", FOREIGN_STREAM),
        Kind.DATA_LOSS,
        "reads something else",
    ),
    "a raw backup of another stream": (
        put(STREAM, "RawBackup", f"{SOURCE}.KinesisStreamARN", FOREIGN_STREAM),
        Kind.DATA_LOSS,
        "keeps the records of another stream",
    ),
    "a mapping that is off": (put(MAPPING, "", "Properties.Enabled", False), Kind.DATA_LOSS, "stops reading"),
    "a filter": (
        put(MAPPING, "", "Properties.FilterCriteria", {"Filters": [{"Pattern": "{}"}]}),
        Kind.DATA_LOSS,
        "nothing keeps it",
    ),
    "no destination": (
        put(MAPPING, "", "Properties.DestinationConfig"),
        Kind.DATA_LOSS,
        "destination is gone",
    ),
    "an empty destination": (
        put(MAPPING, "", "Properties.DestinationConfig", {}),
        Kind.DATA_LOSS,
        "destination is gone",
    ),
    "an emptied destination": (
        put(MAPPING, "", "Properties.DestinationConfig.OnFailure", {}),
        Kind.DATA_LOSS,
        "destination is gone",
    ),
    "a destination elsewhere": (
        put(MAPPING, "", "Properties.DestinationConfig.OnFailure.Destination", FOREIGN),
        Kind.DATA_LOSS,
        "sends what it gives up elsewhere",
    ),
    "no partial failures": (
        put(MAPPING, "", "Properties.FunctionResponseTypes"),
        Kind.DATA_LOSS,
        "no longer accepts partial failures",
    ),
    "less patience": (
        put(MAPPING, "", "Properties.MaximumRecordAgeInSeconds", 60),
        Kind.DATA_LOSS,
        "gives up sooner",
    ),
    "fewer retries": (
        put(MAPPING, "", "Properties.MaximumRetryAttempts", 2),
        Kind.DATA_LOSS,
        "gives up sooner",
    ),
    "more patience": (
        put(MAPPING, "", "Properties.MaximumRecordAgeInSeconds", -1),
        Kind.INTERRUPTION,
        "Records behind it wait",
    ),
    "batches that are not halved": (
        put(MAPPING, "", "Properties.BisectBatchOnFunctionError"),
        Kind.DATA_LOSS,
        "no longer bisects",
    ),
    # Delivery
    "no retry, and given up after an hour": (
        both(
            put(STREAM, "Counts", f"{SEARCH}.RetryOptions.DurationInSeconds", 0),
            put(FUNCTION, "Redelivery", f"{VARIABLES}.GIVE_UP_AFTER_SECONDS", "3600"),
        ),
        Kind.DATA_LEFT,
        "gives up after",
    ),
    "segments deleted early": (
        put(FUNCTION, "SegmentsPublisher", f"{VARIABLES}.KEEP_SECONDS", "3600"),
        Kind.DATA_LOSS,
        "a replay of older clicks needs it",
    ),
    "segments just in time": (
        put(FUNCTION, "SegmentsPublisher", f"{VARIABLES}.LEAD_SECONDS", "1"),
        Kind.REPLAY,
        "count in the one before",
    ),
    "no retry": (
        put(STREAM, "Counts", f"{SEARCH}.RetryOptions.DurationInSeconds", 0),
        Kind.LATENCY,
        "for a different time",
    ),
    "a long buffer": (
        put(STREAM, "Counts", f"{SEARCH}.BufferingHints.IntervalInSeconds", 900),
        Kind.LATENCY,
        "delivers later",
    ),
    "the buffer of the default": (
        put(STREAM, "Counts", f"{SEARCH}.BufferingHints"),
        Kind.LATENCY,
        "up to `300` seconds, until now",
    ),
    "no log": (
        put(STREAM, "RawBackup", f"{S3}.CloudWatchLoggingOptions.Enabled", False),
        Kind.ALARM_LOST,
        "no longer logs",
    ),
    "no log at all": (put(STREAM, "RawBackup", f"{S3}.CloudWatchLoggingOptions"), Kind.ALARM_LOST, "logs"),
    "records glued together": (
        put(STREAM, "Rejects", f"{S3}.ProcessingConfiguration"),
        Kind.DATA_LOSS,
        "glued together",
    ),
    "records glued by another processor": (
        put(STREAM, "Rejects", f"{S3}.ProcessingConfiguration.Processors", [{"Type": "Decompression"}]),
        Kind.DATA_LOSS,
        "glued together",
    ),
    "a bucket elsewhere": (
        put(STREAM, "Rejects", f"{S3}.BucketARN", FOREIGN),
        Kind.DATA_LEFT,
        "which no stack of this environment makes",
    ),
    "failed documents elsewhere": (
        put(STREAM, "Counts", f"{SEARCH}.S3Configuration.BucketARN", FOREIGN),
        Kind.DATA_LEFT,
        "which no stack of this environment makes",
    ),
    # Ranking
    "rankings without articles": (
        put(FUNCTION, "Feedback", f"{VARIABLES}.MIN_CLICKS", "1000000"),
        Kind.INTERRUPTION,
        "or none, reach the service",
    ),
    # Search
    "no replica": (
        put("Custom::SearchBootstrap", "", "Properties.Replicas", 0),
        Kind.PROTECTION_LOST,
        "copies",
    ),
    "one node": (put(DOMAIN, "", f"{CLUSTER}.InstanceCount", 1), Kind.PROTECTION_LOST, "data nodes"),
    "one zone": (
        put(DOMAIN, "", f"{CLUSTER}.ZoneAwarenessConfig.AvailabilityZoneCount", 1),
        Kind.PROTECTION_LOST,
        "availability zones",
    ),
    "unaware of zones": (
        put(DOMAIN, "", f"{CLUSTER}.ZoneAwarenessEnabled", False),
        Kind.PROTECTION_LOST,
        "same availability zone",
    ),
    "a smaller volume": (
        put(DOMAIN, "", "Properties.EBSOptions.VolumeSize", 10),
        Kind.PROTECTION_LOST,
        "smaller volumes",
    ),
    "an older engine": (
        put(DOMAIN, "", "Properties.EngineVersion", "OpenSearch_2.19"),
        Kind.FAILS,
        "cannot go back",
    ),
    "a newer engine without the policy": (
        both(put(DOMAIN, "", "UpdatePolicy"), put(DOMAIN, "", "Properties.EngineVersion", "OpenSearch_3.9")),
        Kind.DATA_LEFT,
        "is replaced by an empty one",
    ),
    "no policy": (put(DOMAIN, "", "UpdatePolicy"), Kind.PROTECTION_LOST, "no longer be upgraded in place"),
    "an older Flink": (
        put("AWS::KinesisAnalyticsV2::Application", "", "Properties.RuntimeEnvironment", "FLINK-1_20"),
        Kind.FRESH_STATE,
        "restores no state of a newer one",
    ),
    # Who gets in
    "self sign-up": (
        put("AWS::Cognito::UserPool", "", "Properties.AdminCreateUserConfig"),
        Kind.PUBLIC,
        "may sign up",
    ),
    "no audience": (without_audience, Kind.PUBLIC, "may now assume"),
    "another identity provider": (
        put(
            "AWS::Cognito::IdentityPool",
            "",
            "Properties.CognitoIdentityProviders",
            [{"ClientId": "x", "ProviderName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_another"}],
        ),
        Kind.PUBLIC,
        "other identity providers",
    ),
    "a bucket copied away": (
        put(BUCKET, "RawBucket", "Properties.ReplicationConfiguration", REPLICATION),
        Kind.ACCESS,
        "of **another account**",
    ),
}


@pytest.fixture(scope="module")
def reviewed(production: Assembly, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    edits = {**{name: edit for name, (edit, _, _) in CASES.items()}, **FINE}
    with pytest.MonkeyPatch.context() as patch:
        return reports(production, edits, tmp_path_factory.mktemp("tree"), patch)


@pytest.mark.parametrize("name", CASES)
def test_a_change_that_hurts_is_said_to_hurt(name: str, reviewed: dict[str, Report]) -> None:
    _, kind, says = CASES[name]
    report = reviewed[name]
    found = [finding for finding in report.findings if says in " ".join((finding.text, *finding.details))]
    assert kind in {finding.kind for finding in found}, [f"{f.kind}: {f.text}" for f in report.findings]
    assert "Nothing" not in verdict(report)


FINE: Mapping[str, Edit] = {
    "logs kept longer": put("AWS::Logs::LogGroup", "RawBackup", "Properties.RetentionInDays", 90),
    "a shorter buffer": put(STREAM, "RawBackup", f"{S3}.BufferingHints.IntervalInSeconds", 60),
    "more memory": put(FUNCTION, "Forwarder", "Properties.MemorySize", 2048),
    "more time": put(FUNCTION, "Feedback", "Properties.Timeout", 55),
    "kept longer": put("AWS::Kinesis::Stream", "Source", "Properties.RetentionPeriodHours", 48),
    "another description": put("AWS::Events::Rule", "Redelivery", "Properties.Description", "Invokes it"),
}


@pytest.mark.parametrize("name", FINE)
def test_a_change_that_only_helps_puts_nothing_at_risk(name: str, reviewed: dict[str, Report]) -> None:
    assert verdict(reviewed[name]) == "Nothing at risk"
    assert not any(
        "deletes" in finding.text or "deleted" in str(finding) for finding in reviewed[name].findings
    )


def test_a_newer_flink_keeps_the_state_and_is_no_replacement(
    production: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = put("AWS::KinesisAnalyticsV2::Application", "", "Properties.RuntimeEnvironment", "FLINK-2_9")
    report = reports(production, {"newer": newer}, tmp_path, monkeypatch)["newer"]
    assert verdict(report) == "Interruption"
    assert any("stops with a snapshot" in str(finding) for finding in report.effects)


def test_a_mapping_that_reads_its_stream_again_counts_twice(
    production: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/reference/contracts.md: a click sent twice counts twice."""
    latest = edited(production, put(MAPPING, "", "Properties.StartingPosition", "LATEST"))
    oldest = put(MAPPING, "", "Properties.StartingPosition", "TRIM_HORIZON")
    report = reports(latest, {"oldest": oldest}, tmp_path, monkeypatch)["oldest"]
    (finding,) = [finding for finding in report.findings if "counts twice" in finding.text]
    assert finding.kind is Kind.DATA_LOSS
