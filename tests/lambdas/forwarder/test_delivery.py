import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import ceil

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from contract.limits import MIB, REQUEST_BYTES
from lambdas.shared import delivery
from lambdas.shared.delivery import Delivery, deliver, split_into_requests
from lambdas.shared.destinations import DataStream, DeliveryStream, Destination, Outgoing
from settings.capacity import PAYLOAD_BYTES
from settings.forwarder import ForwarderSettings

Answer = Callable[[Sequence[Outgoing]], list[str | None]]
THROTTLED = "ProvisionedThroughputExceededException"


class ScriptedStream(DataStream):
    """A data stream with scripted answers; after the last it takes everything."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__("arn:aws:kinesis:us-west-2:000000000000:stream/scripted", client=None)
        self._answers = iter(answers)
        self.requests: list[list[int]] = []

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        self.requests.append([record.position for record in records])
        return next(self._answers, _take_all)(records)


def _take_all(records: Sequence[Outgoing]) -> list[str | None]:
    return [None] * len(records)


def refuse(*positions: int, code: str = THROTTLED) -> Answer:
    return lambda records: [code if record.position in positions else None for record in records]


def error(code: str, status: int) -> Answer:
    def answer(_: Sequence[Outgoing]) -> list[str | None]:
        raise ClientError(
            {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
            "PutRecords",
        )

    return answer


def unreachable(_: Sequence[Outgoing]) -> list[str | None]:
    raise EndpointConnectionError(endpoint_url="https://kinesis.us-west-2.amazonaws.com")


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_BACKOFF_SECONDS", 0.001)


def outgoing(count: int) -> list[Outgoing]:
    return [Outgoing(position, 2, b"{}\n{}\n") for position in range(count)]


def put(stream: Destination, count: int, executor: ThreadPoolExecutor, seconds: float = 5.0) -> Delivery:
    now = time.monotonic()
    return deliver(
        {stream: outgoing(count)}, executor, last_attempt_at=now + seconds, give_up_at=now + seconds + 0.1
    )


def positions(result: Delivery) -> list[int]:
    return [record.position for record in result.failed]


sizes = st.lists(st.sampled_from([1, 300, 400_000, MIB - 256]), max_size=30) | st.builds(
    list.__mul__, st.just([300]), st.integers(min_value=480, max_value=1_600)
)


@pytest.mark.parametrize("kind", [DataStream, DeliveryStream])
@given(sizes)
def test_requests_keep_limits_and_order_and_are_as_full_as_possible(
    kind: type[DataStream] | type[DeliveryStream], sizes: list[int]
) -> None:
    destination: Destination = kind("arn:aws:kinesis:us-west-2:000000000000:stream/a", None)
    records = [Outgoing(position, 1, bytes(size)) for position, size in enumerate(sizes)]
    requests = list(split_into_requests(records, destination))

    def size(request: list[Outgoing]) -> int:
        return sum(len(record.data) + destination.key_bytes for record in request)

    assert [record for request in requests for record in request] == records
    for request in requests:
        assert 0 < len(request) <= 500
        assert size(request) <= REQUEST_BYTES or len(request) == 1
    for request, following in pairwise(requests):
        assert len(request) == 500 or size(request) + size(following[:1]) > REQUEST_BYTES


def test_a_full_batch_fits_into_the_requests_in_flight_and_each_into_a_destination() -> None:
    data_bytes = PAYLOAD_BYTES * 3 // 4  # of base64
    pack_bytes = ForwarderSettings().record_bytes
    packs = [Outgoing(0, 1, bytes(pack_bytes - 16))] * ceil(data_bytes / (pack_bytes - 300))
    requests = list(split_into_requests(packs, ScriptedStream()))
    assert len(requests) <= ForwarderSettings().requests_in_flight
    assert min(DataStream.limits.request_bytes, DeliveryStream.limits.request_bytes) >= REQUEST_BYTES


def test_only_refused_records_are_retried(executor: ThreadPoolExecutor) -> None:
    stream = ScriptedStream(refuse(1, 3), refuse(3, code="InternalFailure"))
    result = put(stream, 5, executor)
    assert stream.requests == [[0, 1, 2, 3, 4], [1, 3], [3]]
    assert positions(result) == []
    assert (result.delivered, result.delivered_bytes, result.retried) == (2 * 5, 6 * 5, 2 * 3)
    assert result.errors == {THROTTLED, "InternalFailure"}
    assert len(result.request_milliseconds) == 3


@pytest.mark.parametrize(
    "answer",
    [error(THROTTLED, 400), error("InternalFailure", 500), error("ServiceUnavailable", 503), unreachable],
)
def test_a_request_that_failed_as_a_whole_is_retried(answer: Answer, executor: ThreadPoolExecutor) -> None:
    stream = ScriptedStream(answer, answer)
    assert put(stream, 2, executor).failed == []
    assert stream.requests == [[0, 1]] * 3


def test_a_refusal_that_is_not_retryable_fails_the_invocation(executor: ThreadPoolExecutor) -> None:
    stream = ScriptedStream(error("AccessDeniedException", 400))
    result = put(stream, 2, executor)
    assert positions(result) == [0, 1]
    assert result.errors == {"AccessDeniedException"}
    assert len(stream.requests) == 1


def test_a_record_refused_until_time_runs_out_has_failed(executor: ThreadPoolExecutor) -> None:
    stream = ScriptedStream(*[refuse(1)] * 10_000)
    result = put(stream, 3, executor, seconds=0.3)
    assert positions(result) == [1]
    assert result.delivered == 2 * 2
    assert 1 < len(stream.requests) < 10_000


def test_attempts_begin_only_before_the_latest_time(executor: ThreadPoolExecutor) -> None:
    stream = ScriptedStream()
    assert positions(put(stream, 2, executor, seconds=0)) == [0, 1]
    assert stream.requests == []


def test_a_request_without_an_answer_at_the_end_has_failed(executor: ThreadPoolExecutor) -> None:
    end_of_test = threading.Event()

    def answer_too_late(records: Sequence[Outgoing]) -> list[str | None]:
        end_of_test.wait()
        return _take_all(records)

    result = put(ScriptedStream(answer_too_late), 1, executor, seconds=0.05)
    end_of_test.set()
    assert positions(result) == [0]
    assert result.errors == {"NoAnswerInTime"}


def test_requests_are_in_flight_at_the_same_time(executor: ThreadPoolExecutor) -> None:
    all_in_flight = threading.Barrier(4)

    def answer_when_all_are_in_flight(records: Sequence[Outgoing]) -> list[str | None]:
        all_in_flight.wait(timeout=4)
        return _take_all(records)

    stream = ScriptedStream(*[answer_when_all_are_in_flight] * 4)
    assert put(stream, 2_000, executor).delivered == 2 * 2_000


def test_the_pause_between_attempts_grows_and_is_random(
    executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[float] = []

    def uniform(_: float, longest: float) -> float:
        bounds.append(longest)
        return 0

    monkeypatch.setattr(delivery, "FIRST_BACKOFF_SECONDS", 0.1)
    monkeypatch.setattr("random.uniform", uniform)
    put(ScriptedStream(*[refuse(0)] * 8), 1, executor)
    assert bounds == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
