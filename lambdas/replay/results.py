"""What a replay keeps in the raw bucket: its state, its versions of the segments, its counts, its outcome."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from lambdas.replay.properties import SUCCESS
from names import REPLAYS_PREFIX

RUNNING = f"{REPLAYS_PREFIX}running.json"
"""The state of the replay that runs; none runs if it is missing."""


_OVERTAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


class OvertakenError(Exception):
    """Another invocation has changed the state since this one read it, and goes on from there."""


class Results:
    """client: of S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._read_as = ""  # ETag of the state

    def running(self) -> dict[str, Any] | None:
        return self._read(RUNNING)

    def begin(self, state: dict[str, Any]) -> bool:
        """False if another replay runs: of two that begin at once, one does."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=RUNNING, Body=_bytes(state), IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in _OVERTAKEN:
                return False
            raise
        return True

    def save(self, state: dict[str, Any]) -> None:
        """In place of the state as it was read. Raises OvertakenError."""
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=RUNNING, Body=_bytes(state), IfMatch=self._read_as
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _OVERTAKEN:
                raise OvertakenError from error
            raise
        self._read_as = answer["ETag"]

    def end(self) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=RUNNING)

    def tell(self, number: str, outcome: dict[str, Any]) -> None:
        self._client.put_object(Bucket=self._bucket, Key=outcome_key(number), Body=_bytes(outcome))

    def outcome(self, number: str) -> dict[str, Any] | None:
        return self._read(outcome_key(number))

    def is_complete(self, number: str, table: str) -> bool:
        return any(key.endswith(f"/{SUCCESS}") for key, _ in self._below(counts_prefix(number, table)))

    def files(self, number: str, table: str) -> list[tuple[str, int]]:
        """The files of counts, each with its bytes, in order."""
        found = self._below(counts_prefix(number, table))
        return [(key, size) for key, size in found if key.rpartition("/")[2][0] not in "._"]

    def lines(self, key: str, at: int = 0) -> Iterator[bytes]:
        """From this byte on, each with its end."""
        answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=f"bytes={at}-")
        for line in answer["Body"].iter_lines(chunk_size=1024 * 1024):
            yield line + b"\n"

    def copy_version(self, number: str, bucket: str, key: str, source: str) -> None:
        """A version of the segments, so that none expires meanwhile and no other is read. source: its key, or
        that of its correction."""
        name = key.rpartition("/")[2]
        self._client.copy_object(
            Bucket=self._bucket,
            Key=f"{segments_prefix(number)}{name}",
            CopySource={"Bucket": bucket, "Key": source},
        )

    def take_away(self, number: str) -> None:
        """All but the outcome."""
        for key, _ in self._below(f"{REPLAYS_PREFIX}{number}/"):
            if key != outcome_key(number):
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def _below(self, prefix: str) -> list[tuple[str, int]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [(found["Key"], found["Size"]) for page in pages for found in page.get("Contents", [])]

    def _read(self, key: str) -> dict[str, Any] | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        if key == RUNNING:
            self._read_as = answer["ETag"]
        content: dict[str, Any] = json.loads(answer["Body"].read())
        return content


def _bytes(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def outcome_key(number: str) -> str:
    return f"{REPLAYS_PREFIX}{number}/outcome.json"


def counts_prefix(number: str, table: str) -> str:
    return f"{REPLAYS_PREFIX}{number}/{table}/"


def segments_prefix(number: str) -> str:
    return f"{REPLAYS_PREFIX}{number}/segments/"
