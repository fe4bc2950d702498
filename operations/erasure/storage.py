"""The objects that an erasure reads and rewrites in S3."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from names import REMAINING_DAYS_TAG

_GZIP = b"\x1f\x8b"
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"}
"""Answers to a conditional write of an object that is another by now, is being written, or is gone
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)."""


class UnreadableArchiveError(Exception):
    """The object begins as gzip but cannot be read as such."""


class UnexpectedETagError(Exception):
    """S3 gave an object another ETag than the MD5 of its body: tallies would not be in effect."""


class ListedObject(NamedTuple):
    """key, and the ETag without quotes."""

    key: str
    etag: str


@dataclass(frozen=True, kw_only=True)
class ReadObject:
    """An object as it was read. body: as stored; attributes: what S3 keeps beside it, for a rewriting to give
    again; written_at: by S3's clock."""

    key: str
    etag: str
    written_at: datetime
    body: bytes
    attributes: dict[str, Any]

    @property
    def is_gzip(self) -> bool:
        return self.body.startswith(_GZIP)

    def content(self) -> bytes:
        """Of all members, if it is gzip. Raises UnreadableArchiveError."""
        if not self.is_gzip:
            return self.body
        try:
            return gzip.decompress(self.body)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnreadableArchiveError(f"it is no whole gzip file ({error})") from error

    def packed(self, content: bytes) -> bytes:
        """As this object would be stored with another content; the same for the same content."""
        return gzip.compress(content, compresslevel=6, mtime=0) if self.is_gzip else content


def etag_of(body: bytes) -> str:
    """The ETag of an object put with this body in one request, in a bucket encrypted by S3 itself: its MD5
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html)."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class Objects:
    """Of one bucket. Raises botocore's errors."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """In the order of their keys."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield ListedObject(found["Key"], found["ETag"].strip('"'))

    def get(self, key: str) -> ReadObject | None:
        """None if it is gone."""
        try:
            found = self._s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        attributes = {
            name: found[name] for name in ("Metadata", "ContentType", "ContentEncoding") if found.get(name)
        }
        return ReadObject(
            key=key,
            etag=found["ETag"].strip('"'),
            written_at=found["LastModified"],
            body=found["Body"].read(),
            attributes=attributes,
        )

    def put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def replace(self, stored: ReadObject, body: bytes, *, remaining_days: int | None) -> bool:
        """Put another body in its place; False, and nothing is changed, if it is no longer as it was read.

        remaining_days: of its life, one of names.remaining_days_values(); None for a whole one. Raises
        UnexpectedETagError once it is written.
        """
        tags = {"Tagging": f"{REMAINING_DAYS_TAG}={remaining_days}"} if remaining_days else {}
        try:
            answer = self._s3.put_object(
                Bucket=self.bucket,
                Key=stored.key,
                Body=body,
                IfMatch=f'"{stored.etag}"',
                **stored.attributes,
                **tags,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED:
                return False
            raise
        if answer["ETag"].strip('"') != etag_of(body):
            raise UnexpectedETagError(
                f"S3 gave s3://{self.bucket}/{stored.key} the ETag {answer['ETag']}, no MD5 of it: "
                "the bucket must be encrypted with SSE-S3, as its template says"
            )
        return True


def remaining_days(written: date | None, today: date, retention_days: int, values: range) -> int | None:
    """The shortest of the lives that rules give which ends no sooner than that of an object written on a day;
    None for the whole retention."""
    if written is None:
        return None
    left = retention_days - (today - written).days
    return next((days for days in values if days >= left), None)
