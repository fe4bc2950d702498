"""A versioned S3 bucket in memory, as strict as S3 about conditions, that fails where a test says.

Each call is one atomic step. `die_at`: the number of the step before or after which the function is killed
(every later call of that client dies too); `lose_at`: the step whose answer is lost, so that botocore asks
again, as its retries do.
"""

import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError


class Killed(BaseException):
    """kill -9."""


@dataclass(frozen=True)
class Version:
    id: str
    content: bytes
    etag: str
    metadata: dict[str, str]
    written_at: float


@dataclass
class BucketInMemory:
    """objects: key -> versions, oldest first; None is a delete marker. steps: of all clients."""

    now: Callable[[], float]
    objects: dict[str, list[Version | None]] = field(default_factory=dict)
    uploads: dict[str, tuple[str, dict[int, bytes]]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def current(self, key: str) -> Version | None:
        versions = self.objects.get(key)
        return versions[-1] if versions else None

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix) and self.current(key))

    def put(self, key: str, content: bytes, metadata: dict[str, str] | None = None) -> Version:
        number = next(self.numbers)
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        version = Version(f"v{number}", content, etag, metadata or {}, float(int(self.now())))
        self.objects.setdefault(key, []).append(version)
        return version


def error(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "any")


class Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while chunk := self.read(size):
            yield chunk


class Client:
    """Of one invocation. before: called with the name of each step before it happens."""

    def __init__(
        self,
        bucket: BucketInMemory,
        *,
        die_before: int | None = None,
        die_after: int | None = None,
        lose: frozenset[int] = frozenset(),
        before: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.bucket = bucket
        self.steps = 0
        self._die_before, self._die_after, self._lose = die_before, die_after, lose
        self._before = before
        self._dead = False

    def _step(self, what: Callable[[], Any], name: str = "") -> Any:
        if self._dead:
            raise Killed
        self.steps += 1
        step = self.steps
        self._before(name)
        if step == self._die_before:
            self._dead = True
            raise Killed
        try:
            answer = what()
        except ClientError:
            if step == self._die_after:
                self._dead = True
                raise Killed from None
            raise
        if step == self._die_after:
            self._dead = True
            raise Killed
        return what() if step in self._lose else answer

    def _check(self, key: str, condition: dict[str, Any]) -> None:
        current = self.bucket.current(key)
        if condition.get("IfNoneMatch") == "*" and current:
            raise error("PreconditionFailed", 412)
        if etag := condition.get("IfMatch"):
            if current is None:
                raise error("NoSuchKey", 404)
            if current.etag != etag:
                raise error("PreconditionFailed", 412)

    def put_object(self, **call: Any) -> Any:
        def put() -> Any:
            self._check(call["Key"], call)
            version = self.bucket.put(call["Key"], call["Body"])
            return {"ETag": version.etag, "VersionId": version.id}

        return self._step(put, f"put {call['Key']}")

    def _found(self, key: str, version_id: str | None = None) -> Version:
        versions = self.bucket.objects.get(key, [])
        if version_id is not None:
            for version in versions:
                if version and version.id == version_id:
                    return version
            raise error("NoSuchVersion", 404)
        current = self.bucket.current(key)
        if current is None:
            raise error("NoSuchKey", 404)
        return current

    def get_object(self, **call: Any) -> Any:
        def get() -> Any:
            found = self._found(call["Key"])
            return {**self._described(found), "Body": Body(found.content)}

        return self._step(get, f"get {call['Key']}")

    def head_object(self, **call: Any) -> Any:
        return self._step(lambda: self._described(self._found(call["Key"])), f"head {call['Key']}")

    def _described(self, found: Version) -> dict[str, Any]:
        return {
            "ETag": found.etag,
            "VersionId": found.id,
            "LastModified": datetime.fromtimestamp(found.written_at, UTC),
            "Metadata": found.metadata,
            "Size": len(found.content),
        }

    def copy_object(self, **call: Any) -> Any:
        def copy() -> Any:
            source = self._found(call["CopySource"]["Key"], call["CopySource"]["VersionId"])
            self._check(call["Key"], call)
            self.bucket.put(call["Key"], source.content, call["Metadata"])
            return {}

        return self._step(copy, f"copy {call['Key']}")

    def delete_object(self, **call: Any) -> Any:
        def delete() -> Any:
            self._check(call["Key"], call)
            versions = self.bucket.objects.get(call["Key"], [])
            if call.get("VersionId") is None:
                if versions:
                    versions.append(None)
            else:
                versions[:] = [each for each in versions if not each or each.id != call.get("VersionId")]
            return {}

        return self._step(delete, f"delete {call['Key']}")

    def create_multipart_upload(self, **call: Any) -> Any:
        def create() -> Any:
            upload = f"u{next(self.bucket.numbers)}"
            self.bucket.uploads[upload] = (call["Key"], {})
            return {"UploadId": upload}

        return self._step(create, f"create {call['Key']}")

    def _upload(self, upload: str) -> tuple[str, dict[int, bytes]]:
        if upload not in self.bucket.uploads:
            raise error("NoSuchUpload", 404)
        return self.bucket.uploads[upload]

    def upload_part(self, **call: Any) -> Any:
        def put() -> Any:
            self._upload(call["UploadId"])[1][call["PartNumber"]] = call["Body"]
            return {"ETag": f'"{call["PartNumber"]}"'}

        return self._step(put, f"part {call['Key']}")

    def complete_multipart_upload(self, **call: Any) -> Any:
        def complete() -> Any:
            _, parts = self._upload(call["UploadId"])
            content = b"".join(parts[part["PartNumber"]] for part in call["MultipartUpload"]["Parts"])
            del self.bucket.uploads[call["UploadId"]]
            return {"VersionId": self.bucket.put(call["Key"], content).id}

        return self._step(complete, f"complete {call['Key']}")

    def abort_multipart_upload(self, **call: Any) -> Any:
        return self._step(lambda: self.bucket.uploads.pop(call["UploadId"], None), f"abort {call['Key']}")

    def get_paginator(self, operation: str) -> "ListedPages":
        return ListedPages(self, operation)


@dataclass
class ListedPages:
    client: Client
    operation: str

    def paginate(self, **call: Any) -> Iterator[Any]:
        prefix = call["Prefix"]
        bucket = self.client.bucket

        def objects() -> Any:
            return {
                "Contents": [
                    {"Key": key, **self.client._described(version)}
                    for key in bucket.keys(prefix)
                    if (version := bucket.current(key))
                ]
            }

        def versions() -> Any:
            return {
                "Versions": [
                    {"Key": key, "VersionId": version.id, "ETag": version.etag}
                    for key, found in sorted(bucket.objects.items())
                    if key.startswith(prefix)
                    for version in reversed(found)
                    if version
                ]
            }

        what = objects if self.operation == "list_objects_v2" else versions
        yield self.client._step(what, f"list {prefix}")
