"""What the templates' roles may not do, tried with their credentials."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import AuthorizationException

from clients.batch_server import EVERY_SEGMENT, Answer, Segment
from names import OREGON, TOKYO
from tests.end_to_end.conftest import A_DAY, INDICES, Pipeline


def search_as(pipeline: Pipeline, role: str) -> OpenSearch:
    session = pipeline.twin.emulator.session_as(pipeline.twin.names.role_arn(role), TOKYO)
    auth = Urllib3AWSV4SignerAuth(session.get_credentials(), OREGON, "es")
    return OpenSearch(hosts=[pipeline.twin.emulator.search_endpoint], http_auth=auth, max_retries=0)


def test_the_batch_server_only_searches_counts_in_opensearch(pipeline: Pipeline) -> None:
    search = search_as(pipeline, pipeline.twin.names.batch_server_role)
    assert search.search(index=INDICES, body={"size": 0})["timed_out"] is False
    refused: list[Any] = [
        lambda: search.index(index=A_DAY, body={"clicks": 1}),
        lambda: search.indices.delete(index=INDICES),
        lambda: search.indices.get_mapping(index=INDICES),
        lambda: search.search(index="other", body={"size": 0}),
        search.cluster.health,
        lambda: search.delete_by_query(index=INDICES, body={"query": {"match_all": {}}}),
    ]
    for request in refused:
        with pytest.raises(AuthorizationException):
            request()


def test_the_batch_server_may_ask_every_question(pipeline: Pipeline) -> None:
    reader, hour = pipeline.twin.reader(), timedelta(hours=1)
    female = Segment(gender="female")
    questions: list[Callable[[], Answer]] = [
        lambda: reader.top(hour, female),
        lambda: reader.top_of_segments(hour, EVERY_SEGMENT),
        lambda: reader.trend(hour, articles=["a"], by=("region",)),
        lambda: reader.heat_map(hour, ("age_band",)),
        lambda: reader.compare(hour, female),
        lambda: reader.rising(hour, hour),
    ]
    for ask in questions:
        assert ask().searches > 0  # a refusal would be an error
    assert reader.freshness().asked_at


def test_the_batch_servers_command_asks_the_twin_from_another_shell(pipeline: Pipeline) -> None:
    file = pipeline.twin.write_reader_environment()
    asked = subprocess.run(
        ["bash", "-c", f'. "{file}" && exec click-trends freshness --json'],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)


def test_an_unsigned_request_to_the_search_domain_is_refused(pipeline: Pipeline) -> None:
    search = OpenSearch(hosts=[pipeline.twin.emulator.search_endpoint], max_retries=0)
    with pytest.raises(AuthorizationException):
        search.search(index=INDICES, body={"size": 0})


def test_a_web_server_puts_clicks_only_into_the_source_stream(pipeline: Pipeline) -> None:
    names = pipeline.twin.names
    role = names.role_arn(names.web_server_role)
    kinesis = pipeline.twin.emulator.client_as(role, "kinesis", OREGON)
    record = {"Data": b"{}\n", "PartitionKey": "-"}
    with pytest.raises(ClientError, match="AccessDenied"):
        kinesis.describe_stream(StreamName=names.source_stream)
    with pytest.raises(ClientError, match="AccessDenied"):
        kinesis.put_records(StreamName="another", Records=[record])
    tokyo = pipeline.twin.emulator.client_as(role, "kinesis", TOKYO)
    with pytest.raises(ClientError, match="AccessDenied"):
        tokyo.put_records(StreamName=names.mobile_stream, Records=[record])
