"""The same over the emulated S3: it honours conditions as S3 does, and deliveries go on meanwhile.

ERASURE_OBJECTS: how many raw objects (1,000 take half a minute); the time is printed with `pytest -s`.
"""

import gzip
import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from contract.tally import in_effect, tallies
from names import ERASED_PREFIX, OREGON
from operations.erasure.erasing import Erasure, places
from operations.erasure.reader import ErasedReader
from operations.erasure.storage import Objects, etag_of
from twin.emulator import Emulator

OBJECTS = int(os.environ.get("ERASURE_OBJECTS", "40"))
LINES, CLICKS_A_LINE, READERS = 40, 25, 500
"""A line is a pack, as a web server sends it."""


@pytest.fixture
def s3(emulator: Emulator) -> Any:
    return emulator.client("s3", OREGON)


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    name = f"erasure-{uuid4().hex}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": OREGON})
    yield name
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for found in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=found["Key"])
    s3.delete_bucket(Bucket=name)


def content(number: int) -> bytes:
    """Of an object; each reader has as many clicks in it, give or take one."""
    at = f"2026-01-31T09:{number % 60:02}:00.000Z"
    lines = []
    for line in range(LINES):
        first = (number * LINES + line) * CLICKS_A_LINE
        clicks = [
            {
                "click_id": f"{each}",
                "clicked_at": at,
                "user_id": f"reader-{each % READERS}",
                "article_id": "a",
            }
            for each in range(first, first + CLICKS_A_LINE)
        ]
        lines.append("".join(json.dumps(click, separators=(",", ":")) for click in clicks))
    return "\n\n".join([*lines, ""]).encode()


def body(objects: Objects, key: str) -> bytes:
    found = objects.get(key)
    assert found
    return found.body


def put(s3: Any, bucket: str, number: int) -> None:
    body = gzip.compress(content(number), compresslevel=1)
    s3.put_object(Bucket=bucket, Key=f"raw/2026/01/31/09/{number:06}.json.gz", Body=body)


def test_a_conditional_write_is_refused_where_s3_refuses_it(s3: Any, bucket: str) -> None:
    objects = Objects(s3, bucket)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", ContentType="text/a", Metadata={"k": "v"})
    first = objects.get("a")
    assert first is not None
    assert first.etag == etag_of(b"1")
    assert objects.replace(first, b"2", remaining_days=9)
    assert not objects.replace(first, b"3", remaining_days=None)
    second = objects.get("a")
    assert second is not None
    assert (second.body, second.attributes) == (b"2", {"ContentType": "text/a", "Metadata": {"k": "v"}})
    assert [listed.etag for listed in objects.list("a")] == [second.etag] == [etag_of(b"2")]
    tags = s3.get_object_tagging(Bucket=bucket, Key="a")["TagSet"]
    assert tags == [{"Key": "remaining-days", "Value": "9"}]
    s3.delete_object(Bucket=bucket, Key="a")
    assert not objects.replace(second, b"4", remaining_days=None)
    assert objects.get("a") is None


def test_a_reader_is_erased_beside_deliveries(s3: Any, bucket: str) -> None:
    for number in range(OBJECTS):
        put(s3, bucket, number)
    ended = threading.Event()

    def deliver() -> None:
        number = OBJECTS
        while not ended.is_set():
            put(s3, bucket, number)
            number += 1
            ended.wait(0.1)

    delivering = threading.Thread(target=deliver)
    delivering.start()
    objects = Objects(s3, bucket)
    erasure = Erasure(
        places=places(raw=objects, rejected=objects, dead_letters=objects),
        tallies=objects,
        reader=ErasedReader("reader-7"),
        run="run",
        retention_days=90,
        today=datetime.now(UTC).date(),
        tell=lambda _: ended.set(),  # after the first pass over the raw backup
    )
    began = time.monotonic()
    report = erasure.erase()
    seconds = time.monotonic() - began
    delivering.join()
    erasure.erase()  # what came after the last listing
    print(f"\n{report.objects} objects, {report.bytes / 1e6:.1f} MB packed, {seconds:.1f} s: {report.taken}")

    stored = {listed.key: listed.etag for listed in objects.list("raw/")}
    found = [tally for listed in objects.list(ERASED_PREFIX) for tally in tallies(body(objects, listed.key))]
    assert len(stored) > OBJECTS
    left = sum(gzip.decompress(body(objects, key)).count(b"click_id") for key in stored)
    gone = sum(tally.received for tally in in_effect(found, stored))
    assert left + gone == len(stored) * LINES * CLICKS_A_LINE
    assert gone == len(stored) * LINES * CLICKS_A_LINE // READERS
    assert erasure.look().taken == {}
