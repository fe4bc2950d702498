"""What the reader sends: one signed search and nothing else, seen by a server that records requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from batch_server import TrendingReader, TrendsError, connect
from batch_server.reader import ATTEMPTS
from twin.processes import free_port

KEYS = Credentials("AKIDEXAMPLE", "secret", "session-token")
HOUR = timedelta(hours=1)
EMPTY = {"took": 1, "timed_out": False, "hits": {"hits": []}}


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RecordingServer:
    endpoint: str
    statuses: list[int]
    answer: bytes
    requests: list[Request] = field(default_factory=list)


@contextmanager
def _answering(*statuses: int, answer: object = EMPTY) -> Iterator[RecordingServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _record(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            url = f"http://{self.headers['host']}{self.path}"
            recorded.requests.append(Request(self.command, url, dict(self.headers.items()), body))
            answered = len(recorded.requests) - 1
            self.send_response(recorded.statuses[min(answered, len(recorded.statuses) - 1)])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(recorded.answer)))
            self.end_headers()
            self.wfile.write(recorded.answer)

        do_GET = do_POST = do_HEAD = do_PUT = _record  # noqa: N815 (names that http.server looks for)

        def log_message(self, *_: object) -> None:
            """Requests are recorded, not printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint = f"http://127.0.0.1:{server.server_port}"
    recorded = RecordingServer(endpoint, list(statuses) or [200], json.dumps(answer).encode())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
    with _answering() as server:
        reader = TrendingReader(server.endpoint, KEYS)
        assert reader.top(HOUR) == []
        reader.top_by_segment("gender", HOUR)
        reader.totals(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    paths = {(request.method, request.url.split("?")[0]) for request in server.requests}
    assert paths == {("POST", f"{server.endpoint}/click-counts.*/_search")}
    assert len(server.requests) == 3
    assert [json.loads(request.body)["size"] for request in server.requests] == [0, 0, 0]


def test_each_request_carries_a_signature_that_aws_would_compute_too() -> None:
    with _answering() as server:
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
    with _answering() as server:
        reader = connect(server.endpoint, session, role_arn=role)
        reader.top(HOUR)
        reader.top(HOUR)
    assume_role.assert_called_once_with(RoleArn=role, RoleSessionName="click-trends-batch-server")
    assert {request.headers["X-Amz-Security-Token"] for request in server.requests} == {"role-token"}


def test_a_role_is_assumed_again_before_its_keys_expire() -> None:
    session = mock.Mock(spec=boto3.Session, region_name="ap-northeast-1")
    keys = {"AccessKeyId": "ASIA", "SecretAccessKey": "secret"}
    now = datetime.now(UTC)
    session.client.return_value.assume_role.side_effect = [
        {"Credentials": keys | {"SessionToken": "first", "Expiration": now + timedelta(minutes=2)}},
        {"Credentials": keys | {"SessionToken": "second", "Expiration": now + HOUR}},
    ]
    with _answering() as server:
        reader = connect(server.endpoint, session, role_arn="arn:aws:iam::000000000000:role/batch-server")
        reader.top(HOUR)
        reader.top(HOUR)
    tokens = [request.headers["X-Amz-Security-Token"] for request in server.requests]
    assert tokens[-1] == "second"


def test_a_refused_signature_names_the_role_the_action_and_the_policies_to_check() -> None:
    message = "User: arn:aws:iam::000000000000:user/x is not authorized to perform: es:ESHttpPost"
    with _answering(403, answer={"Message": message}) as server, pytest.raises(TrendsError) as refused:
        TrendingReader(server.endpoint, KEYS).top(HOUR)
    assert len(server.requests) == 1
    for part in (message, "TokyoIngest", "es:ESHttpPost", "click-counts.*/_search", "access policy"):
        assert part in str(refused.value)


def test_a_busy_domain_is_asked_a_bounded_number_of_times() -> None:
    with _answering(503, answer={"message": "busy"}) as server, pytest.raises(TrendsError, match="503: busy"):
        TrendingReader(server.endpoint, KEYS).top(HOUR)
    assert len(server.requests) == ATTEMPTS


def test_a_search_is_asked_again_while_the_index_of_a_new_day_is_made() -> None:
    with _answering(503, 503, 200) as server:
        assert TrendingReader(server.endpoint, KEYS).top(HOUR) == []
    assert len(server.requests) == 3


def test_a_search_that_ended_early_is_an_error_not_a_smaller_count() -> None:
    with (
        _answering(answer=EMPTY | {"timed_out": True}) as server,
        pytest.raises(TrendsError, match="ask again"),
    ):
        TrendingReader(server.endpoint, KEYS).top(HOUR)


def test_an_endpoint_that_nobody_serves_is_named_with_what_to_check() -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(TrendsError, match=f"{endpoint} cannot be reached.*CLICK_TRENDS_ENDPOINT"):
        TrendingReader(endpoint, KEYS).top(HOUR)


@pytest.mark.parametrize(
    "endpoint", ["search-domain.example", "ftp://search-domain", "https://", "https://host/path"]
)
def test_an_endpoint_in_another_form_is_refused_with_the_form_to_write(endpoint: str) -> None:
    with pytest.raises(TrendsError, match="write https://"):
        TrendingReader(endpoint, KEYS)


def test_a_machine_without_credentials_is_told_where_to_put_them() -> None:
    session = mock.Mock(spec=boto3.Session)
    session.get_credentials.return_value = None
    with pytest.raises(TrendsError, match="AWS_PROFILE"):
        connect("https://search-domain.example", session)
