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

    def get_object(*, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803, ARG001 (boto3's names)
        return {"Body": io.BytesIO(objects[Key])}

    s3 = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate), get_object=get_object)
    return cast(Emulator, SimpleNamespace(client=lambda *_: s3))


def test_every_line_of_every_object_is_read_gzipped_or_not() -> None:
    delivered = {"1": b"a\nb\n", "2.gz": gzip.compress(b"b\n\n \t\nc\n"), "3": b"a\nb\n"}
    assert list(lines(bucket(delivered), OREGON, "raw", "raw/")) == [b"a", b"b", b"b", b"c", b"a", b"b"]
