"""Which minutes are complete, from what the application has read: with a clock of the test's own."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from clients.batch_server import Freshness, ReadProgress
from clients.batch_server.progress import (
    HANGING_READ,
    KEPT_SECONDS,
    LOOK_BACK,
    RECENT,
    SETTLING,
    ProgressWatch,
    progress_in,
    requests,
)
from names import Names

NAMES = Names(environment="production", account="111111111111")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
UNTIL = NOON - MINUTE
"""Of the metrics that are asked for at NOON."""
NEWEST = UNTIL - MINUTE


def answer(
    behind: Mapping[datetime, float],
    read: Mapping[datetime, float] | None = None,
    status: str = "Complete",
    least: Mapping[datetime, float] | None = None,
) -> list[dict[str, Any]]:
    """As GetMetricData gives it: the newest first. least: the smallest lag of any shard, if it is another."""

    def result(name: str, values: Mapping[datetime, float]) -> dict[str, Any]:
        times = sorted(values, reverse=True)
        return {
            "Id": name,
            "Label": name,
            "StatusCode": status,
            "Timestamps": times,
            "Values": [values[time] for time in times],
        }

    return [
        result("behind", behind),
        result("least", behind if least is None else least),
        result("read", read or {}),
    ]


def cloudwatch(told: list[dict[str, Any]]) -> mock.Mock:
    """A client whose GetMetricData gives of these what is asked for."""

    def give(MetricDataQueries: list[dict[str, Any]], **_: object) -> dict[str, Any]:  # noqa: N803
        asked = {query["Id"] for query in MetricDataQueries}
        return {"MetricDataResults": [result for result in told if result["Id"] in asked]}

    return mock.Mock(**{"get_metric_data.side_effect": give})


def minutes(value: float, *, to: datetime = NEWEST, number: int = 17) -> dict[datetime, float]:
    return {to - back * MINUTE: value for back in range(number)}


def freshness(progress: ReadProgress, published: datetime | None, at: datetime = NOON) -> Freshness:
    return Freshness(
        asked_at=at,
        since=at - RECENT,
        newest_minute=published,
        newest_published_at=published,
        delivered_until=published,
        progress=progress,
    )


def test_a_consumer_at_the_head_of_the_stream_has_read_every_whole_minute() -> None:
    progress = progress_in(answer(minutes(0), minutes(50)), until=UNTIL)
    assert progress == ReadProgress(read_until=NEWEST - HANGING_READ, behind=timedelta(0))


def test_what_is_not_read_is_not_complete_however_new_the_counts_are() -> None:
    """Ten minutes behind: a count was published five seconds ago."""
    progress = progress_in(answer(minutes(600_000), minutes(50)), until=UNTIL)
    assert progress.behind == 10 * MINUTE
    complete = freshness(progress, NOON - 20 * SECOND).complete_until
    assert complete == NEWEST - 12 * MINUTE
    caught_up = progress_in(answer(minutes(0), minutes(50)), until=UNTIL)
    assert freshness(caught_up, NOON - 20 * SECOND).complete_until == NEWEST - 2 * MINUTE


def test_no_minute_becomes_complete_while_the_application_stands_still() -> None:
    """Its shards are ever later, and then it is silent; the clock goes on."""
    seen = set()
    for passed in range(17):
        now_until = UNTIL + passed * MINUTE
        late = {
            minute: max((minute - NEWEST) / MINUTE * 60_000, 0)
            for minute in (now_until - MINUTE - back * MINUTE for back in range(17))
        }
        progress = progress_in(answer(late), until=now_until)
        seen.add(freshness(progress, NOON + passed * MINUTE, NOON + passed * MINUTE).complete_until)
    assert seen == {NEWEST - 2 * MINUTE}
    silent = progress_in(answer(minutes(0, number=2)), until=UNTIL + 10 * MINUTE)
    assert silent.read_until == NEWEST - HANGING_READ


@pytest.mark.parametrize(
    ("behind", "why"),
    [
        ({}, "has reported nothing for 17 minutes"),
        ({NEWEST: 0.0}, "has only just begun to report"),
        ({NEWEST: 0.0, NEWEST - 2 * MINUTE: 0.0}, "has only just begun to report"),
        ({NEWEST: -1.0, NEWEST - MINUTE: 0.0}, "has read nothing so far"),
        ({NEWEST: 0.0, NEWEST - MINUTE: -1.0}, "has read nothing so far"),
        ({NEWEST: float("nan"), NEWEST - MINUTE: 0.0}, "has read nothing so far"),
        ({NEWEST: 0.0, NEWEST - MINUTE: float("inf")}, "has read nothing so far"),
    ],
)
def test_nothing_is_complete_when_the_application_tells_nothing(
    behind: Mapping[datetime, float], why: str
) -> None:
    progress = progress_in(answer(behind, minutes(0)), until=UNTIL)
    assert why in str(progress.problem)
    assert (progress.read_until, progress.quiet_since) == (None, None)
    assert freshness(progress, NOON - 20 * SECOND).complete_until is None


def test_an_answer_in_part_is_none() -> None:
    progress = progress_in(answer(minutes(0), minutes(0), status="PartialData"), until=UNTIL)
    assert "PartialData" in str(progress.problem)


def test_the_slower_of_the_last_two_minutes_counts() -> None:
    """A task manager that has not reported yet may be the one that is behind."""
    progress = progress_in(answer(minutes(0) | {NEWEST - MINUTE: 90_000.0}), until=UNTIL)
    assert progress.behind == 90 * SECOND


def test_minutes_become_complete_again_two_minutes_after_the_last_shard_was_read() -> None:
    was_late = minutes(90_000.0) | minutes(0, number=2)
    assert progress_in(answer(was_late), until=UNTIL).read_until == NEWEST - HANGING_READ
    still_late = minutes(90_000.0) | minutes(0, number=1)
    assert progress_in(answer(still_late), until=UNTIL).read_until == NEWEST - HANGING_READ - 90 * SECOND


def test_an_idle_stream_goes_on_becoming_complete() -> None:
    published = NOON - 9 * MINUTE - 30 * SECOND
    read = minutes(3) | minutes(0, number=7)
    progress = progress_in(answer(minutes(0), read), until=UNTIL)
    assert progress.quiet_since == NOON - 8 * MINUTE
    until_the_count = published.replace(second=0)
    assert freshness(progress, published).complete_until == until_the_count
    quiet = progress_in(answer(minutes(0), read | {NOON - 9 * MINUTE: 0.0}), until=UNTIL)
    assert freshness(quiet, published).complete_until == NEWEST - 2 * MINUTE


def test_a_stream_without_any_click_for_long_is_complete() -> None:
    progress = progress_in(answer(minutes(0), minutes(0)), until=UNTIL)
    for published in (None, NOON - 3 * RECENT):
        assert freshness(progress, published).complete_until == NEWEST - 2 * MINUTE


def test_records_that_no_count_follows_are_not_complete() -> None:
    """The application reads and publishes nothing: it cannot write, or all that comes is rejected."""
    progress = progress_in(answer(minutes(0), minutes(5)), until=UNTIL)
    assert freshness(progress, None).complete_until is None
    assert freshness(progress, NOON - 6 * MINUTE).complete_until == NOON - 7 * MINUTE


def test_a_minute_of_unknown_reading_is_not_idle() -> None:
    read = minutes(0)
    del read[NEWEST]
    assert progress_in(answer(minutes(0), read), until=UNTIL).quiet_since is None
    unanswered = answer(minutes(0), minutes(0))
    unanswered.pop()
    assert progress_in(unanswered, until=UNTIL).quiet_since is None


def watch(client: mock.Mock, passed: Callable[[], float] = lambda: 0.0) -> ProgressWatch:
    return ProgressWatch(client, NAMES, clock=lambda: NOON + 59 * SECOND, monotonic=passed)


def test_metrics_are_asked_for_in_whole_minutes_that_have_settled() -> None:
    client = cloudwatch(answer(minutes(0)))
    assert watch(client)().read_until == NEWEST - HANGING_READ
    assert client.get_metric_data.call_args_list == [
        mock.call(MetricDataQueries=queries, StartTime=NOON - SETTLING - LOOK_BACK, EndTime=NOON - SETTLING)
        for queries in requests(NAMES)
    ]
    expressions = [
        [query["Expression"] for query in queries if "Expression" in query] for queries in requests(NAMES)
    ]
    assert expressions == [
        [
            f'SELECT {statistic}(millisBehindLatest) FROM "AWS/KinesisAnalytics" '
            "WHERE Application = 'click-trends-production-analytics'"
        ]
        for statistic in ("MAX", "MIN")
    ]


def test_a_shard_of_which_nothing_was_read_is_not_hidden_by_the_others() -> None:
    for minute in (NEWEST, NEWEST - MINUTE):
        hidden = answer(minutes(0), least=minutes(0) | {minute: -1.0})
        progress = progress_in(hidden, until=UNTIL)
        assert progress.read_until is None
        assert "of one shard or more" in str(progress.problem)
    untold = progress_in(answer(minutes(0), least={}), until=UNTIL)
    assert untold.read_until is None


def test_many_questions_ask_cloudwatch_once() -> None:
    client = cloudwatch(answer(minutes(0)))
    passed = [0.0]
    progress = watch(client, lambda: passed[0])
    for passed[0], times in ((0.0, 1), (KEPT_SECONDS - 1, 1), (KEPT_SECONDS, 2), (KEPT_SECONDS + 1, 2)):
        progress()
        assert client.get_metric_data.call_count == times * len(requests(NAMES))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, "GetMetricData"),
            "not allowed",
        ),
        (ReadTimeoutError(endpoint_url="https://monitoring"), "timeout"),
    ],
)
def test_a_refused_or_unanswered_request_is_said(error: Exception, said: str) -> None:
    client = mock.Mock(**{"meta.region_name": "us-west-2", "get_metric_data.side_effect": error})
    progress = watch(client)()
    assert progress.read_until is None
    assert said in str(progress.problem)
    assert "CloudWatch in us-west-2 does not tell how far click-trends-production-analytics has read" in str(
        progress.problem
    )


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        [],
        {"MetricDataResults": None},
        {"MetricDataResults": [{}]},
        {"MetricDataResults": [None]},
        {
            "MetricDataResults": [
                {"Id": "behind", "StatusCode": "Complete", "Timestamps": [NOON], "Values": []}
            ]
        },
        {
            "MetricDataResults": [
                {"Id": "behind", "StatusCode": "Complete", "Timestamps": ["?"], "Values": [1.0]}
            ]
        },
        {"MetricDataResults": answer(minutes(2.0**63))},
        {"MetricDataResults": answer(minutes(1e14))},
    ],
)
def test_an_answer_that_is_none_is_said(told: Any) -> None:
    client = mock.Mock()
    client.get_metric_data.return_value = told
    assert "cannot be read" in str(watch(client)().problem)
