"""Records of every form, damaged ones among them, from web servers and from apps: each click counts once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.click import unparseable_in
from names import OREGON, RAW_PREFIX
from tests.end_to_end.bounded import count_bounded, download_segments
from tests.end_to_end.conftest import Pipeline, as_record, click
from tests.end_to_end.mixed_records import records_of, settled
from twin.reconciliation import objects
from twin.traffic.record import EntryPoint

ARTICLE = "mixed"
CLICKS = 990
LARGE_RECORD_CLICKS = 5_000


@pytest.mark.parametrize("entry_point", EntryPoint)
def test_each_click_and_each_unread_rest_is_in_one_number(
    pipeline: Pipeline, entry_point: EntryPoint
) -> None:
    article, now = f"{ARTICLE}-{entry_point}", datetime.now(UTC)
    clicks = [click(number, article_id=article, clicked_at=now) for number in range(CLICKS)]
    large = [
        click(CLICKS + number, article_id=article, clicked_at=now) for number in range(LARGE_RECORD_CLICKS)
    ]
    records = [*records_of(clicks, damaged=True), b"".join(map(as_record, large))]
    before = pipeline.twin.reconciliation()
    pipeline.send(entry_point, records)
    after = settled(pipeline, before, records)
    assert pipeline.clicks_counted(article) == CLICKS + LARGE_RECORD_CLICKS
    refused = after.rejected_by_forwarder - before.rejected_by_forwarder
    assert after.unparseable - before.unparseable + refused.total() == sum(map(unparseable_in, records))
    assert (refused.total() > 0) is (entry_point is EntryPoint.MOBILE), "apps' damage ends at the forwarder"
    assert after.rejected == before.rejected


def test_counting_the_raw_backup_counts_the_same_clicks(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.twin.reconciliation()  # flushes the raw backup
    clicks, segments = tmp_path / "clicks", tmp_path / "segments"
    clicks.mkdir()
    segments.mkdir()
    backup = objects(pipeline.twin.emulator, OREGON, pipeline.twin.names.raw_bucket, RAW_PREFIX)
    for number, content in enumerate(dict.fromkeys(backup)):  # without repeated deliveries
        (clicks / f"{number}.json").write_bytes(content)
    download_segments(pipeline, segments)
    counted_again = count_bounded(clicks, segments, tmp_path / "out")
    of_here = {key: number for key, number in counted_again.items() if key[1].startswith(ARTICLE)}
    assert of_here == pipeline.count_documents(ARTICLE)
