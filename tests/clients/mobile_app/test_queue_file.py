"""The queue's file over kills, full disks, damage, and other processes and queues that use it."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from clients.mobile_app import ClickQueue, QueueError
from tests.clients.mobile_app.conftest import SmallDisk

PUT_TEN = """
import sys
from pathlib import Path
from clients.mobile_app import ClickQueue
queue = ClickQueue(Path(sys.argv[1]))
for number in range(10):
    queue.put(str(number).encode(), "u")
"""
PUT_AND_TAKE_FOR_EVER = """
import sys
from pathlib import Path
from clients.mobile_app import ClickQueue
queue = ClickQueue(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    for _ in range(5):
        queue.put(str(number).encode(), "u" * 200)
        print("put", number, flush=True)
        number += 1
    batch = queue.lend(4)
    queue.settle(batch, batch)
    for record in batch:
        print("took", int(record.data), flush=True)
"""


def numbers(queue: ClickQueue) -> list[int]:
    batch = queue.lend()  # at most 500
    queue.settle(batch, [])
    return [int(record.data) for record in batch]


def test_what_a_killed_process_had_put_is_there(tmp_path: Path) -> None:
    program = PUT_TEN + "import os; os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "clicks")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert numbers(ClickQueue(tmp_path / "clicks")) == list(range(10))


def test_a_process_killed_during_a_change_loses_nothing_and_restores_nothing(
    tmp_path: Path,
) -> None:
    rng = random.Random(8)
    put, took = set[int](), set[int]()
    kills = 0
    while kills < 12 or len(took) < 50:
        kills += 1
        command = [sys.executable, "-c", PUT_AND_TAKE_FOR_EVER, str(tmp_path / "clicks"), str(len(put))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline()]
            time.sleep(rng.uniform(0, 0.1))  # any point of its work will do
            process.kill()
            said += [line for line in process.stdout if line.endswith("\n")]
        for what, number in map(str.split, said):
            (put if what == "put" else took).add(int(number))
        queue = ClickQueue(tmp_path / "clicks")
        waiting = numbers(queue)
        assert queue.backlog().clicks == len(waiting)
        queue.close()
        assert waiting == sorted(set(waiting) - took)
        # One change may have been made that the kill kept from being said: a put, or the taking of a batch.
        assert len(set(waiting) - put) <= 1
        put.update(waiting)
        assert put == set(range(len(put)))
        assert len(put - took - set(waiting)) <= 4
        took = put - set(waiting)


def test_a_second_process_with_the_same_file_is_told_so(tmp_path: Path) -> None:
    first = ClickQueue(tmp_path / "clicks")
    second = subprocess.run(
        [sys.executable, "-c", PUT_TEN, str(tmp_path / "clicks")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "another process has it open, and only one may" in second.stderr
    assert first.backlog().clicks == 0
    first.close()
    subprocess.run([sys.executable, "-c", PUT_TEN, str(tmp_path / "clicks")], check=True)


def test_two_queues_of_one_file_in_a_process_never_lend_a_record_twice(tmp_path: Path) -> None:
    first, second = ClickQueue(tmp_path / "clicks"), ClickQueue(tmp_path / "clicks")
    for number in range(4):
        first.put(str(number).encode(), "u")
    lent = first.lend(2)
    assert [record.data for record in second.lend(10)] == [b"2", b"3"]
    first.close()
    first.settle(lent, lent[:1])
    assert [record.data for record in second.lend(10)] == [b"1"]
    assert second.backlog().clicks == 3


def test_a_change_that_a_full_disk_refuses_changes_nothing(small_disk: SmallDisk) -> None:
    queue = ClickQueue(small_disk.path / "clicks")
    for number in range(3):
        queue.put(str(number).encode(), "u")
    small_disk.fill()
    with pytest.raises(QueueError, match="make room on the disk"):
        queue.put(b"x" * 100_000, "u")
    assert queue.backlog().clicks == 3
    assert numbers(queue) == [0, 1, 2]
    small_disk.make_room()
    queue.put(b"3", "u")
    queue.close()
    assert numbers(ClickQueue(small_disk.path / "clicks")) == [0, 1, 2, 3]


def test_what_was_taken_while_the_disk_is_full_is_deleted_later_and_never_lent_again(
    small_disk: SmallDisk,
) -> None:
    queue = ClickQueue(small_disk.path / "clicks")
    for number in range(100):
        queue.put(str(number).encode(), "u" * 200)
    small_disk.fill()
    batch = queue.lend(60)
    with pytest.raises(QueueError, match="make room on the disk"):
        queue.settle(batch, batch[:50])
    backlog = queue.backlog()
    assert (backlog.clicks, backlog.unremoved, backlog.lent) == (50, 50, 0)
    assert numbers(queue) == list(range(50, 100))
    small_disk.make_room()
    queue.remove_taken()
    assert queue.backlog().unremoved == 0
    queue.close()
    assert numbers(ClickQueue(small_disk.path / "clicks")) == list(range(50, 100))


def test_a_queue_can_be_opened_and_read_on_a_full_disk(small_disk: SmallDisk) -> None:
    queue = ClickQueue(small_disk.path / "clicks")
    queue.put(b"0", "u")
    queue.close()
    small_disk.fill()
    assert numbers(ClickQueue(small_disk.path / "clicks")) == [0]


def test_a_damaged_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "clicks"
    path.write_bytes(b"these are no clicks " * 1000)
    with pytest.raises(QueueError, match="it is damaged: close every client of it and delete it"):
        ClickQueue(path)
    path.unlink()
    whole = ClickQueue(path)
    for number in range(60):
        whole.put(str(number).encode(), "u" * 2000)
    whole.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * 4096 + content[12288:])
    with pytest.raises(QueueError, match="it is damaged"):
        ClickQueue(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(QueueError, match="it is damaged"):
        ClickQueue(path)


def test_a_file_made_in_place_of_a_deleted_one_is_not_mistaken_for_it(tmp_path: Path) -> None:
    old = ClickQueue(tmp_path / "clicks")
    old.put(b"1", "u")
    (tmp_path / "clicks").unlink()
    new = ClickQueue(tmp_path / "clicks")
    new.put(b"2", "u")
    new.close()
    old.close()
    assert numbers(ClickQueue(tmp_path / "clicks")) == [2]


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(QueueError, match="check that its folder exists"):
        ClickQueue(tmp_path / "absent" / "clicks")


DAMAGES = {
    "a name in the schema": (b"CREATE TABLE waiting", b"CREATE\xffTABLE waiting"),
    "a key that is no text": (b"a-reader", b"\xffreader\xff"),
}


@pytest.mark.parametrize(("whole", "damaged"), DAMAGES.values(), ids=DAMAGES)
def test_a_file_with_a_damaged_text_is_told_with_what_to_do(
    tmp_path: Path, whole: bytes, damaged: bytes
) -> None:
    path = tmp_path / "clicks.db"
    queue = ClickQueue(path)
    queue.put(b"data", "a-reader")
    queue.close()
    content = path.read_bytes()
    assert whole in content
    path.write_bytes(content.replace(whole, damaged))
    with pytest.raises(QueueError, match="it is damaged"), closing(ClickQueue(path)) as again:
        again.lend()


def test_a_file_with_values_of_other_types_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "clicks.db"
    queue = ClickQueue(path)
    queue.put(b"data", "a-reader")
    queue.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE waiting SET partition_key = CAST('a-reader' AS BLOB)")
    with pytest.raises(QueueError, match=r"1 rows of other types.*it is damaged"):
        ClickQueue(path)
