"""Where every click went, in numbers: sent = counted + rejected + unparseable, or clicks are lost or
doubled."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract.click import is_parseable
from lambdas.redelivery.failed_documents import STALE_CODE
from lambdas.redelivery.metrics import STALE
from names import (
    FAILED_DOCUMENTS_PREFIX,
    GIVEN_UP_DOCUMENTS_PREFIX,
    OREGON,
    RAW_PREFIX,
    REJECTED_PREFIX,
    REJECTED_RECORDS_PREFIX,
    TOKYO,
    WAITING_DOCUMENTS_PREFIX,
    Names,
)
from twin.click_outcomes import ClicksOf, outcomes_of_clicks
from twin.delivery_stream import EmulatedDeliveryStream
from twin.emulator import Emulator
from twin.redelivery import redelivery_totals


def objects(emulator: Emulator, region: str, bucket: str, prefix: str) -> Iterator[bytes]:
    """The decompressed objects under a prefix, in the order of their keys.

    Equal content counts once: it is a repeated delivery. (Two deliveries with exactly equal records would
    look the same; with clicks among them that does not happen.)
    """
    s3: Any = emulator.client("s3", region)
    seen: set[bytes] = set()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            content = gzip.decompress(body) if item["Key"].endswith(".gz") else body
            digest = hashlib.sha256(content).digest()
            if digest not in seen:
                seen.add(digest)
                yield content


def lines(emulator: Emulator, region: str, bucket: str, prefix: str) -> Iterator[bytes]:
    """Every non-blank line of every object under a prefix."""
    for content in objects(emulator, region, bucket, prefix):
        yield from (line for line in content.split(b"\n") if line.strip())


@dataclass(frozen=True)
class Reconciliation:
    """Numbers of records. `counted`: the sum of all counts in OpenSearch. `rejected_again` and
    `counted_and_rejected`: rejects that are no further click, see twin/click_outcomes.py. `failed_documents`:
    counts that OpenSearch did not take and redelivery has not redelivered, or has given up."""

    counted: int
    unparseable: int
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_by_forwarder: Counter[str] = field(default_factory=Counter)
    rejected_again: int = 0
    counted_and_rejected: int = 0
    stale_documents: int = 0
    failed_documents: int = 0

    @property
    def accounted_for(self) -> int:
        """Must equal the records sent. A record that the forwarder rejects never reaches the backup."""
        return self.counted + self.rejected.total() + self.rejected_by_forwarder.total() + self.unparseable


def reconcile(emulator: Emulator, names: Names, *, counted: int, clicks_of: ClicksOf) -> Reconciliation:
    """Read the buckets. counted: what the batch server reads from OpenSearch; clicks_of: what OpenSearch
    holds under a key. Delivery streams must be flushed."""
    raw = lines(emulator, OREGON, names.raw_bucket, RAW_PREFIX)
    failed = [
        line
        for prefix in (FAILED_DOCUMENTS_PREFIX, WAITING_DOCUMENTS_PREFIX, GIVEN_UP_DOCUMENTS_PREFIX)
        for line in lines(emulator, OREGON, names.rejected_bucket, prefix)
    ]
    stale = sum(map(_is_stale, failed))
    rejects = lines(emulator, OREGON, names.rejected_bucket, REJECTED_PREFIX)
    outcomes = outcomes_of_clicks(raw, rejects, clicks_of)
    return Reconciliation(
        counted=counted,
        unparseable=outcomes.unparseable,
        rejected=outcomes.rejected,
        rejected_again=outcomes.rejected_again,
        counted_and_rejected=outcomes.counted_and_rejected,
        rejected_by_forwarder=_reasons_of_letters(
            lines(emulator, TOKYO, names.dead_letter_bucket, REJECTED_RECORDS_PREFIX)
        ),
        stale_documents=stale + redelivery_totals(emulator, names)[STALE],
        failed_documents=len(failed) - stale,
    )


def _is_stale(line: bytes) -> bool:
    """line: of a failed document; redelivery also keeps lines that are none."""
    try:
        return str(json.loads(line)["errorCode"]) == STALE_CODE
    except (ValueError, TypeError, KeyError):
        return False


def _reasons_of_letters(letters: Iterator[bytes]) -> Counter[str]:
    """One reason a record: a letter can be in two objects if S3 refused the forwarder's rewrite."""
    return Counter({letter_id(line): json.loads(line)["reason"] for line in letters}.values())


def letter_id(line: bytes) -> tuple[str, str]:
    """Identifies a dead letter's record: its shard and sequence number."""
    letter = json.loads(line)
    return letter["shard"], letter["sequence_number"]


@dataclass(frozen=True)
class Refused:
    """Records not counted so far. `rejected`: by the forwarder and by the application."""

    rejected: int
    unparseable: int


def _lines_of(journal: Path) -> Iterator[bytes]:
    """The complete lines so far."""
    if journal.exists():
        with journal.open("rb") as lines_so_far:
            yield from (line for line in lines_so_far if line.endswith(b"\n"))


class LiveReconciliation:
    """The same numbers during a run: each record is looked at once, nothing is flushed.

    A job that starts again, without its state or from its last checkpoint, repeats rejects; `look_again`
    finds how many are no further click.
    """

    def __init__(
        self, emulator: Emulator, names: Names, streams: Mapping[str, EmulatedDeliveryStream]
    ) -> None:
        self._s3: Any = emulator.client("s3", TOKYO)
        self._dead_letters = names.dead_letter_bucket
        self._raw = streams[names.raw_backup_delivery_stream]
        self._rejects = streams[names.rejects_delivery_stream]
        self._raw_position = 0
        self._unparseable = 0
        self._rejected_again = 0
        self._seen_objects: set[str] = set()
        self._rejected_by_forwarder: set[tuple[str, str]] = set()

    def now(self) -> Refused:
        self._look_at_new_raw_records()
        self._look_at_new_dead_letters()
        rejected = self._rejects.received - self._rejected_again + len(self._rejected_by_forwarder)
        return Refused(rejected, self._unparseable)

    def look_again(self, clicks_of: ClicksOf) -> Refused:
        """From every record so far, for when more is accounted for than was sent."""
        received = self._rejects.received
        outcomes = outcomes_of_clicks(
            _lines_of(self._raw.journal), _lines_of(self._rejects.journal), clicks_of
        )
        self._rejected_again = received - outcomes.rejected.total()
        return self.now()

    def _look_at_new_raw_records(self) -> None:
        if not self._raw.journal.exists():
            return
        with self._raw.journal.open("rb") as journal:
            journal.seek(self._raw_position)
            for line in journal:
                if not line.endswith(b"\n"):
                    break  # still being written
                self._raw_position += len(line)
                self._unparseable += not is_parseable(line)

    def _look_at_new_dead_letters(self) -> None:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._dead_letters, Prefix=REJECTED_RECORDS_PREFIX
        )
        for page in pages:
            for item in page.get("Contents", []):
                if item["Key"] not in self._seen_objects:
                    self._seen_objects.add(item["Key"])
                    body = self._s3.get_object(Bucket=self._dead_letters, Key=item["Key"])["Body"].read()
                    self._rejected_by_forwarder |= {letter_id(line) for line in body.splitlines()}
