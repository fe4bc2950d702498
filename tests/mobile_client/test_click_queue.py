"""The queue against a list that does the same, and over crashes, full disks and a second process."""

import shutil
import sqlite3
import subprocess
import sys
from collections import deque
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from mobile_client.click_queue import ClickQueue, QueueError, Waiting
from mobile_client.delivery import BYTES_PER_CALL, BYTES_PER_RECORD

MOST_RECORDS, MOST_BYTES = 7, BYTES_PER_RECORD
LARGE = BYTES_PER_RECORD // 3


class QueueMachine(RuleBasedStateMachine):
    """A queue in a file that is closed and opened at any time, beside a plain model of it."""

    batches: Bundle[list[Waiting]] = Bundle("batches")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="click-queue-"))
        self.queue = self.opened()
        self.put_in = self.dropped = self.gone = 0
        self.expected: deque[bytes] = deque()
        self.lost: set[bytes] = set()

    def opened(self) -> ClickQueue:
        return ClickQueue(self.folder / "clicks", most_records=MOST_RECORDS, most_bytes=MOST_BYTES)

    @rule(size=st.sampled_from([8, 9, LARGE]))
    def put(self, size: int) -> None:
        data = str(self.put_in).encode().rjust(size)
        self.queue.put(data, "u")
        self.put_in += 1
        self.expected.append(data)
        while len(self.expected) > MOST_RECORDS or sum(len(one) + 1 for one in self.expected) > MOST_BYTES:
            self.lost.add(self.expected.popleft())

    @rule(target=batches)
    def oldest(self) -> list[Waiting]:
        batch = self.queue.oldest()
        assert [record.data for record in batch] == list(self.expected)
        return batch

    @rule(batch=consumes(batches), some=st.integers(0, 7))
    def taken(self, batch: list[Waiting], some: int) -> None:
        still_counted = [one for one in batch[:some] if one.data in self.expected or one.data in self.lost]
        self.queue.taken(still_counted)
        for record in still_counted:
            self.gone += 1
            self.lost.discard(record.data)
            if record.data in self.expected:
                self.expected.remove(record.data)

    @rule()
    def restart(self) -> None:
        self.queue.close()
        self.queue = self.opened()

    @invariant()
    def every_record_is_accounted_for(self) -> None:
        backlog = self.queue.backlog()
        assert (backlog.records, backlog.dropped) == (len(self.expected), len(self.lost))
        assert backlog.size == sum(len(one) + 1 for one in self.expected)
        assert self.put_in == self.gone + backlog.records + backlog.dropped

    def teardown(self) -> None:
        self.queue.close()
        shutil.rmtree(self.folder)


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestQueue = QueueMachine.TestCase


def test_one_call_gets_at_most_what_a_stream_takes() -> None:
    queue = ClickQueue(None, most_bytes=20 * BYTES_PER_RECORD)
    for _ in range(7):
        queue.put(b"x" * (BYTES_PER_RECORD - 1), "u")
    assert len(queue.oldest()) == BYTES_PER_CALL // BYTES_PER_RECORD
    small = ClickQueue(None)
    for _ in range(501):
        small.put(b"x", "u")
    assert len(small.oldest()) == 500


def test_a_record_larger_than_a_stream_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1048576"):
        ClickQueue(None).put(b"x" * BYTES_PER_RECORD, "u")


def test_what_a_killed_process_had_put_is_there(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from mobile_client import ClickQueue\n"
        "q = ClickQueue(pathlib.Path(sys.argv[1]))\n"
        "for n in range(20): q.put(str(n).encode(), 'u')\n"
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "clicks")], check=False)
    assert killed.returncode == -9
    queue = ClickQueue(tmp_path / "clicks")
    assert [int(record.data) for record in queue.oldest()] == list(range(20))


def test_a_second_process_with_the_same_file_is_told_so(tmp_path: Path) -> None:
    ClickQueue(tmp_path / "clicks").close()
    first = ClickQueue(tmp_path / "clicks")
    with pytest.raises(QueueError, match="only one process"):
        ClickQueue(tmp_path / "clicks")
    first.close()


def test_a_change_that_the_disk_refuses_changes_nothing(tmp_path: Path) -> None:
    queue = ClickQueue(tmp_path / "clicks")
    queue.put(b"first", "u")
    pages = queue._file.execute("PRAGMA page_count").fetchone()[0]
    queue._file.execute(f"PRAGMA max_page_count = {pages}")  # as a full disk would
    with pytest.raises(QueueError, match="Make room on the disk") as raised:
        queue.put(b"x" * 100_000, "u")
    assert isinstance(raised.value.__cause__, sqlite3.OperationalError)
    assert queue.backlog().records == 1
    assert [record.data for record in queue.oldest()] == [b"first"]


def test_bounds_that_hold_not_even_one_record_are_refused() -> None:
    with pytest.raises(ValueError, match="raise its bounds"):
        ClickQueue(None, most_bytes=1000)
