"""The application restarted: from its last checkpoint, from a snapshot, and without state."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.end_to_end.conftest import Pipeline, as_record, click
from twin.analytics import EmulatedApplication
from twin.traffic.record import EntryPoint

CLICKS = 300
NEARLY_TOO_OLD = "nearly-too-old"
NEARLY_TOO_OLD_CLICKS = 20
STILL_ACCEPTED_FOR = timedelta(seconds=25)


def _send(pipeline: Pipeline, article: str, *, first: int = 0, clicked_at: datetime | None = None) -> None:
    at = clicked_at or datetime.now(UTC).replace(second=0, microsecond=0)
    clicks = [click(first + number, article_id=article, clicked_at=at) for number in range(CLICKS)]
    pipeline.send(EntryPoint.WEB, [as_record(sent) for sent in clicks])


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
    _send(pipeline, article)
    application.crash()
    _send(pipeline, article, first=CLICKS)
    application.restart(with_snapshot=True)
    _send(pipeline, article, first=2 * CLICKS)
    pipeline.wait_until(lambda: pipeline.clicks_counted(article) >= 3 * CLICKS, "clicks over restarts")
    assert pipeline.clicks_counted(article) == 3 * CLICKS


def test_a_start_without_state_changes_no_count_and_no_reconciliation(
    pipeline: Pipeline, too_old_at: datetime
) -> None:
    pipeline.wait_until(lambda: datetime.now(UTC) > too_old_at, "the clicks at the age limit too old")
    article = "over-a-start-without-state"
    rejects = pipeline.twin.delivery_streams[pipeline.twin.names.rejects_delivery_stream]
    before, documents = pipeline.twin.reconciliation(), pipeline.count_documents()
    received = rejects.received

    _application(pipeline).restart(with_snapshot=False)
    _send(pipeline, article)
    pipeline.wait_until(lambda: pipeline.clicks_counted(article) >= CLICKS, "clicks after the start")
    again = before.rejected.total() + NEARLY_TOO_OLD_CLICKS
    pipeline.wait_until(lambda: rejects.received >= received + again, "every reject made again")

    after = pipeline.twin.reconciliation()
    pipeline.refresh()
    of_before = {key: n for key, n in pipeline.count_documents().items() if key[1] != article}
    assert of_before == documents
    assert after.rejected == before.rejected
    assert after.rejected_again - before.rejected_again == before.rejected.total()
    assert after.counted_and_rejected - before.counted_and_rejected == NEARLY_TOO_OLD_CLICKS
    assert after.accounted_for - before.accounted_for == CLICKS
