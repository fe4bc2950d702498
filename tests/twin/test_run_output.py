"""What a run shows while OpenSearch comes and goes."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from rich.console import Console

from clients.batch_server import CountTotals, Segment, TopList, TrendingArticle, TrendsError
from twin import demonstration
from twin.flink_job import JobState
from twin.reconciliation import Reconciliation, Refused

TOTALS = CountTotals(
    clicks=90,
    keys=9,
    newest_minute=None,
    newest_published_at=datetime.now(UTC) - timedelta(seconds=3),
)
ARTICLES = (TrendingArticle("a", 90),)


@pytest.fixture
def twin() -> mock.MagicMock:
    twin = mock.MagicMock()
    twin.application_state.return_value = JobState(
        status="RUNNING", tasks_run=True, restarts=0, checkpoints=3
    )
    twin.segments_problem.return_value = None
    twin.alarms.return_value = []
    twin.totals.return_value = TOTALS
    top = TopList(articles=ARTICLES, clicks=90, cut=False)
    twin.reader.return_value.top_of_segments.return_value.lists = {Segment(age_band="20s"): top}
    return twin


@pytest.fixture
def live() -> Iterator[mock.MagicMock]:
    with mock.patch.object(demonstration, "LiveReconciliation") as live:
        live.return_value.now.return_value = Refused(rejected=4, unparseable=2)
        yield live.return_value


@pytest.fixture
def run(twin: mock.MagicMock, live: mock.MagicMock) -> demonstration._Run:  # noqa: ARG001
    run = demonstration._Run(twin, mock.MagicMock(), Console(file=io.StringIO()), started=0.0)
    run._tally = mock.MagicMock()
    run._tally.totals.return_value.sent = 100
    return run


def test_the_last_numbers_stay_with_their_age_while_opensearch_is_away(
    run: demonstration._Run, twin: mock.MagicMock
) -> None:
    known = run._picture()
    assert (known.counted, known.read_seconds_ago) == (90, None)
    told = run._reconciliations.newest
    twin.totals.side_effect = TrendsError("OpenSearch is away")
    away = run._picture()
    assert away.counted == 90
    assert away.trending == {"20s": ARTICLES}
    assert away.read_seconds_ago is not None
    assert away.read_seconds_ago >= 0
    assert list(away.problems) == ["OpenSearch is away"]
    assert run._reconciliations.newest is told, (
        "the reconciliation of a moment is not mixed with later numbers"
    )
    twin.totals.side_effect = None
    assert run._picture().read_seconds_ago is None


def test_counts_never_read_are_not_known(run: demonstration._Run, twin: mock.MagicMock) -> None:
    twin.totals.side_effect = TrendsError("OpenSearch is away")
    assert run._picture().counted is None
    assert run._reconciliations.newest is None


def test_more_clicks_than_were_sent_trigger_another_look(
    run: demonstration._Run, live: mock.MagicMock
) -> None:
    run._picture()
    live.look_again.assert_not_called()
    live.now.return_value = Refused(rejected=12, unparseable=2)
    live.look_again.return_value = Refused(rejected=4, unparseable=2)
    assert run._picture().rejected == 4
    assert run._reconciliations.newest is not None
    assert run._reconciliations.newest.reconciliation.on_their_way == 4
    live.look_again.side_effect = TrendsError("away")
    assert run._picture().rejected == 12


def test_the_forwarders_dead_letters_are_told_apart_from_what_flink_rejects(
    run: demonstration._Run, twin: mock.MagicMock
) -> None:
    twin.reconciliation.return_value = Reconciliation(
        counted=90,
        unparseable=4,
        rejected=Counter(too_old=1),
        rejected_by_forwarder=Counter(unparseable=3, too_old=2),
    )
    totals = run._totals()
    assert totals.rejected == {"too_old": 1, "unparseable (dead letter)": 3, "too_old (dead letter)": 2}
    assert (totals.unparseable, totals.missing) == (4, 0)
