"""The queue against a list that does the same, closed and opened at any time."""

import shutil
from collections import deque
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from clients.mobile_app.click_queue import ClickQueue, Waiting
from clients.mobile_app.delivery import MAX_BYTES_PER_CALL
from clients.mobile_app.pack import MAX_BYTES_PER_RECORD

MAX_RECORDS, MAX_BYTES = 7, MAX_BYTES_PER_RECORD
LARGE = MAX_BYTES_PER_RECORD // 3


class QueueMachine(RuleBasedStateMachine):
    """Queues of one file, closed and opened at any time, beside a plain model of them."""

    batches: Bundle[list[Waiting]] = Bundle("batches")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="click-queue-"))
        self.queue = self.opened()
        self.put_in = self.gone = 0
        self.expected: deque[bytes] = deque()
        self.lent: set[bytes] = set()
        self.lost: set[bytes] = set()

    def opened(self) -> ClickQueue:
        return ClickQueue(self.folder / "clicks", max_clicks=MAX_RECORDS, max_bytes=MAX_BYTES)

    @rule(size=st.sampled_from([8, 9, LARGE]))
    def put(self, size: int) -> None:
        data = str(self.put_in).encode().rjust(size)
        self.queue.put(data, "u")
        self.put_in += 1
        self.expected.append(data)
        while len(self.expected) > MAX_RECORDS or sum(len(one) + 1 for one in self.expected) > MAX_BYTES:
            self.lost.add(self.expected.popleft())

    @rule(target=batches, most=st.integers(1, 7))
    def lend(self, most: int) -> list[Waiting]:
        batch = self.queue.lend(most)
        there = [data for data in self.expected if data not in self.lent]
        assert [record.data for record in batch] == there[:most]
        self.lent.update(record.data for record in batch)
        return batch

    @rule(batch=consumes(batches), some=st.integers(0, 7))
    def settle(self, batch: list[Waiting], some: int) -> None:
        taken = batch[:some]
        self.queue.settle(batch, taken)
        self.lent -= {record.data for record in batch}
        for record in taken:
            self.gone += 1
            self.lost.discard(record.data)
            if record.data in self.expected:
                self.expected.remove(record.data)

    @rule()
    def come_back_while_calls_still_run(self) -> None:
        before, self.queue = self.queue, self.opened()
        before.close()

    @invariant()
    def every_record_is_accounted_for(self) -> None:
        backlog = self.queue.backlog()
        assert (backlog.clicks, backlog.dropped) == (len(self.expected), len(self.lost))
        assert backlog.size == sum(len(one) + 1 for one in self.expected)
        assert backlog.lent == len(self.lent.intersection(self.expected))
        assert self.put_in == self.gone + backlog.clicks + backlog.dropped

    def teardown(self) -> None:
        self.queue.close()
        reopened = self.opened()
        assert [record.data for record in reopened.lend()] == list(self.expected)
        assert reopened.backlog().dropped == len(self.lost)
        reopened.close()
        shutil.rmtree(self.folder)


QueueMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestQueue = QueueMachine.TestCase


def test_one_call_gets_at_most_what_a_stream_takes() -> None:
    queue = ClickQueue(None, max_bytes=20 * MAX_BYTES_PER_RECORD)
    for _ in range(7):
        queue.put(b"x" * (MAX_BYTES_PER_RECORD - 1), "u")
    assert len(queue.lend()) == MAX_BYTES_PER_CALL // MAX_BYTES_PER_RECORD
    small = ClickQueue(None)
    for _ in range(501):
        small.put(b"x", "u")
    assert len(small.lend()) == 500


def test_a_record_larger_than_a_stream_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1048576"):
        ClickQueue(None).put(b"x" * MAX_BYTES_PER_RECORD, "u")


def test_bounds_that_hold_not_even_one_record_are_refused() -> None:
    with pytest.raises(ValueError, match="raise its bounds"):
        ClickQueue(None, max_bytes=1000)
