"""The application restarted: from its last checkpoint, from a snapshot, and without state."""

from datetime import UTC, datetime, timedelta

import pytest

from contract.click import unparseable_in
from tests.end_to_end.conftest import Pipeline, as_record, click
from tests.end_to_end.mixed_records import records_of, settled
from twin.analytics import EmulatedApplication
from twin.traffic.record import EntryPoint

CLICKS = 300
NEARLY_TOO_OLD = "nearly-too-old"
NEARLY_TOO_OLD_CLICKS = 20
STILL_ACCEPTED_FOR = timedelta(seconds=50)  # what a busy machine takes to count them


def _send(pipeline: Pipeline, article: str, *, first: int = 0) -> list[bytes]:
    """Put clicks in records of every form, damaged ones among them. Returns the records."""
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    clicks = [click(first + number, article_id=article, clicked_at=at) for number in range(CLICKS)]
    records = records_of(clicks, damaged=True)
    pipeline.send(EntryPoint.WEB, records)
    return records


def _application(pipeline: Pipeline) -> EmulatedApplication:
    assert pipeline.twin.application is not None
    return pipeline.twin.application


@pytest.fixture(scope="module")
def too_old_at(pipeline: Pipeline) -> datetime:
    """When the counted clicks of NEARLY_TOO_OLD would be rejected."""
    allowed = timedelta(seconds=int(_application(pipeline).properties["checks"]["max-age-seconds"]))
    limit = datetime.now(UTC) + STILL_ACCEPTED_FOR
    clicks = [
        as_record(click(number, article_id=NEARLY_TOO_OLD, clicked_at=limit - allowed))
        for number in range(NEARLY_TOO_OLD_CLICKS)
    ]
    pipeline.send(EntryPoint.WEB, clicks)
    pipeline.wait_until(
        lambda: pipeline.clicks_counted(NEARLY_TOO_OLD) == NEARLY_TOO_OLD_CLICKS, "clicks at the age limit"
    )
    return limit


@pytest.mark.usefixtures("too_old_at")
def test_counts_continue_after_a_crash_and_after_a_stop_with_a_snapshot(
    pipeline: Pipeline,
) -> None:
    article, application = "over-restarts", _application(pipeline)
    before = pipeline.twin.reconciliation()
    records = _send(pipeline, article)
    application.crash()
    records += _send(pipeline, article, first=CLICKS)
    application.restart(with_snapshot=True)
    records += _send(pipeline, article, first=2 * CLICKS)
    pipeline.wait_until(lambda: pipeline.clicks_counted(article) >= 3 * CLICKS, "clicks over restarts")
    assert pipeline.clicks_counted(article) == 3 * CLICKS
    after = settled(pipeline, before, records)
    assert after.unparseable - before.unparseable == sum(map(unparseable_in, records))
    assert after.rejected == before.rejected


def test_a_start_without_state_changes_no_count_and_no_reconciliation(
    pipeline: Pipeline, too_old_at: datetime
) -> None:
    pipeline.wait_until(lambda: datetime.now(UTC) > too_old_at, "the clicks at the age limit too old")
    article = "over-a-start-without-state"
    rejects = pipeline.twin.delivery_streams[pipeline.twin.names.rejects_delivery_stream]
    before, documents = pipeline.twin.reconciliation(), pipeline.count_documents()
    received = rejects.received

    _application(pipeline).restart(with_snapshot=False)
    records = _send(pipeline, article)
    pipeline.wait_until(lambda: pipeline.clicks_counted(article) >= CLICKS, "clicks after the start")
    again = before.rejected.total() + before.unparseable
    new = NEARLY_TOO_OLD_CLICKS + sum(map(unparseable_in, records))
    pipeline.wait_until(lambda: rejects.received >= received + again + new, "every reject made again")

    after = settled(pipeline, before, records)
    pipeline.refresh()
    of_before = {key: n for key, n in pipeline.count_documents().items() if key[1] != article}
    assert of_before == documents
    assert after.rejected == before.rejected
    # Beside those that `again` knows: clicks that a replay has counted, and rejects that another object holds
    # too, which are taken for repetitions.
    others = before.counted_and_rejected + before.rejected_again
    assert 0 <= rejects.received - (received + again + new) <= others
    # Firehose's repeated deliveries of rejects are among them: nothing in S3 tells them apart.
    assert after.rejected_again - before.rejected_again >= again
    assert after.unparseable - before.unparseable == sum(map(unparseable_in, records))
    assert after.counted_and_rejected - before.counted_and_rejected == NEARLY_TOO_OLD_CLICKS
