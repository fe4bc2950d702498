"""What the publisher made of an upload, read from its receipt or its reasons."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from contract.segments_receipt import Receipt, RefusedUpload, reasons_name, receipt_name
from names import INCOMING_SEGMENTS_PREFIX, REFUSED_SEGMENTS_PREFIX, SEGMENTS_RECEIPTS_PREFIX
from operations.operator import OperatorError
from operations.segments.uploads import SentFile

POLL_SECONDS = 2
_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Decision:
    """receipt: of the version with these bytes; is_new: published now, not by an earlier upload; refused: why
    there is none."""

    receipt: Receipt | None = None
    is_new: bool = True
    refused: RefusedUpload | None = None


def decision_on(client: Any, bucket: str, sent: SentFile, wait: timedelta) -> Decision | None:
    """None if the publisher has not decided after `wait`. Raises OperatorError if the upload is gone."""
    end = time.monotonic() + wait.total_seconds()
    while (found := _decision(client, bucket, sent)) is None and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return found


def _decision(client: Any, bucket: str, sent: SentFile) -> Decision | None:
    """The publisher writes what it decided before it deletes the upload."""
    key = INCOMING_SEGMENTS_PREFIX + sent.name
    if key in (listed["Key"] for listed in listed_objects(client, bucket, key)):
        return None
    refused = _read(client, bucket, f"{REFUSED_SEGMENTS_PREFIX}{reasons_name(sent.name)}")
    if refused is not None and (why := RefusedUpload.from_json(refused)).upload == sent.version:
        return Decision(refused=why)
    published = _read(client, bucket, f"{SEGMENTS_RECEIPTS_PREFIX}{receipt_name(sent.name)}")
    if published is None:
        raise OperatorError(
            f"{sent.name} is gone and was not decided: another upload of that name came after it, or somebody"
            " deleted it; publish it again"
        )
    receipt = Receipt.from_json(published)
    is_new = receipt.upload == sent.version
    if not is_new and not sent.has_plain_bytes(receipt.summary.sha256):
        raise OperatorError(
            f"{sent.name} was overwritten before it was read, by another upload of that name, which was"
            " published: publish this file under another name"
        )
    return Decision(receipt=receipt, is_new=is_new)


def receipts(client: Any, bucket: str) -> Iterator[Receipt]:
    """Of all published versions that have one."""
    keys = (listed["Key"] for listed in listed_objects(client, bucket, SEGMENTS_RECEIPTS_PREFIX))
    names = ((key, key.removeprefix(SEGMENTS_RECEIPTS_PREFIX)) for key in keys)
    written = [key for key, name in names if name.endswith(".json") and not name.startswith(".")]
    with ThreadPoolExecutor(_AT_ONCE) as executor:  # nothing deletes a receipt: they are years' worth
        for content in executor.map(partial(_read, client, bucket), written):
            if content is not None:
                yield Receipt.from_json(content)


def listed_objects(client: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())


def _read(client: Any, bucket: str, key: str) -> bytes | None:
    """None if there is no such object."""
    try:
        content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    return content
