"""Data at risk, and what CloudFormation will refuse."""

from dataclasses import replace
from typing import Any

import pytest

from operations.review.assembly import Assembly
from operations.review.data import data_findings
from operations.review.differences import differences
from operations.review.effects import update_findings
from operations.review.findings import Finding, Kind
from operations.review.renamed_resources import deployment_findings, name_findings
from tests.operations.review.small_assemblies import assembly, one, resource, stack

BUCKET = "AWS::S3::Bucket"


def at_risk(old: Assembly, new: Assembly) -> list[Finding]:
    return list(data_findings(differences(old, new)))


def refused(old: Assembly, new: Assembly) -> list[Finding]:
    return [f for f in deployment_findings(differences(old, new)) if f.kind is Kind.FAILS]


def test_a_deleted_bucket_that_nothing_retains_is_data_lost() -> None:
    (finding,) = at_risk(one({"B": resource(BUCKET, BucketName="b")}), one({}))
    assert finding.kind is Kind.DATA_LOSS


def test_a_deleted_bucket_that_is_retained_is_data_left_behind() -> None:
    (finding,) = at_risk(one({"B": resource(BUCKET, keep="Retain", BucketName="b")}), one({}))
    assert finding.kind is Kind.DATA_LEFT
    assert "Retain keeps it" in finding.text


def test_a_replaced_domain_is_data_at_risk_and_the_property_is_named() -> None:
    def domain(name: str) -> Assembly:
        return one({"D": resource("AWS::OpenSearchService::Domain", keep="Delete", DomainName=name)})

    (finding,) = at_risk(domain("one"), domain("two"))
    assert finding.kind is Kind.DATA_LOSS
    assert "`DomainName` cannot change in place" in finding.text


def test_a_domain_that_may_upgrade_its_engine_is_not_replaced() -> None:
    def domain(engine: str) -> Assembly:
        made = resource("AWS::OpenSearchService::Domain", keep="Retain", DomainName="d", EngineVersion=engine)
        return one({"D": {**made, "UpdatePolicy": {"EnableVersionUpgrade": True}}})

    changes = differences(domain("OpenSearch_3.5"), domain("OpenSearch_3.6"))
    assert list(data_findings(changes)) == []
    (update,) = update_findings(changes)
    assert "cannot be undone" in update.details[0]


def test_a_domain_that_may_not_upgrade_its_engine_is_replaced() -> None:
    def domain(engine: str) -> Assembly:
        return one({"D": resource("AWS::OpenSearchService::Domain", DomainName="d", EngineVersion=engine)})

    (finding,) = data_findings(differences(domain("OpenSearch_3.5"), domain("OpenSearch_3.7")))
    assert finding.kind is Kind.DATA_LOSS
    assert "is replaced by an empty one" in finding.text


def test_a_newer_runtime_of_flink_keeps_the_application_and_its_snapshots() -> None:
    def application(runtime: str) -> Assembly:
        kind = "AWS::KinesisAnalyticsV2::Application"
        return one({"A": resource(kind, ApplicationName="a", RuntimeEnvironment=runtime)})

    changes = differences(application("FLINK-2_2"), application("FLINK-2_3"))
    assert [change.impact for change in changes.resources] == ["WILL_UPDATE"]
    assert list(data_findings(changes)) == []


def test_a_renamed_application_loses_its_snapshots() -> None:
    def application(name: str) -> Assembly:
        return one({"A": resource("AWS::KinesisAnalyticsV2::Application", ApplicationName=name)})

    (finding,) = at_risk(application("one"), application("two"))
    assert "every snapshot" in finding.text


def test_a_retention_policy_that_goes_is_told_before_the_data_does() -> None:
    old, new = (
        resource(BUCKET, keep="Retain", BucketName="b"),
        resource(BUCKET, keep="Delete", BucketName="b"),
    )
    (finding,) = at_risk(one({"B": old}), one({"B": new}))
    assert finding.kind is Kind.PROTECTION_LOST


def test_termination_protection_that_goes_is_told() -> None:
    bucket = {"B": resource(BUCKET, keep="Retain")}
    (finding,) = at_risk(one(bucket, protected=True), one(bucket, protected=False))
    assert finding.kind is Kind.PROTECTION_LOST


def _expiring(*rules: dict[str, Any]) -> Assembly:
    return one({"B": resource(BUCKET, BucketName="b", LifecycleConfiguration={"Rules": list(rules)})})


def test_objects_that_expire_sooner_are_data_lost() -> None:
    (finding,) = at_risk(
        _expiring({"Status": "Enabled", "ExpirationInDays": 90}),
        _expiring({"Status": "Enabled", "ExpirationInDays": 30}),
    )
    assert "for 30 days, until now for 90 days" in finding.text


def test_a_prefix_that_expires_sooner_is_seen_beside_one_that_always_did() -> None:
    short = {"Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 1}
    (finding,) = at_risk(
        _expiring(short, {"Status": "Enabled", "Prefix": "raw/", "ExpirationInDays": 90}),
        _expiring(short, {"Status": "Enabled", "Prefix": "raw/", "ExpirationInDays": 30}),
    )
    assert "below `raw/`" in finding.text


def test_a_longer_expiry_is_no_risk() -> None:
    assert not at_risk(
        _expiring({"Status": "Enabled", "ExpirationInDays": 30}),
        _expiring({"Status": "Disabled", "ExpirationInDays": 1}),
    )


def test_a_resource_moved_to_another_stack_fails_as_its_name_is_taken() -> None:
    bucket = {"B": resource(BUCKET, keep="Retain", BucketName="b")}
    old = assembly(stack("OregonStorage", bucket), stack("OregonAnalytics", {}))
    new = assembly(stack("OregonStorage", {}), stack("OregonAnalytics", bucket))
    (finding,) = refused(old, new)
    assert "exists already in OregonStorage" in finding.text


def test_a_replacement_that_keeps_its_name_fails() -> None:
    def stream(source: str) -> Assembly:
        source_configuration = {"KinesisStreamARN": source, "RoleARN": "r"}
        return one(
            {
                "S": resource(
                    "AWS::KinesisFirehose::DeliveryStream",
                    DeliveryStreamName="backup",
                    KinesisStreamSourceConfiguration=source_configuration,
                )
            }
        )

    (finding,) = refused(stream("one"), stream("two"))
    assert "its name stays" in finding.text


def test_an_export_that_another_stack_imports_cannot_go() -> None:
    output = {"Endpoint": {"Value": "x", "Export": {"Name": "shared:Endpoint"}}}
    user = resource("AWS::Lambda::Function", Handler={"Fn::ImportValue": "shared:Endpoint"})
    old = assembly(stack("OregonStorage", {}, Outputs=output), stack("OregonAnalytics", {"F": user}))
    new = assembly(stack("OregonStorage", {}), stack("OregonAnalytics", {}))
    (finding,) = refused(old, new)
    assert "shared:Endpoint" in finding.text
    assert "OregonAnalytics" in finding.text


def test_a_name_in_the_other_region_that_is_left_behind_is_told_with_its_user() -> None:
    user = resource("AWS::Lambda::Function", FunctionName="forwarder", Handler="stream/clicks")
    tokyo = stack("TokyoIngest", {"F": user}, region="ap-northeast-1")

    def oregon(name: str) -> Assembly:
        return assembly(stack("OregonStorage", {"S": resource("AWS::Kinesis::Stream", Name=name)}), tokyo)

    changes = differences(oregon("clicks"), oregon("taps"))
    (finding,) = name_findings(changes, {"clients/web_servers/fluentd.conf": "stream_name clicks"})
    assert "in TokyoIngest (ap-northeast-1): the function `forwarder`" in finding.details[0]
    assert "in `clients/web_servers/fluentd.conf`" in finding.details[1]


def test_a_name_is_not_seen_in_a_longer_one() -> None:
    user = resource("AWS::Lambda::Function", FunctionName="forwarder", Handler="stream/clicks-of-cats")
    old = one({"S": resource("AWS::Kinesis::Stream", Name="clicks"), "F": user})
    new = one({"S": resource("AWS::Kinesis::Stream", Name="taps"), "F": user})
    (finding,) = name_findings(differences(old, new), {})
    assert "No other stack" in finding.details[0]


def test_a_stack_that_leaves_the_app_is_said_to_run_on() -> None:
    old = assembly(stack("OregonStorage", {}), stack("Old", {"B": resource(BUCKET)}))
    (finding,) = deployment_findings(differences(old, assembly(stack("OregonStorage", {}))))
    assert "delete-stack --region us-west-2 --stack-name ClickTrends-production-Old" in finding.text


def test_another_way_of_keeping_is_a_note_and_no_risk() -> None:
    old, new = (
        resource(BUCKET, keep="Retain", BucketName="b"),
        resource(BUCKET, keep="Retain", BucketName="b"),
    )
    (finding,) = at_risk(one({"B": old}), one({"B": {**new, "DeletionPolicy": "RetainExceptOnCreate"}}))
    assert finding.kind is Kind.NOTE
    assert "`DeletionPolicy` Retain → RetainExceptOnCreate" in finding.text


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        (BUCKET, {"VersioningConfiguration": {"Status": "Enabled"}}),
        (
            "AWS::DynamoDB::Table",
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
        ),
        (
            "AWS::KinesisAnalyticsV2::Application",
            {"ApplicationConfiguration": {"ApplicationSnapshotConfiguration": {"SnapshotsEnabled": True}}},
        ),
    ],
)
def test_a_protection_that_is_no_longer_written_is_lost(kind: str, before: dict[str, Any]) -> None:
    (finding,) = at_risk(one({"R": resource(kind, **before)}), one({"R": resource(kind)}))
    assert finding.kind is Kind.PROTECTION_LOST
    assert finding.covers[0][2] == f"Properties.{next(iter(before))}"


def test_a_retention_that_is_no_longer_written_falls_to_its_default() -> None:
    kind = "AWS::Kinesis::Stream"
    (finding,) = at_risk(one({"R": resource(kind, RetentionPeriodHours=168)}), one({"R": resource(kind)}))
    assert "for 24 hours instead of 168 hours" in finding.text
    assert not at_risk(one({"R": resource(kind, RetentionPeriodHours=24)}), one({"R": resource(kind)}))


def test_a_date_of_expiry_deletes_everything_from_then_on() -> None:
    (finding,) = at_risk(
        _expiring(), _expiring({"Status": "Enabled", "ExpirationDate": "2026-01-01T00:00:00Z"})
    )
    assert finding.kind is Kind.DATA_LOSS


def test_a_rule_that_loses_its_filter_is_not_the_rule_that_was() -> None:
    rule = {"Status": "Enabled", "ExpirationInDays": 1}
    tagged = {**rule, "TagFilters": [{"Key": "temporary", "Value": "yes"}]}
    (finding,) = at_risk(_expiring(tagged), _expiring(rule))
    assert "until now without end" in finding.text
    assert not at_risk(_expiring(rule), _expiring(tagged))


def test_objects_that_go_to_an_archive_cannot_be_read_at_once() -> None:
    archived = {"Status": "Enabled", "Transitions": [{"StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 1}]}
    (finding,) = at_risk(_expiring(), _expiring(archived))
    assert finding.kind is Kind.INTERRUPTION


def test_another_region_or_account_is_another_stack_and_the_old_one_stays() -> None:
    resources = {
        "B": resource(BUCKET, keep="Retain", BucketName="b"),
        "S": resource("AWS::Kinesis::Stream", keep="Retain", Name="clicks"),
    }
    moved = stack("OregonStorage", resources, region="us-east-1")
    changes = differences(one(resources), assembly(moved))
    assert not [finding for finding in data_findings(changes) if finding.kind is Kind.DATA_LOSS]
    taken, left, new = deployment_findings(changes)
    assert taken.kind is Kind.FAILS  # the bucket's name, which is one for all regions; the stream's is not
    assert "bucket `b` exists already" in taken.text
    assert left.kind is Kind.DATA_LEFT
    assert "(us-west-2) is no longer part of the app" in left.text
    assert "(us-east-1) is new" in new.text

    elsewhere = replace(stack("OregonStorage", {"S": resources["S"]}), account="000000000000")
    left, new = deployment_findings(differences(one({"S": resources["S"]}), assembly(elsewhere)))
    assert "account 111111111111" in left.text
    assert "account 000000000000" in new.text


def test_an_export_stays_for_its_users_when_its_stack_moves_away() -> None:
    output = {"Endpoint": {"Value": "x", "Export": {"Name": "shared:Endpoint"}}}
    user = stack(
        "OregonAnalytics",
        {"F": resource("AWS::Lambda::Function", Handler={"Fn::ImportValue": "shared:Endpoint"})},
    )
    here = stack("OregonStorage", {"S": resource("AWS::Kinesis::Stream")}, Outputs=output)
    there = [
        replace(one_stack, account="000000000000")
        for one_stack in (stack("OregonStorage", here.resources), user)
    ]
    assert refused(assembly(here, user), assembly(*there)) == []
