"""What the parts of a replay may do, and what they may not."""

from typing import Any

import pytest

from contract.sink import CLICK_COUNTS
from tests.stacks.test_permissions import (
    NAMES,
    Resources,
    Statement,
    allowed,
    granted,
    listed,
    permissions,
)

RAW, SEGMENTS, REJECTED = (
    f"arn:aws:s3:::{bucket}" for bucket in (NAMES.raw_bucket, NAMES.segments_bucket, NAMES.rejected_bucket)
)
COUNTS = NAMES.delivery_stream_arn(NAMES.delivery_stream(CLICK_COUNTS.name))
REJECTS = NAMES.delivery_stream_arn(NAMES.rejects_delivery_stream)
MANAGING = ("Delete", "Start", "Stop", "Describe")


def written_out(statements: list[Statement]) -> list[Statement]:
    """Those whose resources the template writes out: not the code, and not a neighbour by reference."""
    return [one for one in statements if all(isinstance(each, str) for each in listed(one["Resource"]))]


@pytest.mark.parametrize(
    ("action", "resource", "may"),
    [
        ("s3:GetObject", f"{RAW}/raw/2026/01/31/12/object.json.gz", True),
        ("s3:PutObject", f"{RAW}/replays/1/click_counts/part-0", True),
        ("s3:PutObject", f"{RAW}/raw/2026/01/31/12/object.json.gz", False),
        ("s3:DeleteObject", f"{RAW}/raw/2026/01/31/12/object.json.gz", False),
        ("s3:GetObject", f"{SEGMENTS}/segments/20260131T000000Z.csv", False),
        ("s3:GetObject", f"{REJECTED}/rejected/2026/01/31/12/object.json.gz", False),
        ("firehose:PutRecordBatch", COUNTS, False),
        ("kinesis:GetRecords", NAMES.source_stream_arn, False),
    ],
)
def test_the_application_of_a_replay_reads_clicks_and_writes_its_results_only(
    resources: Resources, action: str, resource: str, may: bool
) -> None:
    assert allowed(written_out(permissions(resources, NAMES.replay_application)), action, resource) == may


@pytest.mark.parametrize(
    ("action", "resource", "may"),
    [
        *((f"kinesisanalytics:{verb}Application", NAMES.replay_application_arn, True) for verb in MANAGING),
        *((f"kinesisanalytics:{verb}Application", NAMES.application_arn, False) for verb in MANAGING),
        ("kinesisanalytics:UpdateApplication", NAMES.replay_application_arn, False),
        ("s3:PutObject", f"{RAW}/replays/running.json", True),
        ("s3:GetObject", f"{RAW}/raw/2026/01/31/12/object.json.gz", False),
        ("s3:DeleteObject", f"{RAW}/raw/2026/01/31/12/object.json.gz", False),
        ("s3:PutObject", f"{SEGMENTS}/segments/20260131T000000Z.csv", False),
        ("firehose:PutRecordBatch", COUNTS, True),
        ("firehose:PutRecordBatch", REJECTS, False),
    ],
)
def test_the_function_manages_its_own_application_and_no_other(
    resources: Resources, action: str, resource: str, may: bool
) -> None:
    assert allowed(permissions(resources, NAMES.replay), action, resource) == may


def test_the_function_creates_applications_by_a_statement_about_all(resources: Resources) -> None:
    """The action has no resource types: a statement about one application allows nothing."""
    action = "kinesisanalytics:CreateApplication"
    [statement] = [one for one in permissions(resources, NAMES.replay) if action in listed(one["Action"])]
    assert (listed(statement["Action"]), statement["Resource"]) == ([action], "*")
    assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": NAMES.oregon}}


def test_the_function_gives_its_own_role_to_the_service_and_to_no_other(resources: Resources) -> None:
    passed: list[dict[str, Any]] = [
        statement
        for statement in permissions(resources, NAMES.replay)
        if statement["Action"] == "iam:PassRole"
    ]
    [statement] = passed
    assert "Replay" in str(statement["Resource"])
    assert "*" not in str(statement["Resource"])
    assert statement["Condition"] == {
        "StringEquals": {"iam:PassedToService": "kinesisanalytics.amazonaws.com"}
    }


def test_the_command_reads_puts_counts_and_asks_the_function(resources: Resources) -> None:
    of_command = permissions(resources, NAMES.operator_role("replay"))
    assert {*granted(s for s in of_command if s["Action"] != "s3:ListBucket")} == {
        "s3:GetObject",
        "firehose:PutRecordBatch",
        "lambda:InvokeFunction",
        "es:DescribeDomain",
        "es:ESHttpGet",
    }
    written = written_out(of_command)
    assert not allowed(written, "firehose:PutRecordBatch", REJECTS)
    domain = NAMES.search_domain_arn
    assert allowed(written, "es:ESHttpGet", f"{domain}/click-counts/_settings/index.creation_date")
    assert not allowed(written, "es:ESHttpGet", f"{domain}/click-counts/_search")
    assert allowed(written, "s3:GetObject", f"{SEGMENTS}/corrections/20260131T000000Z/0001.csv")
    assert not allowed(written, "s3:GetObject", f"{SEGMENTS}/receipts/a.json")
    [invoked] = [statement for statement in of_command if statement["Action"] == "lambda:InvokeFunction"]
    assert str(invoked["Resource"]).startswith("{'Fn::GetAtt': ['ReplayLambdaFunction")
