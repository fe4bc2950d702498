"""One run: from the counts in OpenSearch to the rankings in DynamoDB."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from clients.batch_server import TrendingReader, TrendsError
from contract.ranking import ServedRanking
from lambdas.feedback.configuration import FeedbackConfiguration
from lambdas.feedback.metrics import FeedbackOutcome
from lambdas.feedback.rankings import due, groupings, kept_longer, newest_counted_until, rankings, unfit
from lambdas.feedback.table import MAX_REQUEST_SECONDS, REQUESTS_IN_FLIGHT, RankingTable

RESERVE_SECONDS = MAX_REQUEST_SECONDS + 0.5
"""Reserved at the end of an invocation: no write begins that cannot end, and the outcome can be published."""
WRITING_SECONDS = 2.0
"""Left for writes if a run's searches take as long as they may: 700 writes of 10 ms, REQUESTS_IN_FLIGHT at
once, take half a second."""


def _now() -> datetime:
    return datetime.now(UTC)


class RankingFeedback:
    def __init__(
        self,
        configuration: FeedbackConfiguration,
        reader: TrendingReader,
        table: RankingTable,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._configuration = configuration
        self._reader = reader
        self._table = table
        self._clock = clock

    def run(self, remaining_seconds: float) -> FeedbackOutcome:
        """remaining_seconds: until Lambda ends the invocation. Raises no service's errors: the outcome has
        them, and everything else is written."""
        outcome = FeedbackOutcome()
        deadline = time.monotonic() + remaining_seconds - RESERVE_SECONDS
        try:
            stored, outcome.problems = self._table.stored()
        except Exception as error:  # botocore may raise anything for an unreadable answer
            outcome.problems = [f"the table {self._configuration.table} cannot be read: {error}"]
            return outcome
        outcome.age_seconds = self._age(newest_counted_until(stored.values(), now=self._clock()))
        # First, because unanswered searches leave no time for it.
        keep = kept_longer(stored.values(), self._configuration, now=self._clock())
        outcome.extended = self._write(keep, self._table.keep, outcome, deadline)
        try:
            answer = self._reader.top_of_segments(
                self._configuration.window,
                groupings(self._configuration),
                self._configuration.articles,
                min_clicks=self._configuration.min_clicks,
                within=timedelta(seconds=max(deadline - WRITING_SECONDS - time.monotonic(), 0.0)),
            )
        except TrendsError as error:
            outcome.problems.append(str(error))
            return outcome
        outcome.unfit = unfit(answer, self._configuration)
        if outcome.unfit:
            outcome.not_known = answer.freshness.progress.problem
            return outcome
        found = rankings(answer, self._configuration)
        to_write = due(found, stored, self._configuration)
        outcome.unchanged = len(found) - len(to_write)
        outcome.written = self._write(to_write, self._table.put, outcome, deadline)
        if outcome.written or outcome.unchanged or outcome.overtaken:
            outcome.age_seconds = self._age(answer.freshness.newest_published_at)
        return outcome

    def _age(self, counted_until: datetime | None) -> float | None:
        return None if counted_until is None else max(0.0, (self._clock() - counted_until).total_seconds())

    def _write(
        self,
        rankings: Iterable[ServedRanking],
        write: Callable[[ServedRanking], bool],
        outcome: FeedbackOutcome,
        deadline: float,
    ) -> int:
        """Returns how many were written; the outcome gets the others."""

        def attempt(ranking: ServedRanking) -> bool | str:
            if time.monotonic() > deadline:
                return f"no time was left to write {ranking.segment!r}"
            try:
                return write(ranking)
            except Exception as error:  # any error: other rankings must not wait
                return f"{ranking.segment!r} was not written: {error}"

        with ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
            results = list(pool.map(attempt, rankings))
        problems = [result for result in results if isinstance(result, str)]
        outcome.problems += problems
        outcome.failed += len(problems)
        outcome.overtaken += results.count(False)
        return results.count(True)
