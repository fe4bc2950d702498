"""OpenSearch away for longer than Firehose retries: redelivery corrects all counts."""

import json
from datetime import UTC, datetime

from contract.sink import CLICK_COUNTS
from lambdas.redelivery.failed_documents import STALE_CODE
from names import FAILED_DOCUMENTS_PREFIX, GIVEN_UP_DOCUMENTS_PREFIX, OREGON, WAITING_DOCUMENTS_PREFIX
from tests.end_to_end.conftest import Pipeline, as_record, click
from twin.processes import wait_for
from twin.reconciliation import lines
from twin.redelivery import redelivery_totals
from twin.traffic.record import EntryPoint

ARTICLES = 20
CLICKS = 400
# Two rounds of the schedule, each a minute, the pause, and a busy machine.
REDELIVERY_SECONDS = 300


def _published(pipeline: Pipeline, article: str) -> int:
    """Clicks in the largest counts that reached the delivery stream."""
    names = pipeline.twin.names
    journal = pipeline.twin.delivery_streams[names.delivery_stream(CLICK_COUNTS.name)].journal
    largest: dict[tuple[str, str], int] = {}
    for line in journal.read_bytes().splitlines():
        count = json.loads(line)
        if count["article_id"].startswith(article):
            key = (count["minute"], count["article_id"])
            largest[key] = max(largest.get(key, 0), count["clicks"])
    return sum(largest.values())


def _left_over(pipeline: Pipeline) -> list[bytes]:
    """Failed documents that are not stale, under any prefix."""
    twin = pipeline.twin
    return [
        line
        for prefix in (FAILED_DOCUMENTS_PREFIX, WAITING_DOCUMENTS_PREFIX, GIVEN_UP_DOCUMENTS_PREFIX)
        for line in lines(twin.emulator, OREGON, twin.names.rejected_bucket, prefix)
        if json.loads(line)["errorCode"] != STALE_CODE
    ]


def test_all_counts_are_right_again_after_opensearch_was_away(pipeline: Pipeline) -> None:
    article = "search-away"
    twin = pipeline.twin
    now = datetime.now(UTC)
    clicks = [
        click(number, article_id=f"{article}-{number % ARTICLES}", clicked_at=now) for number in range(CLICKS)
    ]
    pipeline.send(EntryPoint.WEB, [as_record(one) for one in clicks[: CLICKS // 2]])
    pipeline.wait_until(lambda: pipeline.clicks_counted(article) == CLICKS // 2, "the first half counted")
    before = redelivery_totals(twin.emulator, twin.names)["Redelivered"]

    twin.search_goes_away()
    pipeline.send(EntryPoint.WEB, [as_record(one) for one in clicks[CLICKS // 2 :]])
    pipeline.wait_until(lambda: _published(pipeline, article) == CLICKS, "the second half published")
    twin.delivery_streams[twin.names.delivery_stream(CLICK_COUNTS.name)].flush()
    pipeline.wait_until(lambda: bool(_left_over(pipeline)), "Firehose given up, and no click will follow")
    twin.search_comes_back()  # from here on redelivery may finish at any time

    wait_for(
        lambda: pipeline.clicks_counted(article) == CLICKS,
        what="all counts right without a further click",
        timeout_seconds=REDELIVERY_SECONDS,
        poll_seconds=1.0,
    )
    assert redelivery_totals(twin.emulator, twin.names)["Redelivered"] > before
    pipeline.wait_until(lambda: not _left_over(pipeline), "nothing left to redeliver")
