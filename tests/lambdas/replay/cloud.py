"""S3, Firehose and Managed Service for Apache Flink in memory, strict about what they refuse.

Any call may be lost, before or after it has had its effect."""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from contract.sink import SINKS
from lambdas.replay.properties import SUCCESS

TABLE = SINKS[0].table
T = TypeVar("T")


class LostCallError(Exception):
    """The function was ended, or an answer was lost."""


class LostCalls:
    """At which calls, by number, something is lost: "before" the call or "after" it."""

    def __init__(self, at: dict[int, str] | None = None) -> None:
        self.at = at or {}
        self.calls = 0

    def around(self, call: Callable[[], T]) -> T:
        self.calls += 1
        fault = self.at.pop(self.calls, None)
        if fault == "before":
            raise LostCallError
        result = call()
        if fault == "after":
            raise LostCallError
        return result


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Call",
    )


class MemoryS3:
    def __init__(self, faults: LostCalls) -> None:
        self.objects: dict[str, bytes] = {}
        self._faults = faults

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **conditions: str) -> dict[str, Any]:  # noqa: N803
        def put() -> dict[str, Any]:
            there = self.objects.get(f"{Bucket}/{Key}")
            if "IfNoneMatch" in conditions and there is not None:
                raise refusal("PreconditionFailed", 412)
            if "IfMatch" in conditions and there is None:
                raise refusal("NoSuchKey", 404)
            if "IfMatch" in conditions and _etag(there or b"") != conditions["IfMatch"]:
                raise refusal("PreconditionFailed", 412)
            self.objects[f"{Bucket}/{Key}"] = Body
            return {"ETag": _etag(Body)}

        return self._faults.around(put)

    def get_object(self, *, Bucket: str, Key: str, Range: str = "bytes=0-") -> dict[str, Any]:  # noqa: N803
        def get() -> dict[str, Any]:
            if f"{Bucket}/{Key}" not in self.objects:
                raise refusal("NoSuchKey", 404)
            at = int(Range.removeprefix("bytes=").removesuffix("-"))
            whole = self.objects[f"{Bucket}/{Key}"]
            return {"Body": _Body(whole[at:]), "ETag": _etag(whole)}

        return self._faults.around(get)

    def copy_object(self, *, Bucket: str, Key: str, CopySource: dict[str, str]) -> None:  # noqa: N803
        source = f"{CopySource['Bucket']}/{CopySource['Key']}"
        self._faults.around(lambda: self.objects.update({f"{Bucket}/{Key}": self.objects[source]}))

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        self._faults.around(lambda: self.objects.pop(f"{Bucket}/{Key}", None))

    def get_paginator(self, _operation: str) -> "MemoryS3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        def found() -> list[dict[str, Any]]:
            keys = sorted(key for key in self.objects if key.startswith(f"{Bucket}/{Prefix}"))
            names = [{"Key": key.removeprefix(f"{Bucket}/"), "Size": len(self.objects[key])} for key in keys]
            return [{"Contents": names}]

        return self._faults.around(found)


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class _Body(io.BytesIO):
    def iter_lines(self, chunk_size: int) -> list[bytes]:  # noqa: ARG002
        return self.read().split(b"\n")[:-1]


class MemoryFirehose:
    def __init__(self, faults: LostCalls) -> None:
        self.put: list[bytes] = []
        self._faults = faults

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> Any:  # noqa: N803
        assert DeliveryStreamName == "counts"

        def put() -> Any:
            self.put += [record["Data"] for record in Records]
            return {"RequestResponses": [{"RecordId": "1"}] * len(Records)}

        return self._faults.around(put)


class MemoryFlink:
    """ends_as: the status of an application whose job has ended; job: called once it runs, writes its counts,
    and returns whether it succeeded."""

    def __init__(self, faults: LostCalls, *, ends_as: str, job: Callable[[dict[str, Any]], bool]) -> None:
        self.application: dict[str, Any] | None = None
        self.created = 0
        self.refuses: str | None = None
        """The error with which StopApplication and DeleteApplication answer."""
        self.shows_late = False
        """DescribeApplication does not yet show what was last asked for."""
        self._faults = faults
        self._ends_as = ends_as
        self._job = job

    def describe_application(self, *, ApplicationName: str) -> dict[str, Any]:  # noqa: ARG002, N803
        def describe() -> dict[str, Any]:
            if self.application is None:
                raise refusal("ResourceNotFoundException")
            shown = {"ApplicationStatus": "READY"} if self.shows_late else {}
            return {"ApplicationDetail": self.application | shown}

        return self._faults.around(describe)

    def create_application(self, **request: Any) -> None:
        def create() -> None:
            if self.application is not None:
                raise refusal("ResourceInUseException")
            self.created += 1
            self.application = {"ApplicationStatus": "READY", "CreateTimestamp": self.created, **request}

        self._faults.around(create)

    def start_application(self, *, ApplicationName: str, RunConfiguration: dict[str, Any]) -> None:  # noqa: ARG002, N803
        def start() -> None:
            assert self.application is not None
            if self.application["ApplicationStatus"] != "READY":
                raise refusal("ResourceInUseException")
            self.application["ApplicationStatus"] = "STARTING"

        self._faults.around(start)

    def stop_application(self, *, ApplicationName: str, Force: bool) -> None:  # noqa: ARG002, N803
        def stop() -> None:
            assert Force
            if self.refuses:
                raise refusal(self.refuses)
            assert self.application is not None
            if self.application["ApplicationStatus"] not in ("STARTING", "RUNNING"):
                raise refusal("ResourceInUseException")
            self.application["ApplicationStatus"] = "FORCE_STOPPING"

        self._faults.around(stop)

    def delete_application(self, *, ApplicationName: str, CreateTimestamp: int) -> None:  # noqa: ARG002, N803
        def delete() -> None:
            assert self.application is not None
            assert self.application["CreateTimestamp"] == CreateTimestamp
            if self.refuses:
                raise refusal(self.refuses)
            if self.application["ApplicationStatus"] != "READY":
                raise refusal("ResourceInUseException")
            self.application["ApplicationStatus"] = "DELETING"

        self._faults.around(delete)

    def list_application_operations(self, **_: Any) -> dict[str, Any]:
        return self._faults.around(lambda: {"ApplicationOperationInfoList": [{"OperationId": "1"}]})

    def describe_application_operation(self, **_: Any) -> dict[str, Any]:
        details = {"OperationFailureDetails": {"ErrorInfo": {"ErrorString": "no\n permission"}}}
        return self._faults.around(lambda: {"ApplicationOperationInfoDetails": details})

    def time_passes(self) -> None:
        """What the service was asked to do is done."""
        if self.application is None:
            return
        status = self.application["ApplicationStatus"]
        if status == "STARTING":
            self.application["ApplicationStatus"] = "RUNNING"
        elif status == "RUNNING" and "done" not in self.application:
            self.application["done"] = True
            if not self._job(self.application):
                self.application["ApplicationStatus"] = "READY"
            else:
                self.application["ApplicationStatus"] = self._ends_as
        elif status == "FORCE_STOPPING":
            self.application["ApplicationStatus"] = "READY"
        elif status == "DELETING":
            self.application = None


def properties(application: dict[str, Any]) -> dict[str, dict[str, str]]:
    groups = application["ApplicationConfiguration"]["EnvironmentProperties"]["PropertyGroups"]
    return {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}


def writes_counts(s3: MemoryS3, counts: list[list[int]]) -> Callable[[dict[str, Any]], bool]:
    """A job that writes a file of counts for each list, of so many clicks each."""

    def job(application: dict[str, Any]) -> bool:
        folder = properties(application)[TABLE]["path"].removeprefix("s3://")
        for number, clicks in enumerate(counts):
            s3.objects[f"{folder}/part-{number}"] = b"".join(map(line, clicks))
        s3.objects[f"{folder}/{SUCCESS}"] = b""
        return True

    return job


def line(clicks: int) -> bytes:
    return json.dumps({"minute": "2026-02-09T09:30:00.000Z", "clicks": clicks}).encode() + b"\n"
