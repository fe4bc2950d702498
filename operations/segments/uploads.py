"""Putting a file before the publisher of the segments, and what became of it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contract.gunzip import NotGzipError, gunzip
from contract.segments import problem_of_name
from contract.segments_receipt import ALLOW, CORRECTS, SUCCEEDS, is_gzipped
from names import INCOMING_SEGMENTS_PREFIX
from operations.operator import RefusedError

MAX_BYTES = 5_000_000_000
"""One PutObject takes 5 GB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html"""


_CHUNK_BYTES = 1 << 20
_IS_THERE = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True)
class SentFile:
    """name: without its prefix; version: S3's, which tells it from an earlier upload of that name; file: that
    was sent, None if it was no file."""

    name: str
    version: str
    file: Path | None = None

    def has_plain_bytes(self, sha256: str) -> bool:
        """Whether the file that was sent holds these, packed or not. Raises OSError."""
        if self.file is None:
            return False
        digest = hashlib.sha256()
        with self.file.open("rb") as content:
            chunks = iter(partial(content.read, _CHUNK_BYTES), b"")
            try:
                for chunk in gunzip(chunks) if is_gzipped(self.name) else chunks:
                    digest.update(chunk)
            except NotGzipError:
                return False
        return digest.hexdigest() == sha256


def metadata_of(
    allow: frozenset[str], *, succeeds: str | None = None, corrects: str | None = None
) -> dict[str, str]:
    """Of an upload. allow: what it may do; succeeds: the version that it was made from, unless any may be
    before it; corrects: the past version that it corrects, None if it is a new one."""
    given = {ALLOW: ",".join(sorted(allow)), SUCCEEDS: succeeds, CORRECTS: corrects}
    return {name: value for name, value in given.items() if value}


@contextmanager
def _new(name: str) -> Iterator[None]:
    """Around a request on the condition that no upload of this name waits. Raises RefusedError.

    S3 takes it where nothing, or a delete marker, is current (user guide, "How to prevent object overwrites
    with conditional writes"). It is also refused if the answer to an attempt that succeeded was lost.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _IS_THERE:
            raise
        raise RefusedError(
            f"an upload named {name} waits for the publisher already: give the command again in some minutes,"
            " when it is decided, or publish under another name"
        ) from error


def check_upload(file: Path, name: str) -> None:
    """Raises RefusedError if the file cannot be published, whatever is published already."""
    problem = problem_of_name(name)
    if problem is not None:
        raise RefusedError(f"{name!a}: {problem}")
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise RefusedError(f"{file} is no file: name a .csv or a .csv.gz")
        if size > MAX_BYTES:
            raise RefusedError(
                f"{file} has {size:,} bytes, and S3 takes {MAX_BYTES:,} at once: pack it with gzip"
            )
        file.open("rb").close()
    except OSError as error:
        raise RefusedError(f"{file} cannot be read: {error.strerror}") from error


def upload(client: Any, bucket: str, file: Path, name: str, metadata: dict[str, str]) -> SentFile:
    """metadata: of `metadata_of`. Sends nothing and raises RefusedError if the file cannot be published."""
    check_upload(file, name)
    try:
        with file.open("rb") as content, _new(name):
            answer = client.put_object(
                Bucket=bucket,
                Key=INCOMING_SEGMENTS_PREFIX + name,
                Body=content,
                Metadata=metadata,
                IfNoneMatch="*",
            )
    except OSError as error:
        raise RefusedError(f"{file} cannot be read: {error.strerror}") from error
    return SentFile(name, answer["VersionId"], file)


def upload_again(
    client: Any, bucket: str, key: str, name: str, *, allow: frozenset[str], succeeds: str | None
) -> SentFile:
    """What stands under `key` of the same bucket, as a new upload. succeeds: valid_from of the version that
    must still be the newest when it is published, if any must. Raises RefusedError."""
    with _new(name):
        answer = client.copy_object(
            Bucket=bucket,
            Key=INCOMING_SEGMENTS_PREFIX + name,
            CopySource={"Bucket": bucket, "Key": key},
            MetadataDirective="REPLACE",
            Metadata=metadata_of(allow, succeeds=succeeds),
            IfNoneMatch="*",
        )
    return SentFile(name, answer["VersionId"])
