"""Objects of failed documents in S3: listing, reading, and writing in parts by fate."""

import gzip
import hashlib
import io
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PART_DOCUMENTS = 5_000
PART_BYTES = 4 * 1024 * 1024
"""A part ends at either limit: some ten requests to Firehose, and little memory however long a line is."""

TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_GZIP = b"\x1f\x8b"


class UnreadableObjectError(Exception):
    """The object begins as gzip but cannot be read as such."""


class StoredObject(NamedTuple):
    """`written_at`: epoch seconds; `bytes`: as stored."""

    key: str
    bytes: int
    written_at: float


class Bucket:
    """Raises botocore's errors."""

    def __init__(self, name: str, region: str) -> None:
        self._name = name
        self._s3: Any = boto3.client(
            "s3",
            region_name=region,
            config=Config(
                connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
            ),
        )

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """In the order of their keys."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix):
            for found in page.get("Contents", []):
                yield StoredObject(found["Key"], found["Size"], found["LastModified"].timestamp())

    def lines(self, key: str) -> Iterator[bytes]:
        """The lines of an object, gzipped or not; none if it is gone. Raises UnreadableObjectError."""
        try:
            body = self._s3.get_object(Bucket=self._name, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":  # another invocation was faster
                return
            raise
        stream = io.BufferedReader(body)
        try:
            yield from gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == _GZIP else stream
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnreadableObjectError(f"{key}: {error}") from error

    def write(self, key: str, lines: Iterable[bytes]) -> None:
        content = gzip.compress(b"".join(line + b"\n" for line in lines), compresslevel=1)
        self._s3.put_object(Bucket=self._name, Key=key, Body=content)

    def copy(self, key: str, to: str) -> None:
        self._s3.copy_object(Bucket=self._name, Key=to, CopySource={"Bucket": self._name, "Key": key})

    def delete(self, key: str) -> None:
        """Deleting a missing object is no error."""
        self._s3.delete_object(Bucket=self._name, Key=key)


class Parts:
    """Writes the documents of one object below other prefixes, in parts.

    A part's name depends only on the object, the prefix and the part's place, so a retry after a timeout
    overwrites the first attempt's parts. Names differ between prefixes, so parts of two can be moved to one.
    """

    def __init__(self, bucket: Bucket, source: StoredObject) -> None:
        self._bucket = bucket
        self._source = source
        self._open: dict[tuple[str, float], list[bytes]] = defaultdict(list)
        self._bytes: dict[tuple[str, float], int] = defaultdict(int)
        self._written: dict[tuple[str, float], int] = defaultdict(int)

    def add(self, prefix: str, at: float, document: bytes) -> None:
        """at: epoch seconds, which the part's name begins with."""
        part = (prefix, at)
        self._open[part].append(document)
        self._bytes[part] += len(document)
        if len(self._open[part]) == PART_DOCUMENTS or self._bytes[part] >= PART_BYTES:
            self._write(part)

    def close(self) -> None:
        for part in [part for part, documents in self._open.items() if documents]:
            self._write(part)

    def _write(self, part: tuple[str, float]) -> None:
        prefix, at = part
        origin = _digest(prefix + self._source.key)
        key = f"{prefix}{name_at(at)}-{origin}-{self._written[part]:05}.json.gz"
        self._bucket.write(key, self._open[part])
        self._written[part] += 1
        self._open[part] = []
        self._bytes[part] = 0


def digest(source: StoredObject) -> str:
    return _digest(source.key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def name_at(at: float) -> str:
    """The beginning of an object's name: a UTC time by which names sort."""
    return datetime.fromtimestamp(at, UTC).strftime(TIME_FORMAT)


def time_in(name: str) -> float | None:
    """Epoch seconds of the time at the beginning of an object's name; None if there is none."""
    try:
        return datetime.strptime(name.split("-", maxsplit=1)[0], TIME_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
