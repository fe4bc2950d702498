"""The segments bucket: what the publisher reads and writes there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CHUNK_BYTES = 1024 * 1024
PART_BYTES = 16 * 1024 * 1024
"""Of a staged copy; a multipart upload takes 10,000 parts (S3 user guide, "Multipart upload limits")."""
_GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
_CHANGED = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_BUSY = frozenset({408, 429})


class Content(NamedTuple):
    content: bytes
    etag: str


class Listed(NamedTuple):
    """written_at: epoch seconds; size: in bytes."""

    key: str
    etag: str
    written_at: float
    size: int


class StoredVersion(NamedTuple):
    """id: S3's of this version of an object."""

    id: str
    etag: str


class Head(NamedTuple):
    metadata: Mapping[str, str]
    written_at: float


@dataclass(frozen=True)
class Opened:
    """An object being read. metadata: names in lower case; chunks: read once."""

    version: str
    etag: str
    written_at: float
    metadata: Mapping[str, str]
    chunks: Iterator[bytes]


def code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def is_refusal(error: ClientError) -> bool:
    """Whether S3 will answer the same again: the object is encrypted with a key we may not use, archived, or
    too large to be copied."""
    status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return 400 <= status < 500 and status not in _BUSY and code(error) not in ("RequestTimeout", "SlowDown")


class Storage:
    """Raises botocore's errors."""

    def __init__(self, bucket: str, s3: Any) -> None:
        """s3: a client of boto3, as `connected` makes it."""
        self._bucket = bucket
        self._s3 = s3

    @classmethod
    def connected(cls, bucket: str, region: str) -> "Storage":
        config = Config(
            connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
        )
        return cls(bucket, boto3.client("s3", region_name=region, config=config))

    def listed(self, prefix: str) -> Iterator[Listed]:
        """In the order of their keys."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield Listed(found["Key"], found["ETag"], found["LastModified"].timestamp(), found["Size"])

    def read(self, key: str) -> Content | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code(error) in _GONE:
                return None
            raise
        return Content(answer["Body"].read(), answer["ETag"])

    def write(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)

    def write_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str | None:
        """The new ETag; None, and nothing is written, if the object no longer has this ETag.

        etag: None if there was no object.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            answer = self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, **condition)
        except ClientError as error:
            if code(error) in _CHANGED | _GONE:
                return None
            raise
        return str(answer["ETag"])

    @contextmanager
    def opened(self, key: str) -> Iterator[Opened | None]:
        """The current object; None if there is none."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code(error) in _GONE:
                yield None
                return
            raise
        with closing(answer["Body"]) as body:
            yield Opened(
                version=answer["VersionId"],
                etag=answer["ETag"],
                written_at=answer["LastModified"].timestamp(),
                metadata=answer["Metadata"],
                chunks=body.iter_chunks(CHUNK_BYTES),
            )

    def head(self, key: str) -> Head | None:
        try:
            answer = self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code(error) in _GONE:
                return None
            raise
        return Head(answer["Metadata"], answer["LastModified"].timestamp())

    def copy(self, key: str, version: str, to: str, *, metadata: Mapping[str, str], replaces: bool) -> bool:
        """Copy a version of an object, atomically; False if it is gone or, unless `replaces`, `to` is there.

        S3 takes the condition of a copy since October 2025 ("Amazon S3 adds conditional write functionality
        to copy operations", https://aws.amazon.com/about-aws/whats-new/2025/10/). Without tags, which would
        need permissions of their own.
        """
        try:
            self._s3.copy_object(
                Bucket=self._bucket,
                Key=to,
                CopySource={"Bucket": self._bucket, "Key": key, "VersionId": version},
                MetadataDirective="REPLACE",
                Metadata=dict(metadata),
                TaggingDirective="REPLACE",
                **({} if replaces else {"IfNoneMatch": "*"}),
            )
        except ClientError as error:
            if code(error) in _CHANGED | _GONE:
                return False
            raise
        return True

    def delete(self, key: str) -> None:
        """What was there can be had back for 30 days. Deleting a missing object is no error."""
        self._s3.delete_object(Bucket=self._bucket, Key=key)

    def delete_if_unchanged(self, key: str, etag: str) -> None:
        """Like `delete`, unless the object has another ETag by now."""
        try:
            self._s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=etag)
        except ClientError as error:
            if code(error) not in _CHANGED | _GONE:
                raise

    def versions(self, key: str) -> list[StoredVersion]:
        """Of an object, the newest first, as S3 lists them (API reference, ListObjectVersions)."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        return [
            StoredVersion(each["VersionId"], each["ETag"])
            for page in pages
            for each in page.get("Versions", [])
            if each["Key"] == key
        ]

    def delete_up_to(
        self, key: str, version: str, before: Callable[[list[StoredVersion]], None] = lambda _: None
    ) -> None:
        """Delete this version of an object and all before it for good, oldest first. Later ones stay; where
        it is gone already, nothing is deleted. before: gets those before it, if there are any, first."""
        found = self.versions(key)
        at = next((at for at, each in enumerate(found) if each.id == version), len(found))
        if found[at + 1 :]:
            before(found[at + 1 :])
        for older in reversed(found[at:]):
            self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=older.id)

    def staging(self, key: str) -> "Staging":
        return Staging(self._s3, self._bucket, key)


class Staging:
    """Writes an object chunk by chunk, in bounded memory. It is there when `finish` has been called."""

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self._s3 = s3
        self._at = {"Bucket": bucket, "Key": key}
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._open: list[bytes] = []
        self._bytes = 0

    def add(self, chunk: bytes) -> None:
        self._open.append(chunk)
        self._bytes += len(chunk)
        if self._bytes >= PART_BYTES:
            self._write_part()

    def finish(self) -> str:
        """The S3 version id of the object, whose content must not be empty."""
        if self._open:
            self._write_part()
        answer = self._s3.complete_multipart_upload(
            **self._at, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )
        return str(answer["VersionId"])

    def abandon(self) -> None:
        """What a died invocation leaves, the bucket's lifecycle rule deletes."""
        if self._upload:
            self._s3.abort_multipart_upload(**self._at, UploadId=self._upload)

    def _write_part(self) -> None:
        if self._upload is None:
            self._upload = self._s3.create_multipart_upload(**self._at)["UploadId"]
        number = len(self._parts) + 1
        part = self._s3.upload_part(
            **self._at, UploadId=self._upload, PartNumber=number, Body=b"".join(self._open)
        )
        self._parts.append({"PartNumber": number, "ETag": part["ETag"]})
        self._open, self._bytes = [], 0
