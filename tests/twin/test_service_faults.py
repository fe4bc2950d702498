"""Refused puts and slow copies, with functions as MiniStack's operations."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from twin import service_faults

REQUEST = {"StreamName": "mobile", "Records": [{}, {}]}
TAKEN: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, ...]]]:
    """What was added to metrics."""
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr(service_faults, "add", lambda *metric: found.append(metric))
    service_faults._calls.clear()
    yield found
    service_faults.set_service_faults(b'{"throttled": [], "copy_seconds": 0}')


def _throttle(*names: str) -> None:
    service_faults.set_service_faults(json.dumps({"throttled": names}).encode())


def test_some_puts_into_a_throttled_stream_are_refused_and_counted(added: list[tuple[Any, ...]]) -> None:
    put = service_faults._unless_throttled_stream(lambda _: TAKEN)
    assert put(REQUEST) == TAKEN
    _throttle("mobile")
    answers = [put(REQUEST) for _ in range(2 * service_faults.REFUSED_OF)]
    assert [answer[0] for answer in answers] == [400, 200, 200] * 2
    assert b"ProvisionedThroughputExceededException" in answers[0][2]
    metric = ("AWS/Kinesis WriteProvisionedThroughputExceeded", {"StreamName": "mobile"}, [2.0], "Count")
    assert added == [metric, metric]


def test_others_streams_and_ended_faults_refuse_nothing(added: list[tuple[Any, ...]]) -> None:
    put = service_faults._unless_throttled_stream(lambda _: TAKEN)
    _throttle("source")
    assert put(REQUEST) == TAKEN
    _throttle()
    assert put({**REQUEST, "StreamName": "source"}) == TAKEN
    assert added == []
