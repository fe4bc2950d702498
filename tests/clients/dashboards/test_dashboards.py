"""Putting saved objects into OpenSearch Dashboards: the requests, seen by a server that answers as its routes
do. Dashboards itself is in no package registry."""

import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from typer.testing import CliRunner

from clients.batch_server import TrendsError
from clients.command_line.command import app
from clients.dashboards.dashboards import FILE, Dashboards
from clients.dashboards.saved_objects import as_ndjson, saved_objects
from tests.clients.batch_server.recording_server import RecordingServer, Request, answering
from twin.processes import free_port

KEYS = Credentials("AKIDEXAMPLE", "secret", "session-token")
OBJECTS = saved_objects()
ALL_PUT = {"success": True, "successCount": len(OBJECTS)}
CONFLICTS = {
    "success": False,
    "successCount": 0,
    "errors": [{"type": OBJECTS[0]["type"], "id": OBJECTS[0]["id"], "error": {"type": "conflict"}}],
}


def put(server: RecordingServer) -> int:
    return Dashboards(server.endpoint, KEYS, "us-west-2").put(OBJECTS)


def form(request: Request) -> dict[str, tuple[str | None, str]]:
    """Field -> (name of the file, content)."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + request.body, policy=HTTP)
    return {
        part.get_param("name", header="content-disposition"): (
            part.get_filename(),
            part.get_payload(decode=True).decode(),
        )
        for part in parts.iter_parts()
    }


def test_objects_go_as_a_file_that_dashboards_takes_to_its_import() -> None:
    with answering(answer=ALL_PUT) as server:
        assert put(server) == len(OBJECTS)
    [request] = server.requests
    assert (request.method, request.url) == (
        "POST",
        f"{server.endpoint}/_dashboards/api/saved_objects/_import",  # no parameters: the service drops them
    )
    assert request.headers["osd-xsrf"] == "true"
    assert form(request) == {"file": (FILE, as_ndjson(OBJECTS))}
    assert FILE.endswith(".ndjson")


def test_the_request_carries_a_signature_that_aws_would_compute_too() -> None:
    with answering(answer=ALL_PUT) as server:
        put(server)
    [request] = server.requests
    signed_names = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {name: value for name, value in request.headers.items() if name.lower() in signed_names}
    assert {"host", "osd-xsrf", "x-amz-security-token"} <= set(signed_names)
    signed_at = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    again = AWSRequest(request.method, request.url, data=request.body, headers=headers)
    with mock.patch("botocore.auth.get_current_datetime", return_value=signed_at.replace(tzinfo=None)):
        SigV4Auth(KEYS, "es", "us-west-2").add_auth(again)
    assert request.headers["Authorization"] == again.headers["Authorization"]


def test_objects_of_an_earlier_import_are_overwritten() -> None:
    """`_import` writes none where one exists; the decision then goes in the form, not in the URL."""
    with answering(answer=(CONFLICTS, ALL_PUT)) as server:
        assert put(server) == len(OBJECTS)
    first, second = server.requests
    assert second.url == f"{server.endpoint}/_dashboards/api/saved_objects/_resolve_import_errors"
    assert form(second)["file"] == form(first)["file"]
    assert json.loads(form(second)["retries"][1]) == [
        {"type": each["type"], "id": each["id"], "overwrite": True, "replaceReferences": []}
        for each in OBJECTS
    ]


@pytest.mark.parametrize(
    ("statuses", "answer", "message"),
    [
        (
            [403],
            {"Message": "User is not authorized"},
            r"refused .*403.*must be allowed es:ESHttpPost on <domain",
        ),
        ([401], b"Unauthorized", r"refused .*401"),
        ([404], {"error": "no handler"}, r"answered 404 .*no answer of OpenSearch Dashboards"),
        ([200], b"<html>sign in</html>", "no sign-in page answers"),
        ([200], [], "no answer of OpenSearch Dashboards"),
        ([200], b"\xff\xfe", "no answer of OpenSearch Dashboards"),
        ([302], b"", "answered 302"),
        ([200], {"errors": None}, "it says nothing more"),
        ([200], {"errors": ["conflict", {"error": "conflict"}]}, "took 0 of"),
        ([200], {"success": True, "successCount": 1}, r"took 1 of \d+ objects: it says nothing more"),
        (
            [200],
            {
                "success": False,
                "successCount": 0,
                "errors": [{"type": "dashboard", "id": "a", "error": {"type": "unsupported_type"}}],
            },
            "took 0 of .* dashboard a: .*unsupported_type",
        ),
    ],
)
def test_whatever_is_not_put_in_full_is_an_error_that_says_what_to_do(
    statuses: list[int], answer: Any, message: str
) -> None:
    with answering(*statuses, answer=answer) as server, pytest.raises(TrendsError, match=message):
        put(server)
    assert len(server.requests) == 1


def test_an_overwriting_that_fails_too_ends_in_an_error() -> None:
    with answering(answer=CONFLICTS) as server, pytest.raises(TrendsError, match=r"took 0 of .*conflict"):
        put(server)
    assert len(server.requests) == 2


@pytest.mark.parametrize("endpoint", ["search.example", "ftp://host", "https://host/_dashboards", "https://"])
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(TrendsError, match="is no endpoint: write https:// and the domain's host name"):
        Dashboards(endpoint, KEYS, "us-west-2")


def test_a_domain_that_cannot_be_reached_is_named() -> None:
    with pytest.raises(
        TrendsError, match=r"could not send the objects to http://127\.0\.0\.1:\d+/_dashboards"
    ):
        Dashboards(f"http://127.0.0.1:{free_port()}", KEYS, "us-west-2").put(OBJECTS)


def test_one_command_prints_them_and_one_imports_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    run = CliRunner()
    assert run.invoke(app, ["saved-objects"]).stdout == as_ndjson(OBJECTS)
    with answering(answer=ALL_PUT) as server:
        imported = run.invoke(app, ["import-saved-objects", "--endpoint", server.endpoint])
    assert imported.exit_code == 0, imported.output
    assert f"{len(OBJECTS)} saved objects are in OpenSearch Dashboards" in imported.stderr
    with answering(403, answer={"Message": "no"}) as server:
        refused = run.invoke(app, ["import-saved-objects", "--endpoint", server.endpoint])
    assert refused.exit_code == 1
    assert "click-trends: " in refused.stderr
