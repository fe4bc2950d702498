"""Buckets and counts in memory, filled as the path of a click fills them."""

import gzip
import hashlib
import io
import json
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from contract.click import Click, Unread, in_a_reject, read_line
from contract.count import COUNT_KEY, start_of_count
from contract.event_time import format_time, parse_time
from contract.sink import REPEATED_CLICK_ID
from lambdas.reconciliation.cells import Cell, cell_at
from lambdas.reconciliation.counts import ArticleKey, CountKey
from lambdas.reconciliation.final import UP_TO_DATE, Reading
from lambdas.reconciliation.hours import Buckets, Delays, ReconciledTime, reconcile_hours
from lambdas.reconciliation.result import ReconciledHours
from tests.analytics_sql.contract import reason as reason_of
from tests.analytics_sql.contract import text_of

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
DELAYS = Delays.of(allowed_lateness_hours=24, archive_buffer_seconds=300)
LATER = NOON + timedelta(days=4)
"""When every minute is final."""
MINUTE = timedelta(minutes=1)
Record = bytes


class S3:
    """Objects of one region's buckets."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.written: dict[tuple[str, str], datetime] = {}
        self.now = NOON

    def put(self, bucket: str, key: str, content: bytes) -> None:
        self.objects[bucket, key] = content
        self.written[bucket, key] = self.now

    def etag(self, bucket: str, key: str) -> str:
        return hashlib.md5(self.objects[bucket, key], usedforsecurity=False).hexdigest()

    def get_paginator(self, _name: str) -> Any:
        def paginate(*, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803 (boto3's names)
            keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
            for start in range(0, len(keys), 2):
                found = [
                    {
                        "Key": key,
                        "LastModified": self.written[Bucket, key],
                        "ETag": f'"{self.etag(Bucket, key)}"',
                    }
                    for key in keys[start : start + 2]
                ]
                yield {"Contents": found}
            if not keys:
                yield {}

        return SimpleNamespace(paginate=paginate)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        try:
            body = self.objects[Bucket, Key]
            return {"Body": io.BytesIO(body), "ETag": f'"{self.etag(Bucket, Key)}"'}
        except KeyError:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject") from None


class Counted:
    """CountedClicks by the values of COUNT_KEY; the largest wins."""

    def __init__(self) -> None:
        self.documents: dict[CountKey, int] = {}

    def put(self, key: CountKey, clicks: int) -> None:
        self.documents[key] = max(clicks, self.documents.get(key, 0))

    def of_windows(self, windows: range) -> dict[Cell, int]:
        found: Counter[Cell] = Counter()
        for key, clicks in self.documents.items():
            if (cell := _cell(key)) in windows:
                found[cell] += clicks
        return dict(found)

    def of_articles(self, keys: Collection[ArticleKey]) -> dict[ArticleKey, int]:
        found: Counter[ArticleKey] = Counter()
        for key, clicks in self.documents.items():
            if (_cell(key), key[1]) in keys:
                found[_cell(key), key[1]] += clicks
        return dict(found)

    def of_keys(self, keys: Collection[CountKey]) -> dict[CountKey, int]:
        return {key: self.documents[key] for key in keys if key in self.documents}


def _cell(key: CountKey) -> Cell:
    minute = parse_time(key[0])
    assert minute is not None
    return cell_at(minute)


def click(number: object, at: datetime, article: object = "a", **fields: Any) -> dict[str, Any]:
    return {
        "click_id": f"click-{number}" if isinstance(number, int) else number,
        "clicked_at": format_time(at),
        "user_id": "hanako",
        "article_id": article,
        **fields,
    }


def record(*clicks: dict[str, Any]) -> Record:
    """One line with these clicks, one after another."""
    return b"".join(json.dumps(each, ensure_ascii=False).encode() for each in clicks)


def key_of(fields: dict[str, Any]) -> CountKey:
    at = parse_time(fields["clicked_at"])
    assert at is not None
    values = {"minute": format_time(start_of_count(at)), "article_id": text_of(fields["article_id"]) or ""}
    return tuple(values.get(column, "known") for column in COUNT_KEY)


@dataclass
class World:
    """What was sent is received, and counted or rejected, at each reading of the stream."""

    oregon: S3 = field(default_factory=S3)
    tokyo: S3 = field(default_factory=S3)
    counts: Counted = field(default_factory=Counted)
    stream: list[tuple[Record, datetime]] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(19))
    lost: set[tuple[int, int]] = field(default_factory=set)
    """(record, unit) that the application loses."""
    _delivered: int = 0

    @property
    def buckets(self) -> Buckets:
        return Buckets(
            oregon=self.oregon,
            tokyo=self.tokyo,
            raw="raw",
            rejected="rejected",
            dead_letters="dead-letters",
            sink="counts",
            index="click-counts.undated",
        )

    def send(self, *records: Record, at: datetime = NOON) -> None:
        self.stream += [(each, at) for each in records]

    def deliver(
        self, prefix: str, records: Sequence[Record], at: datetime, *, times: int = 1, bucket: str = ""
    ) -> list[str]:
        """An object, as often as said. Returns the keys."""
        keys = []
        for _ in range(times):
            self._delivered += 1
            key = f"{prefix}{at:%Y/%m/%d/%H}/{self._delivered:06}.json.gz"
            content = gzip.compress(b"".join(each + b"\n" for each in records), compresslevel=1)
            self.oregon.put(bucket or prefix.rstrip("/"), key, content)
            keys.append(key)
        return keys

    def back_up(self, *, an_object: int = 10, repeated: float = 0.0) -> None:
        """Deliver the stream to the raw backup: each hour's records in objects of some, some objects or the
        first part of one twice."""
        by_hour: dict[datetime, list[Record]] = {}
        for each, at in self.stream:
            by_hour.setdefault(at.replace(minute=0, second=0, microsecond=0), []).append(each)
        for hour, records in by_hour.items():
            self._deliver_some("raw/", records, hour, an_object, repeated)

    def _deliver_some(
        self, prefix: str, records: Sequence[Record], at: datetime, an_object: int, repeated: float
    ) -> None:
        for start in range(0, len(records), an_object):
            part = records[start : start + an_object]
            self.deliver(prefix, part, at)
            if self.rng.random() < repeated:
                self.deliver(prefix, part[: self.rng.randint(1, len(part))], at)

    def analyse(
        self,
        *,
        late: timedelta = timedelta(0),
        since: int = 0,
        an_object: int = 7,
        repeated: float = 0.0,
        once: bool = False,
    ) -> None:
        """The application reads the stream from its record number `since`, each record so long after it
        arrived, and its rejects are delivered. The largest count of each key wins. once: it drops repeated
        click ids."""
        ids: set[str | None] = set()
        counts: Counter[CountKey] = Counter()
        rejects: dict[datetime, list[bytes]] = {}
        for number, (each, arrived_at) in enumerate(self.stream):
            if number < since:
                continue
            now = arrived_at + late
            for place, unit in enumerate(unit for line in each.split(b"\n") for unit in read_line(line)):
                if (number, place) in self.lost:
                    continue
                reason = why(unit, now)
                if once and reason is None and isinstance(unit, Click):
                    click_id = text_of(unit.fields["click_id"])
                    reason = REPEATED_CLICK_ID if click_id in ids else None
                    ids.add(click_id)
                if reason is None:
                    assert isinstance(unit, Click)
                    counts[key_of(unit.fields)] += 1
                else:
                    hour = now.replace(minute=0, second=0, microsecond=0)
                    rejects.setdefault(hour, []).append(reject(unit, reason))
        for key, clicks in counts.items():
            self.counts.put(key, clicks)
        for hour, some in rejects.items():
            self._deliver_some("rejected/", some, hour, an_object, repeated)

    def replay(self) -> None:
        """Count every click that only the clock rejected."""
        counts: Counter[CountKey] = Counter()
        for each, _ in dict.fromkeys(self.stream):
            for unit in read_line(each):
                if isinstance(unit, Click) and not reason_of(unit.fields, now=LATER):
                    counts[key_of(unit.fields)] += 1
        for key, clicks in counts.items():
            self.counts.put(key, clicks)

    def reconcile(
        self,
        since: datetime = NOON,
        until: datetime = NOON + timedelta(hours=1),
        *,
        now: datetime = LATER,
        reading: Reading = UP_TO_DATE,
        arrived_until: datetime | None = None,
    ) -> ReconciledHours:
        asked = ReconciledTime(
            since=since,
            until=until,
            delays=DELAYS,
            now=now,
            reading=reading,
            arrived_until=arrived_until,
        )
        return reconcile_hours(self.buckets, self.counts, asked)


def why(unit: Click | Unread, now: datetime) -> str | None:
    """The reason of a reject; None for a click that counts."""
    if isinstance(unit, Unread):
        return "unparseable"
    reason = reason_of(unit.fields, now=now)
    if reason in (None, "id_too_long"):
        at = parse_time(unit.fields["clicked_at"])
        if at is not None and at < now - DELAYS.lateness:
            return "too_old"
    return reason


def reject(unit: Click | Unread, reason: str) -> bytes:
    """As the application writes it."""
    if isinstance(unit, Unread):
        return json.dumps(
            {"reason": reason, "unparseable": unit.data.decode("utf-8", "replace")[:4096]}
        ).encode()
    shown = {}
    for name in ("click_id", "clicked_at", "user_id", "article_id", "platform", "position"):
        text = text_of(unit.fields.get(name))
        shown[name] = None if text is None else in_a_reject(text[:4096])
    return json.dumps({**shown, "unparseable": None, "reason": reason}).encode()
