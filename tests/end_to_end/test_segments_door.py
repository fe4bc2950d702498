"""What the publisher of the segments does rarely, in its deployed role."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contract.count import SEGMENT_FILE_HEADER
from contract.segments_receipt import RefusedUpload, reasons_name
from lambdas.segments_publisher.journal import KEY as JOURNAL
from lambdas.segments_publisher.storage import PART_BYTES
from names import (
    INCOMING_SEGMENTS_PREFIX,
    OREGON,
    REFUSED_SEGMENTS_PREFIX,
    SEGMENTS_PREFIX,
    STAGED_SEGMENTS_PREFIX,
    segments_corrections_prefix,
    segments_version_key,
)
from tests.end_to_end.conftest import HANAKO_AND_TARO, Pipeline, segments_file
from tests.end_to_end.publishing import click_trends, publisher_at_work

HEADER = ",".join(SEGMENT_FILE_HEADER).encode() + b"\n"
LONG_AGO = timedelta(days=800)


def reasons(s3: Any, bucket: str, name: str) -> RefusedUpload | None:
    """Why a file was refused; None until it is."""
    try:
        found = s3.get_object(Bucket=bucket, Key=f"{REFUSED_SEGMENTS_PREFIX}{reasons_name(name)}")
    except s3.exceptions.NoSuchKey:
        return None
    return RefusedUpload.from_json(found["Body"].read())


def test_a_large_file_with_a_fault_at_its_end_leaves_no_staged_part(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    bucket, s3 = pipeline.twin.names.segments_bucket, pipeline.twin.emulator.client("s3", OREGON)
    row = b"reader-%07d,female,20s,tokyo\n"
    rows = b"".join(row % number for number in range(PART_BYTES // len(row % 0) + 1))
    (tmp_path / "large.csv").write_bytes(HEADER + rows + b"no row\n")
    with publisher_at_work(pipeline):
        refused = click_trends(pipeline, "publish", f"{tmp_path}/large.csv")
    assert refused.returncode == 2, refused.stderr
    uploads = s3.list_multipart_uploads(Bucket=bucket, Prefix=STAGED_SEGMENTS_PREFIX)
    assert uploads.get("Uploads", []) == []


def test_an_upload_that_s3_lets_nobody_read_is_refused_and_gone(pipeline: Pipeline) -> None:
    """As one that is encrypted with a key of its own: here the bucket's policy denies it."""
    bucket, s3 = pipeline.twin.names.segments_bucket, pipeline.twin.emulator.client("s3", OREGON)
    key = f"{INCOMING_SEGMENTS_PREFIX}unread.csv"
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/{key}",
    }
    statements = [*json.loads(policy)["Statement"], deny]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**json.loads(policy), "Statement": statements}))
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=HEADER)
        with publisher_at_work(pipeline):
            pipeline.wait_until(lambda: reasons(s3, bucket, "unread.csv") is not None, "the file refused")
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    told = reasons(s3, bucket, "unread.csv")
    assert told is not None
    assert "S3 does not let the publisher read" in str(told.reasons)
    assert s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] == 0


def test_a_version_that_no_kept_click_needs_is_deleted_with_its_corrections(pipeline: Pipeline) -> None:
    twin, bucket = pipeline.twin, pipeline.twin.names.segments_bucket
    s3, csv = twin.emulator.client("s3", OREGON), segments_file("past", HANAKO_AND_TARO)
    past = (datetime.now(UTC) - LONG_AGO).replace(microsecond=0)
    version, successor = (segments_version_key(past + number * timedelta(days=1)) for number in (0, 1))
    correction = f"{segments_corrections_prefix(past)}0001.csv"
    for key in (version, successor, correction):
        s3.put_object(Bucket=bucket, Key=key, Body=csv)

    def is_deleted() -> bool:
        """Past versions are deleted once a day: forget that it was today."""
        found = s3.get_object(Bucket=bucket, Key=JOURNAL)
        journal = json.loads(found["Body"].read()) | {"expired_on": ""}
        with suppress(ClientError):  # the function has written it since
            s3.put_object(Bucket=bucket, Key=JOURNAL, Body=json.dumps(journal), IfMatch=found["ETag"])
        twin.emulator.client("lambda", OREGON).invoke(
            FunctionName=twin.names.segments_publisher, Payload=b"{}"
        )
        listed = [s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] for key in (version, correction)]
        return listed == [0, 0]

    try:
        pipeline.wait_until(is_deleted, "the past version deleted")
        assert s3.list_objects_v2(Bucket=bucket, Prefix=successor)["KeyCount"] == 1
    finally:
        s3.delete_object(Bucket=bucket, Key=successor)
    assert s3.list_objects_v2(Bucket=bucket, Prefix=SEGMENTS_PREFIX)["KeyCount"] > 0
