"""What the role of `click-trends erase` may do, and what it may not."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stacks.test_permissions import NAMES, allowed, listed, permissions

Resources = Callable[[str], list[dict[str, Any]]]
ROLE = NAMES.operator_role("erase")
RAW, REJECTED = f"arn:aws:s3:::{NAMES.raw_bucket}", f"arn:aws:s3:::{NAMES.rejected_bucket}"
SEGMENTS, LETTERS = f"arn:aws:s3:::{NAMES.segments_bucket}", f"arn:aws:s3:::{NAMES.dead_letter_bucket}"


@pytest.mark.parametrize(
    "key",
    [
        f"{RAW}/raw/2026/01/31/09/a.json.gz",
        f"{RAW}/raw-errors/a",
        f"{REJECTED}/rejected/2026/01/31/09/a.json.gz",
        f"{REJECTED}/rejected-errors/a",
        f"{LETTERS}/rejected-records/2026/01/31/a.ndjson",
        f"{LETTERS}/aws/lambda/uuid/a",
    ],
)
@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"])
def test_an_erasure_reads_and_rewrites_what_holds_clicks(resources: Resources, action: str, key: str) -> None:
    assert allowed(permissions(resources, ROLE), action, key)


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("s3:PutObject", f"{RAW}/erased/run/a.json"),
        ("s3:GetObject", f"{SEGMENTS}/segments/20260131T091500Z.csv"),
        ("s3:PutObject", f"{SEGMENTS}/incoming/without-a-reader.csv"),
        ("s3:ListBucket", RAW),
        ("s3:ListBucket", REJECTED),
        ("s3:ListBucket", SEGMENTS),
        ("s3:ListBucket", LETTERS),
    ],
)
def test_an_erasure_tallies_and_uploads_segments(resources: Resources, action: str, key: str) -> None:
    assert allowed(permissions(resources, ROLE), action, key)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", f"{SEGMENTS}/segments/20260131T091500Z.csv"),
        ("s3:PutObject", f"{SEGMENTS}/receipts/a.json"),
        ("s3:PutObject", f"{REJECTED}/failed-documents/counts/a"),
        ("s3:PutObject", f"{RAW}/other"),
        ("s3:GetObject", f"{SEGMENTS}/incoming/a.csv"),
        ("s3:DeleteObject", f"{RAW}/raw/a"),
        ("s3:DeleteObjectVersion", f"{SEGMENTS}/segments/20260131T091500Z.csv"),
        ("s3:PutLifecycleConfiguration", RAW),
        ("kinesis:GetRecords", NAMES.source_stream_arn),
        ("kinesis:GetRecords", NAMES.mobile_stream_arn),
        ("kinesis:PutRecords", NAMES.source_stream_arn),
        ("dynamodb:PutItem", NAMES.trending_table_arn),
        ("es:ESHttpPost", f"{NAMES.search_domain_arn}/_search"),
    ],
)
def test_an_erasure_may_do_nothing_else(resources: Resources, action: str, resource: str) -> None:
    assert not allowed(permissions(resources, ROLE), action, resource)


def test_an_erasure_deletes_nothing_and_lets_nobody_else_in(resources: Resources) -> None:
    actions = {action for one in permissions(resources, ROLE) for action in listed(one["Action"])}
    assert actions == {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"}
    [role] = [role for role in resources("AWS::IAM::Role") if role.get("RoleName") == ROLE]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert "111111111111" in str(trust["Principal"])
