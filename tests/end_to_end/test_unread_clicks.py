"""One shard is read late while another's counts go on: nothing unread is called complete."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from clients.batch_server.progress import SETTLING
from contract.ranking import COMPLETE_UNTIL
from names import OREGON, TOKYO
from tests.end_to_end.conftest import Pipeline, as_record, click
from twin.processes import wait_for
from twin.traffic.record import EntryPoint

ARTICLE = "unread"
CLICKS_AT_ONCE = 10
LATE = timedelta(seconds=60)
# For metrics by the minute, used a minute after their end, on a busy machine.
KNOWN_SECONDS = 420


@contextmanager
def _one_shard_stalled(pipeline: Pipeline) -> Iterator[None]:
    twin = pipeline.twin
    kinesis = twin.emulator.client("kinesis", OREGON)
    shards = kinesis.list_shards(StreamName=twin.names.source_stream)["Shards"]
    assert len(shards) > 1
    path = f"{twin.emulator.endpoint}/_twin/streams/{OREGON}/{twin.names.source_stream}/stalled"

    def stall(shard_ids: list[str]) -> None:
        urllib.request.urlopen(path, data=json.dumps(shard_ids).encode(), timeout=30).close()

    stall([shards[0]["ShardId"]])
    try:
        yield
    finally:
        stall([])


def test_minutes_are_complete_only_when_each_shard_was_read(pipeline: Pipeline) -> None:
    twin = pipeline.twin
    reader, names = twin.reader(), twin.names
    dynamodb = twin.emulator.client_as(names.role_arn(names.feedback), "dynamodb", TOKYO)
    sent = 0
    claimed: dict[datetime, int] = {}

    def click_and_look() -> timedelta | None:
        """Put clicks of now and note what is called complete. Returns how late the application reads."""
        nonlocal sent
        now = datetime.now(UTC)
        clicks = [
            click(sent + number, article_id=ARTICLE, clicked_at=now) for number in range(CLICKS_AT_ONCE)
        ]
        pipeline.send(EntryPoint.WEB, [as_record(each) for each in clicks])
        sent += CLICKS_AT_ONCE
        twin.check()
        freshness = reader.freshness()
        complete = freshness.complete_until
        if complete is not None:
            claimed.setdefault(complete, clicks_before(complete))
        return freshness.progress.behind

    def clicks_before(until: datetime) -> int:
        pipeline.refresh()
        return sum(
            clicks
            for (minute, *_), clicks in pipeline.count_documents(ARTICLE).items()
            if datetime.fromisoformat(minute) < until
        )

    def wait(until: Callable[[timedelta, datetime], bool], what: str) -> None:
        """until: of how late the application reads, and when the newest count was published."""

        def seen() -> bool:
            behind = click_and_look()
            newest = reader.freshness().newest_published_at
            return behind is not None and newest is not None and until(behind, newest)

        wait_for(
            seen,
            what=what,
            timeout_seconds=KNOWN_SECONDS,
            poll_seconds=2.0,
            seen=lambda: str(reader.freshness()),
        )

    def served_until() -> datetime:
        items = dynamodb.scan(TableName=names.trending_table)["Items"]
        return max(datetime.fromisoformat(item[COMPLETE_UNTIL]["S"]) for item in items)

    wait(lambda behind, _: behind < LATE, "all shards known to be read")
    stalled_at = datetime.now(UTC)

    def late_by_the_stall(behind: timedelta, newest: datetime) -> bool:
        """On a busy machine the application may be late by itself for a while."""
        stalled_for = datetime.now(UTC) - stalled_at
        the_other_is_counted = newest > stalled_at + LATE
        return behind >= LATE and stalled_for > LATE + SETTLING and the_other_is_counted

    with _one_shard_stalled(pipeline):
        wait(late_by_the_stall, "the shard known to be late while the other is counted")
        assert max(claimed) <= stalled_at
        assert served_until() <= stalled_at
    # tests/clients/batch_server/test_progress.py shows by a clock that later minutes are complete again.
    pipeline.wait_until(lambda: pipeline.clicks_counted(ARTICLE) == sent, "every click counted")
    assert claimed == {until: clicks_before(until) for until in claimed}, "a complete minute has grown"
