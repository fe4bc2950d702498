"""Counts reach the delivery stream, each at least once, whatever Firehose refuses, and at a pace."""

import json
from typing import Any

import pytest

from contract.limits import PUT_RECORD_BATCH
from lambdas.replay.putting import NotTakenError, Putting


def line(clicks: int) -> bytes:
    return json.dumps({"clicks": clicks}).encode() + b"\n"


class RefusingFirehose:
    """First refuses every third record, and everything once it is `closed`."""

    def __init__(self, *, closed: bool = False) -> None:
        self.taken: list[bytes] = []
        self._seen: set[bytes] = set()
        self._closed = closed

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> Any:  # noqa: N803
        assert DeliveryStreamName == "counts"
        assert len(Records) <= PUT_RECORD_BATCH.records
        assert sum(len(record["Data"]) for record in Records) <= PUT_RECORD_BATCH.request_bytes
        answers = []
        for record in Records:
            data = record["Data"]
            new = data not in self._seen
            self._seen.add(data)
            if self._closed or (new and json.loads(data)["clicks"] % 3 == 0):
                answers.append({"ErrorCode": "ServiceUnavailableException"})
            else:
                self.taken.append(data)
                answers.append({"RecordId": "1"})
        return {"RequestResponses": answers}


class Clock:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def putting(firehose: RefusingFirehose, clock: Clock, per_second: float = 1e9) -> Putting:
    return Putting(firehose, "counts", per_second=per_second, sleep=clock.sleep, clock=lambda: clock.now)


def test_every_count_is_put_once_though_some_are_first_refused() -> None:
    firehose = RefusingFirehose()
    lines = [line(clicks) for clicks in range(1_101)]
    assert putting(firehose, Clock()).put_lines(iter(lines)) == 1_101
    assert sorted(firehose.taken) == sorted(lines)


def test_long_lines_are_put_in_requests_that_firehose_takes() -> None:
    lines = [json.dumps({"clicks": n, "article_id": "x" * 900_000}).encode() for n in range(1, 9)]
    firehose = RefusingFirehose()
    assert putting(firehose, Clock()).put_lines(lines) == 8
    assert len(firehose.taken) == 8


def test_counts_are_put_at_the_pace_of_the_declared_peak() -> None:
    clock = Clock()
    pace = putting(RefusingFirehose(), clock, per_second=100)
    pace.put_lines(line(3 * n + 1) for n in range(1_000))
    pace.put_lines(line(3 * n + 2) for n in range(1_000))
    assert clock.now - 100.0 == pytest.approx(20.0)


def test_a_delivery_stream_that_keeps_refusing_ends_it_with_what_was_put() -> None:
    firehose = RefusingFirehose()
    work = putting(firehose, Clock())
    work.put_lines([line(1)])
    firehose._closed = True
    with pytest.raises(NotTakenError, match=r"counts refused 2 counts 8 times; 1 were put before\. Look"):
        work.put_lines([line(2), line(4)])
