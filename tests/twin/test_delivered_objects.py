"""Reading a bucket to which Firehose delivered."""

import gzip
import io
from types import SimpleNamespace
from typing import Any, cast

from names import OREGON
from twin.emulator import Emulator
from twin.reconciliation import lines


def bucket(objects: dict[str, bytes]) -> Emulator:
    """An emulator with these objects in every bucket, two a page."""

    def paginate(**_: Any) -> list[dict[str, Any]]:
        keys = sorted(objects)
        return [{"Contents": [{"Key": key} for key in keys[at : at + 2]]} for at in range(0, len(keys), 2)]

    s3 = SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(paginate=paginate),
        get_object=lambda Bucket, Key: {"Body": io.BytesIO(objects[Key])},  # noqa: N803, ARG005 (boto3's names)
    )
    return cast(Emulator, SimpleNamespace(client=lambda *_: s3))


def test_a_repeated_delivery_is_read_once_and_a_click_sent_twice_twice() -> None:
    delivered = {"1": b"a\nb\n", "2": b"b\nc\n", "3": b"a\nb\n", "4": b"b\nb\n"}
    read = list(lines(bucket(delivered), OREGON, "raw", "raw/"))
    assert read == [b"a", b"b", b"b", b"c", b"b", b"b"]


def test_a_repeated_delivery_is_recognised_by_its_content() -> None:
    delivered = {f"{level}.gz": gzip.compress(b"a\n\nb\n", level) for level in (1, 9)}
    assert list(lines(bucket(delivered), OREGON, "raw", "raw/")) == [b"a", b"b"]
