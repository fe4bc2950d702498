"""Where every click went, in numbers: sent = counted + rejected + unparseable, or clicks are lost or doubled.

As `click-trends reconcile` finds it, for a whole run, of which the number of clicks sent is known. The unit
is what contract/click.py finds in a record: each click, and the unread rest of a line. How many clicks a
producer wrote into such a rest is unknowable.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract.click import Unread, read_line
from contract.sink import UNPARSEABLE
from lambdas.reconciliation.counts import CountedClicks
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
from twin.click_outcomes import UnreadRests, outcomes_of_clicks
from twin.delivery_stream import EmulatedDeliveryStream
from twin.emulator import Emulator
from twin.redelivery import redelivery_totals


def objects(emulator: Emulator, region: str, bucket: str, prefix: str) -> Iterator[bytes]:
    """The decompressed objects under a prefix, in the order of their keys, repeated deliveries included;
    without those that are deleted before they are read, as redelivery does."""
    s3: Any = emulator.client("s3", region)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            try:
                body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            except s3.exceptions.NoSuchKey:
                continue
            yield gzip.decompress(body) if item["Key"].endswith(".gz") else body


def lines(emulator: Emulator, region: str, bucket: str, prefix: str) -> Iterator[bytes]:
    """Every non-blank line of every object under a prefix."""
    for found in lines_of_objects(emulator, region, bucket, prefix):
        yield from found


def lines_of_objects(emulator: Emulator, region: str, bucket: str, prefix: str) -> Iterator[list[bytes]]:
    """The non-blank lines of each object under a prefix."""
    for content in objects(emulator, region, bucket, prefix):
        yield [line for line in content.split(b"\n") if line.strip(b" \t\r")]


@dataclass(frozen=True)
class Reconciliation:
    """Numbers of clicks. `counted`: the sum of all counts in OpenSearch. `unparseable`: rests of lines in the
    raw backup that the application rejected. `rejected_again` and `counted_and_rejected`: rejects that are no
    further click, see twin/click_outcomes.py. `unexplained`: clicks without an outcome so far, or with one
    too many. `failed_documents`: counts that OpenSearch did not take and redelivery has not redelivered, or
    has given up."""

    counted: int
    unparseable: int
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_by_forwarder: Counter[str] = field(default_factory=Counter)
    rejected_again: int = 0
    counted_and_rejected: int = 0
    unexplained: int = 0
    stale_documents: int = 0
    failed_documents: int = 0

    @property
    def accounted_for(self) -> int:
        """Must equal what was sent. What the forwarder rejects never reaches the backup."""
        return self.counted + self.rejected.total() + self.rejected_by_forwarder.total() + self.unparseable


def reconcile(emulator: Emulator, names: Names, *, counted: int, counts: CountedClicks) -> Reconciliation:
    """Read the buckets. counted: what the batch server reads from OpenSearch; counts: the same by window.
    Delivery streams must be flushed."""
    raw = lines_of_objects(emulator, OREGON, names.raw_bucket, RAW_PREFIX)
    failed = [
        line
        for prefix in (FAILED_DOCUMENTS_PREFIX, WAITING_DOCUMENTS_PREFIX, GIVEN_UP_DOCUMENTS_PREFIX)
        for line in lines(emulator, OREGON, names.rejected_bucket, prefix)
    ]
    stale = sum(map(_is_stale, failed))
    rejects = lines_of_objects(emulator, OREGON, names.rejected_bucket, REJECTED_PREFIX)
    outcomes = outcomes_of_clicks(raw, rejects, counts)
    return Reconciliation(
        counted=counted,
        unparseable=outcomes.unparseable,
        rejected=outcomes.rejected,
        rejected_again=outcomes.rejected_again,
        counted_and_rejected=outcomes.counted_and_rejected,
        unexplained=outcomes.unexplained,
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
    """One reason a letter: it can be in two objects if S3 refused the forwarder's rewrite."""
    return Counter({letter_id(line): json.loads(line)["reason"] for line in letters}.values())


LetterId = tuple[str, str, int | None]


def letter_id(line: bytes) -> LetterId:
    """Identifies what a dead letter holds: shard and sequence number of its record, and the place in it, or
    None for all of the record."""
    letter = json.loads(line)
    return letter["shard"], letter["sequence_number"], letter.get("place")


@dataclass(frozen=True)
class Refused:
    """Clicks not counted so far, and unread rests. `rejected`: by the forwarder and by the application."""

    rejected: int
    unparseable: int


class _Journal:
    """Reads a delivery stream's journal while it is written."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._position = 0

    def new_lines(self) -> Iterator[bytes]:
        """The complete lines since the last time, without their ends."""
        if not self._file.exists():
            return
        with self._file.open("rb") as journal:
            journal.seek(self._position)
            for line in journal:
                if not line.endswith(b"\n"):
                    break  # still being written
                self._position += len(line)
                yield line[:-1]

    def read_lines(self) -> Iterator[bytes]:
        """The lines that `new_lines()` has given so far."""
        if self._position:
            with self._file.open("rb") as journal:
                while journal.tell() < self._position:
                    yield journal.readline()[:-1]


class LiveReconciliation:
    """The same numbers during a run: each line is looked at once, nothing is flushed.

    A job that starts again, without its state or from its last checkpoint, repeats rejects. Those of unread
    rests add nothing; `look_again` finds how many of the others are no further click.
    """

    def __init__(
        self, emulator: Emulator, names: Names, streams: Mapping[str, EmulatedDeliveryStream]
    ) -> None:
        self._s3: Any = emulator.client("s3", TOKYO)
        self._dead_letters = names.dead_letter_bucket
        self._raw = _Journal(streams[names.raw_backup_delivery_stream].journal)
        self._rejects = _Journal(streams[names.rejects_delivery_stream].journal)
        self._rests = UnreadRests()
        self._rejected = 0
        self._rejected_again = 0
        self._seen_objects: set[str] = set()
        self._rejected_by_forwarder: set[LetterId] = set()

    def now(self) -> Refused:
        self._look_at_new_lines()
        self._look_at_new_dead_letters()
        rejected = self._rejected - self._rejected_again + len(self._rejected_by_forwarder)
        return Refused(rejected, self._rests.accounted_for)

    def look_again(self, counts: CountedClicks) -> Refused:
        """From every line so far, for when more is accounted for than was sent."""
        self._look_at_new_lines()
        outcomes = outcomes_of_clicks([self._raw.read_lines()], [self._rejects.read_lines()], counts)
        self._rejected_again = self._rejected - outcomes.rejected.total()
        return self.now()

    def _look_at_new_lines(self) -> None:
        for line in self._raw.new_lines():
            for found in read_line(line):
                if isinstance(found, Unread):
                    self._rests.arrive(found)
        for line in self._rejects.new_lines():
            reject = json.loads(line)
            if reject["reason"] == UNPARSEABLE:
                self._rests.reject(reject)
            else:
                self._rejected += 1

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
