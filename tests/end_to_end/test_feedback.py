"""From a click in Tokyo's stream to the ranking that a web server reads there, and what each role may do."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from opensearchpy.exceptions import AuthorizationException

from clients.batch_server import Segment
from contract.ranking import KEY, segment_key
from names import TOKYO
from tests.end_to_end.conftest import A_DAY, HANAKO_AND_TARO, INDICES, Pipeline, as_record, click
from tests.end_to_end.test_permissions import search_as
from tests.segments import segment
from twin.processes import wait_for
from twin.traffic.record import EntryPoint

ARTICLE = "served-記事"
CLICKS = 5
# Read progress is known three minutes after the start; then a period of the schedule, and a busy machine.
SERVED_SECONDS = 420
SEGMENTS = [{}, {"gender": "female"}, segment(**HANAKO_AND_TARO["hanako"])]


def _client(pipeline: Pipeline, role: str, service: str = "dynamodb") -> Any:
    return pipeline.twin.emulator.client_as(pipeline.twin.names.role_arn(role), service, TOKYO)


def _get(web: Any, table: str, values: dict[str, str]) -> dict[str, Any]:
    item: dict[str, Any] = web.get_item(TableName=table, Key={KEY: {"S": segment_key(values)}}).get(
        "Item", {}
    )
    return item


def test_a_click_in_tokyo_is_in_what_web_servers_read_there(pipeline: Pipeline) -> None:
    names = pipeline.twin.names
    web = _client(pipeline, names.web_server_role)
    now = datetime.now(UTC)
    clicks = [click(number, article_id=ARTICLE, clicked_at=now) for number in range(CLICKS)]
    pipeline.send(EntryPoint.MOBILE, [as_record(one) for one in clicks])

    def clicks_served(values: dict[str, str]) -> int:
        item = _get(web, names.trending_table, values)
        ranked = zip(item["articles"]["L"], item["clicks"]["L"], strict=True) if item else ()
        return sum(int(clicks["N"]) for article, clicks in ranked if article["S"] == ARTICLE)

    wait_for(
        lambda: all(clicks_served(values) == CLICKS for values in SEGMENTS),
        what="the clicks served to each of their reader's segments",
        timeout_seconds=SERVED_SECONDS,
        poll_seconds=1.0,
    )
    assert _get(web, names.trending_table, {"gender": "male"}).get("articles") != [{"S": ARTICLE}]

    def is_fresh() -> bool:
        """Between two rounds of the schedule, a busy machine may be late with the next."""
        seen = pipeline.twin.served_table().read(Segment(gender="female"))  # by the batch server's role
        assert seen.ranking is not None
        assert ARTICLE in seen.ranking.articles
        return seen.is_fresh

    pipeline.wait_until(is_fresh, "a ranking that is fresh")


def test_web_servers_read_one_ranking_at_a_time_and_change_none(pipeline: Pipeline) -> None:
    names = pipeline.twin.names
    table, key = names.trending_table, {KEY: {"S": "all"}}
    for role in (names.web_server_role, names.batch_server_role):
        client = _client(pipeline, role)
        client.get_item(TableName=table, Key=key)
        refused: list[Callable[[], Any]] = [
            partial(client.scan, TableName=table),
            partial(client.put_item, TableName=table, Item=key),
            partial(client.delete_item, TableName=table, Key=key),
            partial(client.get_item, TableName="another", Key=key),
        ]
        for request in refused:
            with pytest.raises(ClientError, match="AccessDenied"):
                request()


def test_the_feedback_function_only_searches_counts_and_writes_rankings(
    pipeline: Pipeline,
) -> None:
    names = pipeline.twin.names
    search = search_as(pipeline, names.feedback)
    assert search.search(index=INDICES, body={"size": 0})["timed_out"] is False
    refused: list[Callable[[], Any]] = [
        lambda: search.index(index=A_DAY, body={"clicks": 1}),
        lambda: search.indices.delete(index=INDICES),
        lambda: search.count(index=INDICES),
        lambda: search.search(index="other", body={"size": 0}),
        search.cluster.health,
        lambda: search.delete_by_query(index=INDICES, body={"query": {"match_all": {}}}),
    ]
    for request in refused:
        with pytest.raises(AuthorizationException):
            request()
    table = _client(pipeline, names.feedback)
    assert table.scan(TableName=names.trending_table)["ResponseMetadata"]["HTTPStatusCode"] == 200
    for request in (
        lambda: table.delete_item(TableName=names.trending_table, Key={KEY: {"S": "all"}}),
        lambda: table.delete_table(TableName=names.trending_table),
        lambda: table.scan(TableName="another"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            request()
