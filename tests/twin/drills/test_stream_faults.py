"""Faults of the streams and of the application, done to the emulated AWS or to folders, without Flink."""

import itertools
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from names import OREGON, TOKYO, TWIN_ACCOUNT, Names
from tests.twin.drills.made_up_run import SETTLED
from twin.drills.faults import FAULTS
from twin.drills.run import DrilledRun
from twin.emulator import Emulator
from twin.flink_job import JobState
from twin.processes import TwinError
from twin.shards import ShardReader

_NUMBERS = itertools.count(1)
CLICKS = 40


def _run(**twin: Any) -> DrilledRun:
    made: Any = SimpleNamespace(**twin)
    return DrilledRun(twin=made, send=lambda _: None, hold_traffic=nullcontext, picture=lambda: SETTLED)


@pytest.fixture
def names(emulator: Emulator) -> Names:
    """Of an environment with both streams."""
    made = Names(environment=f"drills-{next(_NUMBERS)}", account=TWIN_ACCOUNT)
    emulator.client("kinesis", TOKYO).create_stream(StreamName=made.mobile_stream, ShardCount=1)
    emulator.client("kinesis", OREGON).create_stream(StreamName=made.source_stream, ShardCount=2)
    return made


def _put(emulator: Emulator, names: Names, prefix: str) -> None:
    records = [
        {"Data": f"{prefix}{number}".encode(), "PartitionKey": f"{number}"} for number in range(CLICKS)
    ]
    emulator.client("kinesis", OREGON).put_records(StreamName=names.source_stream, Records=records)


def test_shards_split_and_merge_and_no_click_is_lost_or_out_of_turn(emulator: Emulator, names: Names) -> None:
    reader = ShardReader(emulator.client("kinesis", OREGON), names.source_stream_arn)
    _put(emulator, names, "1-")
    merge = FAULTS["shards-split-and-merge"].cause(_run(emulator=emulator, names=names))
    assert merge is not None
    _put(emulator, names, "2-")
    merge()
    _put(emulator, names, "3-")
    read = [(record.partition_key, record.data) for _ in range(4) for record in reader.read_all()]
    assert len(read) == len(set(read)) == 3 * CLICKS
    for key in {key for key, _ in read}:
        assert [data for each, data in read if each == key] == [
            f"{turn}-{key}".encode() for turn in (1, 2, 3)
        ]
    assert len(reader.shard_ids) == 2


def test_oregon_takes_no_click_while_it_is_away(emulator: Emulator, names: Names) -> None:
    once = emulator.client("kinesis", OREGON, Config(retries={"total_max_attempts": 1}))
    record = {"StreamName": names.source_stream, "Data": b"1", "PartitionKey": "1"}
    come_back = FAULTS["oregon-away"].cause(_run(emulator=emulator, names=names))
    assert come_back is not None
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        once.put_record(**record)
    come_back()
    once.put_record(**record)


class FakeApplication:
    """`failed` checkpoints grow with each look at its state."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._failed = itertools.count()

    def last_checkpoint(self) -> Path | None:
        return self._folder

    @property
    def state(self) -> JobState:
        return JobState(
            status="RUNNING", tasks_run=True, restarts=0, checkpoints=7, failed_checkpoints=next(self._failed)
        )


def test_no_checkpoint_finds_room_until_the_storage_is_well_again(tmp_path: Path) -> None:
    for number in (7, 8):  # 8 is under way
        (tmp_path / f"chk-{number}").mkdir()
    application = FakeApplication(tmp_path / "chk-7")
    free = FAULTS["flink-checkpoints-failing"].cause(_run(application=application))
    assert free is not None
    with pytest.raises(FileExistsError):
        (tmp_path / "chk-9").mkdir()
    free()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chk-7", "chk-8"]


def test_an_application_without_a_checkpoint_is_left_alone() -> None:
    with pytest.raises(TwinError, match="no checkpoint is complete yet"):
        FAULTS["flink-checkpoints-failing"].cause(_run(application=FakeApplication(None)))


class LoopingApplication:
    """Its job restarts for as long as there is no folder for what it writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._restarts = 0

    @property
    def state(self) -> JobState:
        self._restarts += not self._folder.is_dir()
        return JobState(status="RESTARTING", tasks_run=False, restarts=self._restarts, checkpoints=7)


@pytest.mark.parametrize("restarts", [True, False])
def test_the_folder_of_the_counts_comes_back_with_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarts: bool
) -> None:
    monkeypatch.setattr("twin.drills.flink_faults.FAILS_WITHIN_SECONDS", 10.0 if restarts else 0.0)
    folder = tmp_path / "counts"
    folder.mkdir()
    (folder / "part-0").write_text("counts")
    transport = SimpleNamespace(folder_of=lambda _: folder)
    application = LoopingApplication(folder if restarts else tmp_path)
    twin = {"application": application, "transport": transport, "names": Names(environment="x", account="")}
    if restarts:
        back = FAULTS["flink-looping"].cause(_run(**twin))
        assert back is not None
        assert folder.is_file()
        back()
    else:
        with pytest.raises(TwinError, match="restarts again and again"):
            FAULTS["flink-looping"].cause(_run(**twin))
    assert [path.name for path in tmp_path.rglob("*")] == ["counts", "part-0"]


def test_the_jar_s_own_connectors_have_no_folder_to_take_away() -> None:
    with pytest.raises(TwinError, match="TRANSPORT=files"):
        FAULTS["flink-looping"].cause(_run(transport=None))
