"""Versions of the segments published while clicks flow."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from contract.count import COUNT_KEY, SEGMENT_FILE_HEADER, UNKNOWN
from contract.segments_receipt import Receipt, written_time
from names import (
    INCOMING_SEGMENTS_PREFIX,
    OREGON,
    SEGMENTS_PREFIX,
    SEGMENTS_RECEIPTS_PREFIX,
    TWIN_ACCOUNT,
    segments_version_key,
)
from tests.end_to_end.conftest import (
    BEFORE_SEGMENTS,
    EARLY_CLICKS,
    HANAKO_AND_TARO,
    Pipeline,
    as_record,
    click,
    segments_file,
)
from tests.end_to_end.publishing import click_trends, publisher_at_work
from twin.traffic.record import EntryPoint

ARTICLE = "segments-test"
PUBLISHED_AHEAD = timedelta(seconds=15)
HEADER_ALONE = ",".join(SEGMENT_FILE_HEADER).encode() + b"\n"
ONE_MILLISECOND = timedelta(milliseconds=1)


def test_every_reader_is_unknown_until_a_version_is_published(pipeline: Pipeline) -> None:
    regions = {key[COUNT_KEY.index("region")] for key in pipeline.count_documents(BEFORE_SEGMENTS)}
    assert regions == {UNKNOWN}
    assert pipeline.clicks_counted(BEFORE_SEGMENTS) == EARLY_CLICKS


def test_a_new_version_takes_effect_exactly_at_its_valid_from(pipeline: Pipeline) -> None:
    valid_from = (datetime.now(UTC) + PUBLISHED_AHEAD).replace(microsecond=0)
    new_version = segments_file("second", {"hanako": {**HANAKO_AND_TARO["hanako"], "region": "sapporo"}})
    pipeline.twin.publish_segments(new_version, valid_from)
    pipeline.wait_until(lambda: datetime.now(UTC) >= valid_from, "the version in force")

    last_before = click(1, article_id=ARTICLE, clicked_at=valid_from - ONE_MILLISECOND)
    first_after = click(2, article_id=ARTICLE, clicked_at=valid_from)
    gone = click(3, article_id=ARTICLE, clicked_at=valid_from, user_id="taro")
    late = click(4, article_id=ARTICLE, clicked_at=valid_from - timedelta(hours=1), user_id="taro")
    records = [as_record(sent) for sent in (first_after, last_before, gone, late)]
    pipeline.send(EntryPoint.WEB, records)
    pipeline.wait_until(lambda: pipeline.clicks_counted(ARTICLE) >= 4, "4 clicks counted")

    region = COUNT_KEY.index("region")
    regions = {key[region]: clicks for key, clicks in pipeline.count_documents(ARTICLE).items()}
    assert regions == {"tokyo": 1, "sapporo": 1, "osaka": 1, UNKNOWN: 1}


def test_refused_segments_are_reported_and_readers_keep_theirs(pipeline: Pipeline) -> None:
    # As the account's root, whom the emulator lets past the bucket's policy: nobody writes these by the door.
    s3 = pipeline.twin.emulator.client("s3", OREGON)
    bucket = pipeline.twin.names.segments_bucket
    empty = segments_version_key(datetime.now(UTC) - timedelta(minutes=1))
    strange = [f"{SEGMENTS_PREFIX}{name}" for name in ("", "2026-01-31T00:00:00Z.csv", "a/b.csv")]
    for key in (empty, *strange):
        s3.put_object(Bucket=bucket, Key=key, Body=b"" if key.endswith("/") else HEADER_ALONE)
    told = pipeline.twin.segments_problem
    pipeline.wait_until(lambda: (told() or "").startswith("segments: 3 refused, the last: "), "3 refused")

    article = f"{ARTICLE}-refused"
    sent = click(1, article_id=article, clicked_at=datetime.now(UTC))
    pipeline.send(EntryPoint.WEB, [as_record(sent)])
    pipeline.wait_until(lambda: pipeline.clicks_counted(article) == 1, "the click counted")
    assert {key[COUNT_KEY.index("region")] for key in pipeline.count_documents(article)} != {UNKNOWN}

    for key in (empty, *strange):
        s3.delete_object(Bucket=bucket, Key=key)
    pipeline.wait_until(lambda: told() is None, "no problem")


def test_an_upload_becomes_a_version_that_the_application_reads(pipeline: Pipeline, tmp_path: Path) -> None:
    twin, bucket = pipeline.twin, pipeline.twin.names.segments_bucket
    operator = twin.emulator.client_as(twin.names.role_arn(twin.names.operator_role("publish")), "s3", OREGON)
    listed = operator.list_objects_v2(Bucket=bucket, Prefix=SEGMENTS_PREFIX)["Contents"]
    newest = operator.get_object(Bucket=bucket, Key=listed[-1]["Key"])["Body"].read()
    (tmp_path / "door.csv.gz").write_bytes(gzip.compress(newest))
    (tmp_path / "no-rows.csv").write_bytes(HEADER_ALONE)
    with publisher_at_work(pipeline):
        refused = click_trends(pipeline, "publish", f"{tmp_path}/no-rows.csv")
        published = click_trends(pipeline, "publish", f"{tmp_path}/door.csv.gz")
    assert refused.returncode == 2, refused.stderr
    assert "no row follows the header" in refused.stderr
    assert published.returncode == 0, published.stderr
    assert "door.csv.gz is published: " in published.stdout

    written = operator.get_object(Bucket=bucket, Key=f"{SEGMENTS_RECEIPTS_PREFIX}door.csv.gz.json")
    receipt = Receipt.from_json(written["Body"].read())
    assert not receipt.late
    key = segments_version_key(datetime.fromtimestamp(receipt.valid_from, UTC))
    assert operator.get_object(Bucket=bucket, Key=key)["Body"].read() == newest
    twin.wait_for_segments(key)
    waiting = operator.list_objects_v2(Bucket=bucket, Prefix=f"{INCOMING_SEGMENTS_PREFIX}door")
    assert waiting["KeyCount"] == 0
    with pytest.raises(ClientError, match="AccessDenied"):
        operator.put_object(Bucket=bucket, Key=segments_version_key(datetime.now(UTC)), Body=newest)

    listed_versions = click_trends(pipeline, "versions")
    assert listed_versions.returncode == 0, listed_versions.stderr
    name = written_time(receipt.valid_from)
    [row] = [line for line in listed_versions.stdout.splitlines() if name in line]
    assert "door.csv.gz" in row
    # To the same bytes, as other tests count by them; it waits until every task has read the one before.
    back = click_trends(pipeline, "rollback", name, "--wait", "1s")
    assert back.returncode == 1, back.stderr
    assert f"rollback-of-{name}" in back.stderr
    assert "waits for longer than 1 s" in back.stderr


def test_not_even_an_administrator_writes_a_version(pipeline: Pipeline) -> None:
    """A role that may do everything, as the bucket's policy is above permissions."""
    twin = pipeline.twin
    iam = twin.emulator.client("iam", OREGON)
    trust = {"Effect": "Allow", "Principal": {"AWS": TWIN_ACCOUNT}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = iam.create_role(RoleName="admin", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam.put_role_policy(
        RoleName="admin", PolicyName="all", PolicyDocument=json.dumps({"Statement": [everything]})
    )
    s3 = twin.emulator.client_as(role["Role"]["Arn"], "s3", OREGON)
    bucket = twin.names.segments_bucket
    for key in (f"{SEGMENTS_PREFIX}20000101T000000Z.csv", f"{SEGMENTS_RECEIPTS_PREFIX}.journal"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=key, Body=HEADER_ALONE)
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=bucket, Key=key)
    s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"")
    s3.delete_object(Bucket=bucket, Key="elsewhere")


def test_the_segments_bucket_is_read_only_for_the_application(pipeline: Pipeline) -> None:
    assert pipeline.twin.application is not None
    s3 = pipeline.twin.emulator.client_as(pipeline.twin.application.role_arn, "s3", OREGON)
    bucket = pipeline.twin.names.segments_bucket
    assert s3.list_objects_v2(Bucket=bucket, Prefix=SEGMENTS_PREFIX)["KeyCount"] >= 1
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key=segments_version_key(datetime(2000, 1, 1, tzinfo=UTC)), Body=b"")
