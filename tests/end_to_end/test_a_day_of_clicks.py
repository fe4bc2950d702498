"""A whole day of real clicks, from the mobile stream in Tokyo to the batch server's answer."""

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.click import clicks_in
from contract.count import SEGMENT_COLUMNS, UNKNOWN
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from names import OREGON, RAW_PREFIX
from tests.data_sets import wikiticker_clicks
from tests.end_to_end.bounded import count_bounded, download_segments
from tests.end_to_end.conftest import VALUES_A_COLUMN, CountKey, Pipeline, as_record
from twin.reconciliation import lines
from twin.traffic.record import EntryPoint

PUBLISHED_EDITS = 39_244
PUBLISHED_TOP_TEN = [33, 28, 27, 21, 20, 18, 18, 18, 17, 17]


@pytest.fixture(scope="module")
def day(pipeline: Pipeline, shared_data: Path) -> dict[CountKey, int]:
    """The counts of the wikiticker clicks, moved so that the last is now, and sent like mobile apps do."""
    clicks = list(wikiticker_clicks(shared_data))
    shift = datetime.now(UTC) - max(_time(click) for click in clicks)
    moved = [{**click, "clicked_at": format_time(_time(click) + shift)} for click in clicks]
    before = pipeline.twin.counted()
    pipeline.send(EntryPoint.MOBILE, [as_record(click) for click in moved])
    pipeline.wait_until(
        lambda: pipeline.twin.counted() - before >= PUBLISHED_EDITS, f"{PUBLISHED_EDITS} clicks counted"
    )
    pipeline.refresh()
    pages = {click["article_id"] for click in clicks}
    return {key: number for key, number in pipeline.count_documents().items() if key[1] in pages}


def _time(click: dict[str, str]) -> datetime:
    return datetime.fromisoformat(click["clicked_at"])


def test_the_batch_server_reads_the_published_totals_of_the_day(
    pipeline: Pipeline, day: dict[CountKey, int]
) -> None:
    assert sum(day.values()) == PUBLISHED_EDITS
    pages = {key[1] for key in day}
    top = pipeline.twin.reader().top(timedelta(days=1, minutes=30), limit=100)
    edits = [article.clicks for article in top.articles if article.article_id in pages]
    assert edits[:10] == PUBLISHED_TOP_TEN


def test_the_readers_of_the_day_are_counted_in_their_segments(day: dict[CountKey, int]) -> None:
    segments = {key[-len(SEGMENT_COLUMNS) :] for key in day}
    assert all(UNKNOWN not in segment for segment in segments)
    assert len(segments) == VALUES_A_COLUMN ** len(SEGMENT_COLUMNS)


def test_counts_redelivered_in_any_order_change_no_document(
    pipeline: Pipeline, day: dict[CountKey, int]
) -> None:
    counts_stream = pipeline.twin.delivery_streams[pipeline.twin.names.delivery_stream(CLICK_COUNTS.name)]
    every_count = counts_stream.journal.read_bytes().splitlines(keepends=True)
    assert len(every_count) >= len(day)
    stale_counts = _a_click_before(every_count)
    assert stale_counts
    every_count += stale_counts
    pipeline.refresh()
    before = pipeline.count_documents()
    random.Random(2015).shuffle(every_count)
    firehose = pipeline.twin.emulator.client("firehose", OREGON)
    received = counts_stream.received
    for start in range(0, len(every_count), 500):
        answer = firehose.put_record_batch(
            DeliveryStreamName=counts_stream.name,
            Records=[{"Data": count} for count in every_count[start : start + 500]],
        )
        assert answer["FailedPutCount"] == 0
    pipeline.wait_until(
        lambda: counts_stream.received >= received + len(every_count), "every repeated count delivered"
    )
    counts_stream.flush()
    pipeline.refresh()
    assert pipeline.count_documents() == before

    def are_told_apart() -> bool:
        """Redelivery may be about to count them."""
        found = pipeline.twin.reconciliation()
        return found.stale_documents > 0 and not found.failed_documents

    pipeline.wait_until(are_told_apart, "stale counts refused as they should be, and no failure")


def _a_click_before(every_count: list[bytes]) -> list[bytes]:
    """For each count of several clicks, the one before it: the job need not have published any count
    twice."""
    counts = map(json.loads, every_count)
    earlier = [{**count, "clicks": count["clicks"] - 1} for count in counts if count["clicks"] > 1]
    return [json.dumps(count, ensure_ascii=False).encode() + b"\n" for count in earlier]


def test_counting_the_raw_backup_gives_the_same_documents(
    pipeline: Pipeline, day: dict[CountKey, int], tmp_path: Path
) -> None:
    pipeline.twin.reconciliation()  # flushes the raw backup
    clicks, segments = tmp_path / "clicks", tmp_path / "segments"
    clicks.mkdir()
    segments.mkdir()
    names = pipeline.twin.names
    archived = [
        line
        for line in lines(pipeline.twin.emulator, OREGON, names.raw_bucket, RAW_PREFIX)
        if any(str(click.get("click_id")).startswith("wikiticker-") for click in clicks_in(line))
    ]
    # Each once: deliveries were repeated, and each click has an id of its own.
    (clicks / "raw.json.gz").write_bytes(gzip.compress(b"\n".join(dict.fromkeys(archived)) + b"\n"))
    download_segments(pipeline, segments)
    counted_again = count_bounded(clicks, segments, tmp_path / "out")
    assert counted_again == day
