"""The objects of a bucket by the hour of their delivery, and their lines."""

import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

HOUR = timedelta(hours=1)
AHEAD = 4
"""Objects that are fetched while one is read."""
_GZIP = b"\x1f\x8b"
_BLOCK_BYTES = 8 * 1024 * 1024
_DISGUISES = (b"\\u00", b"\xc0", b"\xc1", b"\xe0\x80", b"\xe0\x81", b"\xf0\x80")
"""What begins a character of a time written in another way: escaped, or as the overlong UTF-8 that the
application accepts."""
_FEW_HOURS = 3


class UnreadableContentError(Exception):
    """The object begins as gzip but cannot be read as such."""


class DeliveredObject(NamedTuple):
    """hour: in its key, the one of its delivery; None for one that is not sorted by hours. etag: without
    quotes."""

    key: str
    written_at: datetime
    etag: str
    hour: datetime | None


def hours_between(since: datetime, until: datetime) -> list[datetime]:
    """The hours, in UTC, that overlap the time from `since` to `until`."""
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = []
    while hour < until:
        hours.append(hour)
        hour += HOUR
    return hours


def objects_below(
    s3: Any, bucket: str, prefix: str, hour: datetime | None = None
) -> Iterator[DeliveredObject]:
    """In the order of their keys."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            yield DeliveredObject(found["Key"], found["LastModified"], found["ETag"].strip('"'), hour)


def objects_of(s3: Any, bucket: str, prefix: str, hours: Iterable[datetime]) -> Iterator[DeliveredObject]:
    """Those that were delivered in these hours. prefix: above the hours."""
    for hour in hours:
        yield from objects_below(s3, bucket, f"{prefix}{hour:%Y/%m/%d/%H}/", hour)


def contents(
    s3: Any, bucket: str, objects: Iterable[DeliveredObject]
) -> Iterator[tuple[DeliveredObject, bytes]]:
    """Each object as it is stored, with the ETag that it has then; one that is gone by then is left out."""

    def fetch(key: str) -> tuple[str, bytes] | None:
        try:
            got = s3.get_object(Bucket=bucket, Key=key)
            return got["ETag"].strip('"'), got["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    with ThreadPoolExecutor(AHEAD) as executor:
        under_way: deque[tuple[DeliveredObject, Future[tuple[str, bytes] | None]]] = deque()
        each = iter(objects)
        while True:
            while len(under_way) < AHEAD and (found := next(each, None)):
                under_way.append((found, executor.submit(fetch, found.key)))
            if not under_way:
                return
            found, future = under_way.popleft()
            if (got := future.result()) is not None:
                etag, content = got
                yield found._replace(etag=etag), content


def texts_of(since: datetime, until: datetime) -> tuple[bytes, ...]:
    """Texts of which one is in the `clicked_at` of every click from `since` to `until`."""
    hours = hours_between(since, until)
    if len(hours) <= _FEW_HOURS:
        return tuple(f"{hour:%Y-%m-%dT%H:}".encode() for hour in hours)
    return tuple(sorted({f"{hour:%Y-%m-%dT}".encode() for hour in hours}))


def lines(content: bytes, texts: Sequence[bytes] = ()) -> Iterator[bytes]:
    """The lines of an object, gzipped or not, without blank ones. texts: only lines that may have one of them
    in a value. Raises UnreadableContentError."""
    stream = io.BytesIO(content)
    try:
        for block in _blocks(gzip.GzipFile(fileobj=stream) if content[:2] == _GZIP else stream):
            if not texts:
                yield from (line for line in block.split(b"\n") if line.strip(b" \t\r"))
            elif found := [text for text in (*texts, *_DISGUISES) if text in block]:
                yield from (line for line in block.split(b"\n") if any(text in line for text in found))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableContentError(str(error)) from error


def _blocks(stream: Any) -> Iterator[bytes]:
    """Whole lines, many at a time."""
    begun: list[bytes] = []
    while block := stream.read(_BLOCK_BYTES):
        end = block.rfind(b"\n")
        if end < 0:
            begun.append(block)
            continue
        yield b"".join([*begun, block[:end]])
        begun = [block[end + 1 :]]
    yield b"".join(begun)
