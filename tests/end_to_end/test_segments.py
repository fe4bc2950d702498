"""Versions of the segments published while clicks flow."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from contract.count import COUNT_KEY, SEGMENT_FILE_HEADER, UNKNOWN
from names import OREGON, SEGMENTS_PREFIX, segments_version_key
from tests.end_to_end.conftest import (
    BEFORE_SEGMENTS,
    EARLY_CLICKS,
    HANAKO_AND_TARO,
    Pipeline,
    as_record,
    click,
    segments_file,
)
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


def test_the_segments_bucket_is_read_only_for_the_application(pipeline: Pipeline) -> None:
    assert pipeline.twin.application is not None
    s3 = pipeline.twin.emulator.client_as(pipeline.twin.application.role_arn, "s3", OREGON)
    bucket = pipeline.twin.names.segments_bucket
    assert s3.list_objects_v2(Bucket=bucket, Prefix=SEGMENTS_PREFIX)["KeyCount"] >= 1
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key=segments_version_key(datetime(2000, 1, 1, tzinfo=UTC)), Body=b"")
