"""What is set aside: counts that OpenSearch did not take, and clicks that never came to Oregon."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import loads
from typing import Any, NamedTuple

from contract.click import read
from contract.count import COUNT_KEY
from contract.event_time import parse_time
from lambdas.reconciliation.cells import NO_TIME, OUTSIDE, Cells
from lambdas.reconciliation.counts import CountKey
from lambdas.reconciliation.identity import digest
from lambdas.reconciliation.objects import (
    DeliveredObject,
    UnreadableContentError,
    contents,
    lines,
    objects_below,
)
from lambdas.shared.failed_documents import documents, raw_data, was_meant_for
from names import (
    FAILED_BATCHES_PREFIX,
    FAILED_DOCUMENTS_PREFIX,
    GIVEN_UP_DOCUMENTS_PREFIX,
    REJECTED_RECORDS_PREFIX,
    WAITING_DOCUMENTS_PREFIX,
)

DAY = timedelta(days=1)
_UNREADABLE = (UnreadableContentError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class CountSetAside(NamedTuple):
    """The largest of a key that is set aside. is_given_up: whether nothing will redeliver it."""

    clicks: int
    is_given_up: bool
    object: str


def counts_set_aside(
    s3: Any, bucket: str, sink: str, index: str, cells: Cells, *, unreadable: list[str]
) -> dict[CountKey, CountSetAside]:
    """sink: the name of a contract.sink.Sink; index: the one that its delivery stream names. unreadable: keys
    of objects that cannot be read are added."""
    found: dict[CountKey, CountSetAside] = {}
    for prefix in (FAILED_DOCUMENTS_PREFIX, WAITING_DOCUMENTS_PREFIX, GIVEN_UP_DOCUMENTS_PREFIX):
        for each, content in contents(s3, bucket, objects_below(s3, bucket, f"{prefix}{sink}/")):
            for _, document in documents(_readable(each, content, unreadable)):
                if document is None or not was_meant_for(document, index):
                    continue
                count = _count(raw_data(document))
                if count is None or cells.of_time(count[0][0]) in (OUTSIDE, NO_TIME):
                    continue
                key, clicks = count
                if key not in found or clicks > found[key].clicks:
                    found[key] = CountSetAside(clicks, prefix == GIVEN_UP_DOCUMENTS_PREFIX, each.key)
    return found


def _readable(each: DeliveredObject, content: bytes, unreadable: list[str]) -> Iterator[bytes]:
    try:
        yield from lines(content)
    except UnreadableContentError:
        unreadable.append(each.key)


def _count(data: bytes | None) -> tuple[CountKey, int] | None:
    """The key and the clicks of a published count; None if the data is none."""
    try:
        count = loads(data or b"")
        return tuple(str(count[column]) for column in COUNT_KEY), int(count["clicks"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


@dataclass(kw_only=True)
class LeftInTokyo:
    """Clicks, and rests of lines, that arrived in Tokyo in a time and never came to Oregon. dead_letters: by
    reason; failed_batches: given up by Lambda. objects: some that hold them; unreadable: what cannot be read
    as such."""

    dead_letters: Counter[str] = field(default_factory=Counter)
    failed_batches: int = 0
    objects: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    @property
    def clicks(self) -> int:
        return self.dead_letters.total() + self.failed_batches

    def name(self, each: DeliveredObject, most: int) -> None:
        if len(self.objects) < most and each.key not in self.objects:
            self.objects.append(each.key)


def left_in_tokyo(
    s3: Any, bucket: str, since: datetime, until: datetime, *, objects_named: int
) -> LeftInTokyo:
    """Of the records that arrived from `since` to `until`."""
    found = LeftInTokyo()
    seen: set[bytes] = set()
    for each, content in contents(s3, bucket, _letters_of_days(s3, bucket, since, until)):
        try:
            letters = list(_letters(content))
        except _UNREADABLE:
            found.unreadable.append(each.key)
            continue
        for place, arrived_at, reason in letters:
            if arrived_at is None or not since <= arrived_at < until or place in seen:
                continue
            seen.add(place)
            found.dead_letters[reason] += 1
            found.name(each, objects_named)
    late = (each for each in objects_below(s3, bucket, FAILED_BATCHES_PREFIX) if each.written_at >= since)
    for each, content in contents(s3, bucket, late):
        try:
            records = list(_records_of_batch(content))
        except _UNREADABLE:
            found.unreadable.append(each.key)
            continue
        for arrived_at, data in records:
            if since <= arrived_at < until:
                found.failed_batches += len(read(data))
                found.name(each, objects_named)
    return found


def _letters(content: bytes) -> Iterator[tuple[bytes, datetime | None, str]]:
    """What marks the place of each click, when it arrived, and why it is a dead letter. A place is in two
    objects if S3 refused the forwarder's rewrite."""
    for line in lines(content):
        letter = loads(line)
        place = digest(f"{letter['shard']} {letter['sequence_number']} {letter.get('place')}".encode())
        yield place, parse_time(letter["arrived_at"]), str(letter["reason"])


def _letters_of_days(s3: Any, bucket: str, since: datetime, until: datetime) -> Iterator[DeliveredObject]:
    """An object is in the day of its first record; a batch may cross midnight."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY
    while day < until:
        yield from objects_below(s3, bucket, f"{REJECTED_RECORDS_PREFIX}{day:%Y/%m/%d}/")
        day += DAY


def _records_of_batch(content: bytes) -> Iterable[tuple[datetime, bytes]]:
    """When each record arrived, and its data
    (https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html)."""
    for record in loads(loads(content)["payload"])["Records"]:
        kinesis = record["kinesis"]
        at = datetime.fromtimestamp(kinesis["approximateArrivalTimestamp"], UTC)
        yield at, base64.b64decode(kinesis["data"])
