"""S3 as an erasure uses it, in memory: strict about conditions, and able to fail at any call."""

import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

WRITTEN = datetime(2026, 1, 31, 12, tzinfo=UTC)


class KilledError(BaseException):
    """The process ends here, like by kill -9: nothing catches it."""


@dataclass
class FakeObject:
    body: bytes
    attributes: dict[str, Any] = field(default_factory=dict)
    written: datetime = WRITTEN

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


class FakeS3:
    """objects: by bucket and key; before: called with the number and name of each call, and of each answer to
    a write, which it may end; writes: bucket and key of each."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], FakeObject] = {}
        self.calls = 0
        self.now = WRITTEN
        self.writes: list[tuple[str, str]] = []
        self.before: Callable[[int, str], None] = lambda _number, _name: None
        self._lock = threading.RLock()

    def add(self, bucket: str, key: str, body: bytes, **attributes: Any) -> None:
        self.objects[bucket, key] = FakeObject(body, attributes, self.now)

    def _called(self, name: str) -> None:
        with self._lock:
            self.calls += 1
            self.before(self.calls, name)

    def get_paginator(self, _: str) -> "FakeS3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        self._called("list")
        found = sorted((key, each) for (bucket, key), each in self.objects.items() if bucket == Bucket)
        listed = [
            {"Key": key, "ETag": each.etag, "LastModified": each.written}
            for key, each in found
            if key.startswith(Prefix)
        ]
        for start in range(0, len(listed), 3):
            yield {"Contents": listed[start : start + 3]}
        yield {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self._called("get")
        found = self.objects.get((Bucket, Key))
        if found is None:
            raise refused("NoSuchKey")
        about = {"ETag": found.etag, "LastModified": found.written, **found.attributes}
        return {"Body": io.BytesIO(found.body), **about}

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        **attributes: Any,
    ) -> dict[str, Any]:
        self._called("put")
        found = self.objects.get((Bucket, Key))
        if IfMatch is not None and (found is None or found.etag != IfMatch):
            raise refused("PreconditionFailed" if found else "NoSuchKey")
        written = self.objects[Bucket, Key] = FakeObject(Body, attributes, self.now)
        self.writes.append((Bucket, Key))
        self._called("answer")
        return {"ETag": written.etag}

    def upload_fileobj(self, file: Any, bucket: str, key: str, *, ExtraArgs: dict[str, Any]) -> None:  # noqa: N803
        self.put_object(Bucket=bucket, Key=key, Body=file.read(), **ExtraArgs)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "PutObject")
