"""What one call comes to, over HTTP, for answers that AWS gives and for those that a broken network gives."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import SSLError

from clients.mobile_app import mobile_stream
from clients.mobile_app.click_queue import Waiting
from clients.mobile_app.delivery import CallOutcome, Stream, put
from tests.clients.mobile_app.aws_stub import REFUSED, Answer, AwsStub, error, running

ENTRIES = [Waiting(number, f"{number:9999}\n".encode(), "u") for number in range(6)]
"""Three records of two clicks."""
TAKEN = {"SequenceNumber": "1"}

Call = Callable[[AwsStub], CallOutcome[Waiting]]


@pytest.fixture
def call() -> Any:
    with ExitStack() as ends:

        def called(stub: AwsStub) -> CallOutcome[Waiting]:
            ends.enter_context(running(stub))
            return put(stream_at(stub.endpoint), ENTRIES)

        yield called


def stream_at(endpoint: str) -> Stream:
    return mobile_stream(
        "mobile",
        identity_pool_id="pool",
        logins=lambda: {"login.example.jp": "id-token"},
        region="ap-northeast-1",
        endpoint_url=endpoint,
    )


UNREADABLE: dict[str, Answer | None] = {
    "no answer": None,
    "an internal failure": error("InternalFailure", 500),
    "unavailable": error("ServiceUnavailable", 503),
    "a gateway's page": (502, b"<html>Bad Gateway</html>"),
    "an error that is no JSON object": (500, b"[]"),
    "a page in place of JSON": (200, b"<html>Please log in to this network</html>"),
    "an empty answer": (200, b""),
    "JSON cut off": (200, b'{"FailedRecordCount":0,"Reco'),
    "bytes that are no text": (200, b"\xff\xfe\x00"),
    "a list": (200, b"[]"),
    "null": (200, b"null"),
    "text for records": (200, b'{"Records":"abc"}'),
    "records of nothing": (200, {"Records": [None, None, None]}),
    "records that say nothing": (200, {"Records": [{}, {}, {}]}),
    "one record that says nothing": (200, {"Records": [TAKEN, {"ShardId": "s"}, TAKEN]}),
    "fewer records than asked for": (200, {"FailedRecordCount": 0, "Records": [TAKEN, TAKEN]}),
    "more records than asked for": (200, {"FailedRecordCount": 0, "Records": [TAKEN] * 4}),
    "no records": (200, {"FailedRecordCount": 0}),
}


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_a_call_with_unknown_effect_is_retryable_and_bounds_the_duplicates(
    call: Call, answer: Answer | None
) -> None:
    outcome = call(AwsStub(on_put=lambda _call, _records: answer))
    assert (outcome.taken, outcome.left) == ([], ENTRIES)
    assert (outcome.sent, outcome.retryable, outcome.possible_duplicates) == (True, True, 6)
    assert "stream mobile: " in str(outcome.problem)


@pytest.mark.parametrize(
    "answer",
    [error("ProvisionedThroughputExceededException"), error("ThrottlingException"), (429, b"slow down")],
    ids=["throughput", "throttled", "429"],
)
def test_a_throttled_call_is_retryable_and_adds_no_duplicates(call: Call, answer: Answer) -> None:
    outcome = call(AwsStub(on_put=lambda _call, _records: answer))
    assert (outcome.taken, outcome.left) == ([], ENTRIES)
    assert (outcome.sent, outcome.retryable, outcome.possible_duplicates) == (True, True, 0)


def test_the_clicks_of_a_refused_record_are_left_and_add_no_duplicate(call: Call) -> None:
    answer = (200, {"FailedRecordCount": 1, "Records": [TAKEN, REFUSED, TAKEN]})
    outcome = call(AwsStub(on_put=lambda _call, _records: answer))
    assert (outcome.taken, outcome.left) == ([*ENTRIES[:2], *ENTRIES[4:]], ENTRIES[2:4])
    assert (outcome.retryable, outcome.possible_duplicates) == (True, 0)
    assert "refused 1 of 3 records: ProvisionedThroughputExceededException" in str(outcome.problem)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"]
)
def test_a_refusal_that_no_retry_mends_says_what_to_check(call: Call, code: str) -> None:
    outcome = call(AwsStub(on_put=lambda _call, _records: error(code)))
    assert (outcome.left, outcome.retryable, outcome.possible_duplicates) == (ENTRIES, False, 0)
    assert code in str(outcome.problem)
    assert "kinesis:PutRecords" in str(outcome.problem)


def test_without_a_connection_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        kinesis = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with running(AwsStub()) as stub:
            stream = stream_at(stub.endpoint)
            stream.client.meta.events.register("before-sign.kinesis.PutRecords", _sent_to(kinesis))
            outcome = put(stream, ENTRIES)
    assert (outcome.left, outcome.sent, outcome.retryable) == (ENTRIES, False, True)
    assert outcome.possible_duplicates == 0
    assert "Could not connect" in str(outcome.problem)


def _sent_to(endpoint: str) -> Callable[..., None]:
    def change(request: Any, **_: object) -> None:
        request.url = endpoint

    return change


@pytest.mark.parametrize(
    ("reason", "sent"), [("CERTIFICATE_VERIFY_FAILED", False), ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", True)]
)
def test_a_failing_tls_handshake_sent_nothing_and_a_later_failure_may_have(reason: str, sent: bool) -> None:
    class Failing:
        def put_records(self, **_: object) -> None:
            raise SSLError(endpoint_url="https://kinesis.example", error=OSError(f"[SSL: {reason}]"))

    outcome = put(Stream(Failing(), "mobile"), ENTRIES)  # type: ignore[arg-type]
    assert (outcome.sent, outcome.retryable, outcome.possible_duplicates) == (sent, sent, 6 * sent)


def test_credentials_that_aws_calls_expired_are_renewed_for_the_next_call() -> None:
    stub = AwsStub(on_put=lambda number, _records: error("ExpiredTokenException") if number == 1 else set())
    with running(stub):
        stream = stream_at(stub.endpoint)
        first, second = put(stream, ENTRIES), put(stream, ENTRIES)
    assert (first.left, first.retryable, first.possible_duplicates) == (ENTRIES, True, 0)
    assert second.taken == ENTRIES
    assert stub.tokens_used == ["token-1", "token-2"]


@pytest.mark.parametrize("ahead", [-3 * 86_400, 3 * 86_400], ids=["device days ahead", "device days behind"])
def test_a_device_with_a_wrong_clock_keeps_its_credentials_until_they_expire(ahead: int) -> None:
    stub = AwsStub(clock_ahead_seconds=ahead)
    with running(stub):
        stream = stream_at(stub.endpoint)
        assert put(stream, ENTRIES).taken == ENTRIES
        assert put(stream, ENTRIES).taken == ENTRIES
    assert stub.tokens_used == ["token-1"] * 2


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (error("TooManyRequestsException"), True),
        (error("InternalErrorException", 500), True),
        ((200, b"<html>Please log in to this network</html>"), True),
        ((200, {"IdentityId": "i", "Credentials": {}}), True),
        (error("NotAuthorizedException"), False),
    ],
    ids=["throttled", "failed", "a page", "no credentials", "not authorized"],
)
def test_without_credentials_nothing_was_sent_and_cognito_was_asked_once(
    answer: Answer, retryable: bool
) -> None:
    stub = AwsStub(on_vend=lambda _request: answer)
    with running(stub):
        outcome = put(stream_at(stub.endpoint), ENTRIES)
    assert (outcome.left, outcome.sent, outcome.retryable) == (ENTRIES, False, retryable)
    assert outcome.possible_duplicates == 0
    assert "identity pool pool" in str(outcome.problem)
    assert [action for action, _ in stub.cognito_calls] == ["GetId", "GetCredentialsForIdentity"]
    assert stub.puts == []


def test_credentials_that_have_ended_when_they_are_vended_are_told() -> None:
    stub = AwsStub(valid_seconds=-60)
    with running(stub):
        outcome = put(stream_at(stub.endpoint), ENTRIES)
    assert (outcome.sent, outcome.possible_duplicates) == (False, 0)
    assert "credentials that ended at" in str(outcome.problem)
