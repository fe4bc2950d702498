"""A twin for each half of this folder (tests/conftest.py). Its tests share its state, so each uses its own
article ids."""

import json
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from contract.count import COUNT_KEY, SEGMENT_COLUMNS
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from names import counts_alias, day_index
from tests.conftest import SHARED_DATA
from tests.data_sets import wikiticker_clicks
from tests.segments import Segment, segments_csv
from twin.delivery_faults import DeliveryFaults
from twin.processes import TwinError, wait_for
from twin.traffic.record import EntryPoint, Record
from twin.traffic.send import TrafficTally, send
from twin.twin import Twin, running_twin

INDICES = counts_alias(CLICK_COUNTS.index_family)
A_DAY = day_index(CLICK_COUNTS.index_family, date(2026, 1, 1))
HANAKO_AND_TARO = {
    "hanako": {"gender": "female", "age_band": "20s", "region": "tokyo"},
    "taro": {"gender": "male", "age_band": "30s", "region": "osaka"},
}
VALUES_A_COLUMN = 4
SETTLE_SECONDS = 300
NO_SHARD_YET = 503
"""What OpenSearch answers about an index that it has just made, longer on a busy machine."""
BEFORE_SEGMENTS = "before-segments"
FIRST_VERSION_AGE = timedelta(hours=23, minutes=20)  # the day of clicks lasts 23 h 13 min
EARLY_CLICKS = 20

CountKey = tuple[str, ...]  # the values of COUNT_KEY


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/end_to_end" in str(item.path):
            item.add_marker(pytest.mark.twin)


@dataclass
class Pipeline:
    """The running twin, and what the tests need of it."""

    twin: Twin

    def count_documents(self, article_prefix: str = "") -> dict[CountKey, int]:
        """Clicks by the values of COUNT_KEY, read from OpenSearch itself.

        Raises AssertionError if two documents have the same key.
        """
        found: dict[CountKey, int] = {}
        for source in self._documents(article_prefix):
            key = tuple(source[column] for column in COUNT_KEY)
            assert key not in found, f"two documents for {key}"
            found[key] = source["clicks"]
        return found

    def _documents(self, article_prefix: str) -> Iterator[dict[str, Any]]:
        query = {"size": 10_000, "query": {"prefix": {"article_id": article_prefix}}}
        page = self._search(f"/{INDICES}/_search?scroll=1m&ignore_unavailable=true", query)
        while page["hits"]["hits"]:
            yield from (hit["_source"] for hit in page["hits"]["hits"])
            page = self._search("/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]})

    def _search(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self.twin.opensearch_endpoint + path,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            result: dict[str, Any] = json.load(answer)
            return result

    def refresh(self) -> None:
        urllib.request.urlopen(f"{self.twin.opensearch_endpoint}/_refresh", data=b"", timeout=30).close()

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a condition on the pipeline.

        A failed wait, or a part that died, raises TwinError with the last state and errors, and keeps the
        logs.
        """

        def checked() -> bool:
            self.twin.check()
            return holds()

        def holds_by_now() -> bool:
            try:
                return checked()
            except urllib.error.HTTPError as error:
                if error.code != NO_SHARD_YET:
                    raise
                return False

        try:
            wait_for(
                holds_by_now,
                what=what,
                timeout_seconds=SETTLE_SECONDS,
                poll_seconds=0.5,
                seen=self.twin.last_seen,
            )
        except TwinError:
            self.twin.keep_logs()
            raise

    def clicks_counted(self, article_prefix: str) -> int:
        self.refresh()
        return sum(self.count_documents(article_prefix).values())

    def send(
        self, entry_point: EntryPoint, records: list[bytes], over_seconds: float = 0.0, pack_bytes: int = 0
    ) -> None:
        """Put records, evenly over a time, each as it is unless packed. Returns when the stream has taken
        them all."""
        tally = TrafficTally()
        pace = over_seconds / len(records)
        due = (
            Record(data, sha256(data).hexdigest(), entry_point, number * pace, "")
            for number, data in enumerate(records)
        )
        send(due, self.twin.producers(), tally, threading.Event(), pack_bytes=pack_bytes)
        assert tally.totals().sent == len(records)


def segments_file(version: str, readers: Mapping[str, Segment]) -> bytes:
    """A version of the segments: these readers, and the wikiticker users if the data set is present."""
    users = {click["user_id"] for click in wikiticker_clicks(SHARED_DATA)} if SHARED_DATA.is_dir() else set()

    def made_up(user: str) -> Segment:
        rng = random.Random(f"{version} {user}")
        return {column: f"{column} {rng.randrange(VALUES_A_COLUMN)}" for column in SEGMENT_COLUMNS}

    return segments_csv({**readers, **{user: made_up(user) for user in sorted(users)}}).encode()


@pytest.fixture(scope="session")
def pipeline(request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    """A twin whose Firehose repeats and delays deliveries, and whose readers start without segments."""
    with running_twin(DeliveryFaults()) as twin:
        twin.deploy()
        pipeline = Pipeline(twin)
        now = datetime.now(UTC)
        # Before any version holds; otherwise a start without state would count them again, in their segment.
        at = now - FIRST_VERSION_AGE - timedelta(minutes=10)
        early = [click(number, article_id=BEFORE_SEGMENTS, clicked_at=at) for number in range(EARLY_CLICKS)]
        pipeline.send(EntryPoint.WEB, [as_record(sent) for sent in early])
        pipeline.wait_until(
            lambda: pipeline.clicks_counted(BEFORE_SEGMENTS) == EARLY_CLICKS, "clicks before any segments"
        )
        twin.publish_segments(segments_file("first", HANAKO_AND_TARO), now - FIRST_VERSION_AGE)
        second = twin.publish_segments(segments_file("second", HANAKO_AND_TARO), now - timedelta(hours=12))
        twin.wait_for_segments(second)
        yield pipeline
        if request.session.testsfailed:
            twin.keep_logs()


def click(number: int, *, article_id: str, clicked_at: datetime, user_id: str = "hanako") -> dict[str, str]:
    """A click in the contract's form."""
    return {
        "click_id": f"{article_id}-{number}",
        "clicked_at": format_time(clicked_at),
        "user_id": user_id,
        "article_id": article_id,
    }


def as_record(click: dict[str, Any]) -> bytes:
    return json.dumps(click, ensure_ascii=False).encode() + b"\n"
