"""Unreadable answers over HTTP: delivery raises nothing, and no record counts as taken."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lambdas.shared import delivery
from lambdas.shared.delivery import deliver
from lambdas.shared.destinations import Outgoing, connect
from tests.faults import ScriptedEndpoint

ARNS = {
    "data stream": "arn:aws:kinesis:us-west-2:000000000000:stream/any",
    "delivery stream": "arn:aws:firehose:us-west-2:000000000000:deliverystream/any",
}
TAKEN = (
    b'{"Records": [{"SequenceNumber": "1", "ShardId": "s"}], "RequestResponses": [{"RecordId": "1"}],'
    b' "FailedRecordCount": 0, "FailedPutCount": 0}'
)
BODIES = [
    b"",
    b"[]",
    b'"x"',
    b"null",
    b"7",
    b"\xff\xfe\x00",
    b"<html>no JSON</html>",
    b'{"Records": [',
    b'{"Records": [null], "RequestResponses": [null]}',
    b'{"Records": [{}], "RequestResponses": [{}]}',
    b'{"Records": ["x"], "RequestResponses": ["x"]}',
    b'{"Records": "x", "RequestResponses": "x"}',
    b'{"Records": 7, "RequestResponses": 7}',
    b'{"Records": [], "RequestResponses": []}',
    b'{"Records": [{"ErrorCode": 7}], "RequestResponses": [{"ErrorCode": 7}]}',
    b'{"__type": 7, "message": []}',
    b"[" * 100_000,
]


@pytest.fixture(scope="module")
def serving() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint(otherwise=TAKEN) as endpoint:
        yield endpoint


@pytest.fixture
def aws(serving: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch) -> ScriptedEndpoint:
    for variable, value in {
        "AWS_ENDPOINT_URL": serving.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(delivery, "FIRST_BACKOFF_SECONDS", 0.001)
    serving.answers, serving.requests = [], 0
    return serving


def put_one(arn: str) -> delivery.Delivery:
    now = time.monotonic()
    with ThreadPoolExecutor(1) as executor:
        return deliver(
            {connect(arn, connections=1): [Outgoing(0, 1, b"{}\n")]},
            executor,
            last_attempt_at=now + 5,
            give_up_at=now + 6,
        )


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("arn", ARNS.values(), ids=ARNS)
def test_an_unreadable_answer_settles_no_record(
    arn: str, body: bytes, status: int, aws: ScriptedEndpoint
) -> None:
    """A refusal without a reason waits for the next invocation; everything else is retried at once."""
    aws.answers = [(status, body)]
    result = put_one(arn)
    assert result.errors
    assert all(isinstance(error, str) for error in result.errors)
    assert (result.delivered, len(result.failed)) in [(1, 0), (0, 1)]
    assert aws.requests == 1 + result.delivered
    if status != 400:
        assert result.delivered == 1


@pytest.mark.usefixtures("aws")
def test_a_readable_answer_settles_its_record() -> None:
    for arn in ARNS.values():
        result = put_one(arn)
        assert (result.delivered, result.failed, result.errors) == (1, [], set())
