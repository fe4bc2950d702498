"""The newest refused files of the segments: which, when, and the first reasons."""

from collections.abc import Callable, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server.errors import TrendsError
from clients.board.alarms import CONFIG
from contract.segments_receipt import REASONS_ENDING, RefusedUpload
from names import REFUSED_SEGMENTS_PREFIX, Names

NEWEST = 5

ReadRefused = Callable[[], Sequence[RefusedUpload]]
"""The newest first, NEWEST at most. Raises TrendsError."""


def connect_refused(session: boto3.Session, environment: str, region: str) -> ReadRefused:
    """region: of the segments bucket, whose name has the session's account. Needs s3:ListBucket and
    s3:GetObject below `refused/`, which the batch server's role has not of itself."""

    def read() -> list[RefusedUpload]:
        try:
            sts = session.client("sts", region_name=region, config=CONFIG)
            names = Names(environment=environment, account=sts.get_caller_identity()["Account"])
            s3 = session.client("s3", region_name=region, config=CONFIG)
            return newest_refused(s3, names.segments_bucket)
        except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: an endpoint that is none
            raise TrendsError(
                f"S3 in {region} does not tell the refused files: {error}. Reading them needs s3:ListBucket "
                f"and s3:GetObject on the segments bucket, below {REFUSED_SEGMENTS_PREFIX}"
            ) from error

    return read


def newest_refused(client: Any, bucket: str) -> list[RefusedUpload]:
    """Raises ClientError, BotoCoreError, and TrendsError for reasons that cannot be read."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=REFUSED_SEGMENTS_PREFIX)
    written = [
        (listed["LastModified"], listed["Key"])
        for page in pages
        for listed in page.get("Contents", ())
        if listed["Key"].endswith(REASONS_ENDING)
    ]
    newest = sorted(written, reverse=True)[:NEWEST]
    return [_read(client, bucket, key) for _, key in newest]


def _read(client: Any, bucket: str, key: str) -> RefusedUpload:
    content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        return RefusedUpload.from_json(content)
    except (ValueError, KeyError, TypeError) as error:
        raise TrendsError(f"{key!a} in {bucket} tells no reasons ({error!r}): look at it there") from error
