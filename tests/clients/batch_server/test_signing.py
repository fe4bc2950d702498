"""What the reader sends: one signed search and nothing else, seen by a server that records requests."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from clients.batch_server import TrendingReader, TrendsError, connect
from clients.batch_server.errors import QuestionError
from clients.batch_server.search import INDICES, MAX_ATTEMPTS
from clients.batch_server.served_rankings import ServedTable, connect_table
from tests.clients.batch_server.recording_server import Request, answering
from twin.processes import free_port

KEYS = Credentials("AKIDEXAMPLE", "secret", "session-token")
HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def _signature_made_again(request: Request) -> str:
    """The Authorization header that AWS would compute for this request."""
    signed_names = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {name: value for name, value in request.headers.items() if name.lower() in signed_names}
    signed_at = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    again = AWSRequest(request.method, request.url, data=request.body, headers=headers)
    with mock.patch("botocore.auth.get_current_datetime", return_value=signed_at.replace(tzinfo=None)):
        SigV4Auth(KEYS, "es", "us-west-2").add_auth(again)
    return str(again.headers["Authorization"])


def test_a_question_is_one_search_on_the_counts_and_asks_for_no_documents() -> None:
    with answering() as server:
        reader = TrendingReader(server.endpoint, KEYS)
        assert reader.top(HOUR).articles == ()
        reader.top_of_segments(HOUR, until=NOON)
        reader.trend(HOUR)
        reader.totals(NOON, NOON + HOUR)
        reader.freshness()
    # The service may drop URL parameters of a POST, so there are none that an answer could depend on.
    asked = {(request.method, request.url) for request in server.requests}
    assert asked == {("POST", f"{server.endpoint}/{INDICES}/_search")}
    assert {json.loads(request.body)["size"] for request in server.requests} == {0}


def test_each_request_carries_a_signature_that_aws_would_compute_too() -> None:
    with answering() as server:
        TrendingReader(server.endpoint, KEYS).top(HOUR)
    (request,) = server.requests
    assert "/us-west-2/es/aws4_request" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "session-token"
    assert request.headers["Authorization"] == _signature_made_again(request)


def test_a_role_is_assumed_once_and_its_keys_sign_every_request() -> None:
    session = mock.Mock(spec=boto3.Session, region_name="ap-northeast-1")
    assume_role = session.client.return_value.assume_role
    assume_role.return_value = {
        "Credentials": {
            "AccessKeyId": "ASIAROLE",
            "SecretAccessKey": "role-secret",
            "SessionToken": "role-token",
            "Expiration": datetime.now(UTC) + HOUR,
        }
    }
    role = "arn:aws:iam::000000000000:role/batch-server"
    with answering() as server:
        reader = connect(server.endpoint, session, role_arn=role)
        reader.top(HOUR)
        reader.top(HOUR)
    assume_role.assert_called_once_with(RoleArn=role, RoleSessionName="click-trends-batch-server")
    assert {request.headers["X-Amz-Security-Token"] for request in server.requests} == {"role-token"}


@pytest.fixture
def expiring() -> mock.Mock:
    """A session whose role's first keys end in two minutes."""
    session = mock.Mock(spec=boto3.Session, region_name="ap-northeast-1")
    keys = {"AccessKeyId": "ASIA", "SecretAccessKey": "secret"}
    now = datetime.now(UTC)
    session.client.return_value.assume_role.side_effect = [
        {"Credentials": keys | {"SessionToken": "first", "Expiration": now + timedelta(minutes=2)}},
        {"Credentials": keys | {"SessionToken": "second", "Expiration": now + HOUR}},
    ]
    return session


def test_a_role_is_assumed_again_before_its_keys_expire(expiring: mock.Mock) -> None:
    with answering() as server:
        reader = connect(server.endpoint, expiring, role_arn="arn:aws:iam::000000000000:role/batch-server")
        reader.top(HOUR)
        reader.top(HOUR)
    tokens = [request.headers["X-Amz-Security-Token"] for request in server.requests]
    assert tokens[-1] == "second"


def test_the_role_that_reads_rankings_is_assumed_again_before_its_keys_expire(
    expiring: mock.Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        role = "arn:aws:iam::000000000000:role/batch-server"
        table = connect_table("trending", region="ap-northeast-1", role_arn=role, session=expiring)
        assert table.read().ranking is None
        assert table.read().ranking is None
    assert server.requests[-1].headers["X-Amz-Security-Token"] == "second"
    assert {request.headers["X-Amz-Target"] for request in server.requests} == {"DynamoDB_20120810.GetItem"}
    assert json.loads(server.requests[0].body)["Key"] == {"segment": {"S": "all"}}


def test_a_refused_signature_names_the_role_the_action_and_the_policies_to_check() -> None:
    message = "User: arn:aws:iam::000000000000:user/x is not authorized to perform: es:ESHttpPost"
    with answering(403, answer={"Message": message}) as server, pytest.raises(TrendsError) as refused:
        TrendingReader(server.endpoint, KEYS).top(HOUR)
    assert len(server.requests) == 1
    for part in (message, "TokyoIngest", "es:ESHttpPost", f"{INDICES}/_search", "access policy"):
        assert part in str(refused.value)


def test_a_role_that_cannot_be_assumed_is_told_as_that_and_asked_for_once() -> None:
    session = mock.Mock(spec=boto3.Session, region_name="ap-northeast-1")
    refusal: Any = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}}
    assume_role = session.client.return_value.assume_role
    assume_role.side_effect = ClientError(refusal, "AssumeRole")
    with answering() as server:
        reader = connect(server.endpoint, session, role_arn="arn:aws:iam::000000000000:role/batch-server")
        with pytest.raises(TrendsError, match=r"could not get credentials .*AccessDenied.*trust policy"):
            reader.top(HOUR)
    assert (server.requests, assume_role.call_count) == ([], 1)


@pytest.mark.parametrize("error", [EndpointConnectionError, ConnectTimeoutError])
def test_an_aws_that_does_not_answer_is_not_told_as_a_lack_of_permission(error: Any) -> None:
    """As in a twin whose emulated AWS has ended."""
    session = mock.Mock(spec=boto3.Session, region_name="ap-northeast-1")
    session.client.return_value.assume_role.side_effect = error(endpoint_url="http://127.0.0.1:9")
    reader = connect("http://127.0.0.1:9", session, role_arn="arn:aws:iam::000000000000:role/batch-server")
    with pytest.raises(TrendsError, match="Check that this machine reaches AWS STS") as told:
        reader.top(HOUR)
    assert "trust policy" not in str(told.value)
    client = mock.Mock(**{"get_item.side_effect": error(endpoint_url="http://127.0.0.1:9")})
    with pytest.raises(TrendsError, match="Check that this machine reaches DynamoDB") as told:
        ServedTable(client, "trending").read()
    assert "role" not in str(told.value)


def test_a_busy_domain_is_asked_a_bounded_number_of_times() -> None:
    with answering(503, answer={"message": "busy"}) as server, pytest.raises(TrendsError, match="503: busy"):
        TrendingReader(server.endpoint, KEYS).top(HOUR)
    assert len(server.requests) == MAX_ATTEMPTS


def test_a_search_is_asked_again_while_the_index_of_a_new_day_is_made() -> None:
    with answering(503, 503, 200) as server:
        assert TrendingReader(server.endpoint, KEYS).top(HOUR, until=NOON).articles == ()
    assert len(server.requests) == 3


def test_an_endpoint_that_nobody_serves_is_named_with_what_to_check() -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(TrendsError, match=f"{endpoint} cannot be reached.*CLICK_TRENDS_ENDPOINT"):
        TrendingReader(endpoint, KEYS).top(HOUR)


@pytest.mark.parametrize(
    "endpoint",
    [
        "search-domain.example",
        "ftp://search-domain",
        "https://",
        "https://host/path",
        "https://host:x",
        "https://[",
        "https://a@b",
        "https://u:p@h",
        "http://a b",
        "http://h\x00",
        "http://a:b",
        "http://[::1",
    ],
)
def test_an_endpoint_in_another_form_is_refused_with_the_form_to_write(endpoint: str) -> None:
    with pytest.raises(TrendsError, match="is no endpoint: write https://"):
        TrendingReader(endpoint, KEYS)


def test_a_machine_without_credentials_is_told_where_to_put_them() -> None:
    session = mock.Mock(spec=boto3.Session)
    session.get_credentials.return_value = None
    with pytest.raises(TrendsError, match="AWS_PROFILE"):
        connect("https://search-domain.example", session)


@pytest.mark.parametrize("empty", ["region", "role_arn", "environment"])
def test_a_reader_with_an_empty_name_is_refused(empty: str) -> None:
    with pytest.raises(QuestionError, match=f"{empty} is empty"):
        connect("https://d.example", mock.Mock(spec=boto3.Session), **{empty: ""})  # type: ignore[arg-type]
